package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Sends `--count` messages with the official producer, one line per result, then an `end` line. A failed send is a line
 * with `error` and, when a broker answered, its `code`; the exit status is 1 if there was any.
 */
final class Produce {
    private static final int IN_FLIGHT_MAX = 256;

    private final Args args;
    private final DefaultMQProducer producer;
    private final int count;
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();

    private Produce(Args args) {
        this.args = args;
        this.count = args.number("count", 1);
        this.producer = producer(args);
    }

    static DefaultMQProducer producer(Args args) {
        if (args.has("compress")) System.setProperty("rocketmq.message.compressType", args.text("compress"));
        DefaultMQProducer producer = new DefaultMQProducer(args.text("group", "interop_producer"), args.has("trace"), null);
        producer.setNamesrvAddr(args.text("namesrv"));
        producer.setClientIP("127.0.0.1");
        if (args.has("namespace")) producer.setNamespace(args.text("namespace"));
        producer.setInstanceName(args.instance("producer"));
        producer.setSendMsgTimeout(args.number("timeout-ms", 10_000));
        producer.setRetryTimesWhenSendFailed(args.number("retries", 2));
        producer.setCompressMsgBodyOverHowmuch(args.number("compress-over", 4096));
        producer.setRetryTimesWhenSendAsyncFailed(args.number("retries-async", 2));
        producer.setRetryAnotherBrokerWhenNotStoreOK(args.has("not-store-ok"));
        producer.setSendLatencyFaultEnable(args.has("latency-fault"));
        if (args.has("attempt-ms")) attemptTimeout(producer, args.number("attempt-ms", -1));
        if (args.has("default-queues")) producer.setDefaultTopicQueueNums(args.number("default-queues", 4));
        return producer;
    }

    /** 4.9 has no such setting. */
    private static void attemptTimeout(DefaultMQProducer producer, int ms) {
        try {
            DefaultMQProducer.class.getMethod("setSendMsgMaxTimeoutPerRequest", int.class).invoke(producer, ms);
        } catch (ReflectiveOperationException problem) {
            throw new IllegalArgumentException("--attempt-ms needs a 5.x client", problem);
        }
    }

    static int run(Args args) throws Exception {
        Produce produce = new Produce(args);
        long begin = System.nanoTime();
        produce.producer.start();
        args.line().put("ready", true).put("clientId", produce.producer.buildMQClientId()).print();
        try {
            String mode = args.text("mode", "sync");
            switch (mode) {
                case "sync": produce.sync(); break;
                case "async": produce.async(); break;
                case "oneway": produce.oneway(); break;
                case "batch": produce.batch(); break;
                default: throw new IllegalArgumentException("--mode sync|async|oneway|batch, not " + mode);
            }
        } finally {
            Shutdown.of(produce.producer::shutdown);
        }
        args.line().put("end", true).put("sent", produce.sent.get()).put("failed", produce.failed.get())
            .put("elapsedMs", (System.nanoTime() - begin) / 1_000_000).print();
        return produce.failed.get() == 0 ? 0 : 1;
    }

    private SendResult send(Message message) throws Exception {
        if (!args.has("queue")) return producer.send(message);
        int queueId = args.number("queue", 0);
        return producer.send(message, (queues, m, id) -> queues.stream()
            .filter(queue -> queue.getQueueId() == (Integer) id).findFirst().orElseThrow(), queueId);
    }

    private void sync() {
        for (int i = 0; i < count; i++) {
            Message message = Body.message(args, i);
            try {
                succeeded(i, 1, message.getBody(), send(message));
            } catch (Exception problem) {
                refused(i, 1, problem);
            }
        }
    }

    private void async() throws Exception {
        Semaphore inFlight = new Semaphore(IN_FLIGHT_MAX);
        CountDownLatch open = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            int index = i;
            Message message = Body.message(args, i);
            byte[] body = message.getBody();
            inFlight.acquire();
            SendCallback callback = new SendCallback() {
                @Override public void onSuccess(SendResult result) {
                    succeeded(index, 1, body, result);
                    done();
                }

                @Override public void onException(Throwable problem) {
                    refused(index, 1, problem);
                    done();
                }

                private void done() {
                    inFlight.release();
                    open.countDown();
                }
            };
            try {
                producer.send(message, callback);
            } catch (Exception problem) {
                callback.onException(problem);
            }
        }
        open.await();
    }

    /** A oneway send has no answer; asking each broker something on the same connection shows that the frames before it left. */
    private void oneway() throws Exception {
        for (int i = 0; i < count; i++) {
            Message message = Body.message(args, i);
            producer.sendOneway(message);
            sent.incrementAndGet();
            args.line().put("i", i).put("status", "ONEWAY").put("keys", message.getKeys())
                .put("bodySha256", Body.sha256(message.getBody())).print();
        }
        for (MessageQueue queue : routed()) producer.maxOffset(queue);
    }

    /** The queues of the topic; a topic that the first of these messages creates takes a moment to be routed. */
    private List<MessageQueue> routed() throws Exception {
        long deadline = System.nanoTime() + args.number("timeout-ms", 10_000) * 1_000_000L;
        while (true) {
            try {
                return producer.fetchPublishMessageQueues(args.text("topic"));
            } catch (MQClientException notYet) {
                if (System.nanoTime() > deadline) throw notYet;
                Thread.sleep(20);
            }
        }
    }

    private void batch() {
        int size = args.number("batch-size", 10);
        for (int from = 0; from < count; from += size) {
            List<Message> messages = new ArrayList<>();
            for (int i = from; i < Math.min(count, from + size); i++) messages.add(Body.message(args, i));
            try {
                succeeded(from, messages.size(), messages.get(0).getBody(), producer.send(messages));
            } catch (Exception problem) {
                refused(from, messages.size(), problem);
            }
        }
    }

    private void succeeded(int i, int messages, byte[] body, SendResult result) {
        sent.addAndGet(messages);
        try {
            args.line().put("i", i).put("messages", messages).put("status", result.getSendStatus())
                .put("msgId", result.getMsgId()).put("offsetMsgId", result.getOffsetMsgId())
                .put("brokerName", result.getMessageQueue().getBrokerName())
                .put("queueId", result.getMessageQueue().getQueueId()).put("queueOffset", result.getQueueOffset())
                .put("transactionId", result.getTransactionId()).put("regionId", result.getRegionId())
                .put("traceOn", result.isTraceOn()).put("bodySha256", Body.sha256(body)).print();
        } catch (Exception problem) {
            throw new IllegalStateException(problem);
        }
    }

    private void refused(int i, int messages, Throwable problem) {
        failed.addAndGet(messages);
        Throwable cause = problem instanceof MQClientException && problem.getCause() != null ? problem.getCause() : problem;
        Line line = args.line().put("i", i).put("messages", messages).put("error", cause.getClass().getSimpleName());
        if (cause instanceof MQBrokerException) line.put("code", ((MQBrokerException) cause).getResponseCode());
        if (cause instanceof MQClientException) line.put("code", ((MQClientException) cause).getResponseCode());
        line.put("message", String.valueOf(cause.getMessage())).print();
    }
}
