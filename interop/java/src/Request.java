package interop;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends `--count` requests with the official producer to an official consumer that replies, a line per reply. With
 * `--role ask` somebody else replies; with `--role answer` it replies, with a line per request, until it is stopped.
 */
final class Request {
    private Request() {
    }

    static int run(Args args) throws Exception {
        String role = args.text("role", "both");
        CountDownLatch stopped = new CountDownLatch(1);
        args.onStop(stopped::countDown);
        DefaultMQProducer replier = producer(args, "replier");
        DefaultMQProducer asker = producer(args, "asker");
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args.text("group"));
        consumer.setNamesrvAddr(args.text("namesrv"));
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName(args.instance("request-consumer"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setPollNameServerInterval(1_000);
        // The asker may have its reply before the replier knows.
        consumer.setAwaitTerminationMillisWhenShutdown(5_000);
        consumer.subscribe(args.text("topic"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                String question = new String(message.getBody(), StandardCharsets.UTF_8);
                try {
                    byte[] answer = ("answer to " + question).getBytes(StandardCharsets.UTF_8);
                    replier.send(MessageUtil.createReplyMessage(message, answer));
                    if (role.equals("answer")) args.line().put("answered", question).print();
                } catch (Exception problem) {
                    args.line().put("replyProblem", String.valueOf(problem)).print();
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        try {
            if (!role.equals("ask")) {
                replier.start();
                consumer.start();
            }
            if (role.equals("answer")) {
                args.line().put("ready", true).print();
                stopped.await();
                return 0;
            }
            asker.start();
            for (int i = 0; i < args.number("count", 1); i++) {
                Message question = new Message(args.text("topic"), ("question " + i).getBytes(StandardCharsets.UTF_8));
                Message reply = asker.request(question, args.number("timeout-ms", 20_000));
                args.line().put("reply", new String(reply.getBody(), StandardCharsets.UTF_8))
                    .put("properties", reply.getProperties()).print();
            }
        } finally {
            Shutdown.of(consumer::shutdown);
            Shutdown.of(asker::shutdown);
            Shutdown.of(replier::shutdown);
        }
        return 0;
    }

    private static DefaultMQProducer producer(Args args, String role) {
        DefaultMQProducer producer = new DefaultMQProducer(args.text("group") + "-" + role);
        producer.setNamesrvAddr(args.text("namesrv"));
        producer.setClientIP("127.0.0.1");
        producer.setInstanceName(args.instance(role) + "-" + role);
        return producer;
    }
}
