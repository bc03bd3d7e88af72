package interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Receives with the official push consumer: a line per delivery, a line whenever the queues of this member change, and
 * an `end` line. Ends after `--count` accepted messages, after `--idle-ms` without a delivery, or on SIGTERM; each way
 * it commits its offsets and leaves the group first.
 */
final class Consume {
    private enum Reason { count, idle, signal }

    private enum Event { accepted, refused, stopped }

    private final Args args;
    private final boolean base64;
    private final int refusals;
    private final DefaultMQPushConsumer consumer;
    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Map<String, Integer> refusedPerMessage = new HashMap<>();
    private final AtomicBoolean ended = new AtomicBoolean();
    private int accepted;

    private Consume(Args args) {
        this.args = args;
        this.base64 = args.text("body", "sha256").equals("base64");
        this.refusals = args.number("refuse", 0);
        this.consumer = new DefaultMQPushConsumer(args.text("group"), args.has("trace"), null);
    }

    static int run(Args args) throws Exception {
        return new Consume(args).consume();
    }

    private int consume() throws Exception {
        configure();
        args.onStop(() -> {
            end(Reason.signal);
            events.add(Event.stopped);
        });
        consumer.start();
        args.line().put("ready", true).put("clientId", consumer.buildMQClientId()).print();

        int wanted = args.number("count", Integer.MAX_VALUE);
        int idleMs = args.number("idle-ms", 30_000);
        Reason reason = Reason.count;
        while (accepted < wanted) {
            Event event = events.poll(idleMs, TimeUnit.MILLISECONDS);
            if (event == Event.stopped) return 0;
            if (event == null) {
                reason = Reason.idle;
                break;
            }
            if (event == Event.accepted) accepted++;
        }
        end(reason);
        return reason == Reason.idle && args.has("count") ? 1 : 0;
    }

    private void configure() throws Exception {
        consumer.setNamesrvAddr(args.text("namesrv"));
        consumer.setClientIP("127.0.0.1");
        if (args.has("namespace")) consumer.setNamespace(args.text("namespace"));
        consumer.setInstanceName(args.instance("consumer"));
        String from = args.text("from", "first");
        if (from.equals("first")) consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        else if (from.equals("last")) consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
        else throw new IllegalArgumentException("--from first|last, not " + from);
        Versions.setModel(consumer, args.text("model", "clustering"));
        consumer.setMaxReconsumeTimes(args.number("max-reconsume-times", -1));
        consumer.setPullBatchSize(args.number("pull-batch", 32));
        consumer.setConsumeMessageBatchMaxSize(args.number("consume-batch", 1));
        consumer.setPullThresholdForQueue(args.number("cache", 1_000));
        if (args.has("threads")) {
            consumer.setConsumeThreadMin(args.number("threads", 20));
            consumer.setConsumeThreadMax(args.number("threads", 20));
        }
        consumer.setPollNameServerInterval(args.number("poll-route-ms", 1_000));
        consumer.setHeartbeatBrokerInterval(args.number("heartbeat-ms", 30_000));
        // Otherwise the offset committed at the end may not cover a message whose listener is just about to return.
        consumer.setAwaitTerminationMillisWhenShutdown(5_000);
        consumer.setAllocateMessageQueueStrategy(new ToldAllocation());
        if (args.has("pop-invisible-ms")) {
            Versions.leaveRebalanceToBroker(consumer, args.number("pop-invisible-ms", 60_000));
        }
        if (args.has("sql")) consumer.subscribe(args.text("topic"), MessageSelector.bySql(args.text("sql")));
        else consumer.subscribe(args.text("topic"), args.text("tag", "*"));
        if (args.text("order", "concurrently").equals("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) ->
                deliver(messages) ? ConsumeOrderlyStatus.SUCCESS : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT);
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                context.setDelayLevelWhenNextConsume(args.number("refuse-delay-level", 0));
                return deliver(messages) ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER;
            });
        }
    }

    /** Prints the messages; refuses them while any was refused fewer than `--refuse` times. */
    private boolean deliver(List<MessageExt> messages) {
        boolean accept = true;
        synchronized (refusedPerMessage) {
            for (MessageExt message : messages) {
                int refused = refusedPerMessage.getOrDefault(message.getMsgId(), 0);
                if (refused < refusals) {
                    accept = false;
                    refusedPerMessage.put(message.getMsgId(), refused + 1);
                }
            }
        }
        for (MessageExt message : messages) {
            try {
                Body.received(args, message, base64).put("accepted", accept).print();
            } catch (Exception problem) {
                throw new IllegalStateException(problem);
            }
            events.add(accept ? Event.accepted : Event.refused);
        }
        return accept;
    }

    private void end(Reason reason) {
        if (!ended.compareAndSet(false, true)) return;
        Shutdown.of(consumer::shutdown);
        args.line().put("end", true).put("reason", reason).put("accepted", accepted).print();
    }

    /** The default allocation, told on stdout when it changes, so that a test can wait for a rebalance. */
    private final class ToldAllocation implements AllocateMessageQueueStrategy {
        private final AllocateMessageQueueStrategy averagely = new AllocateMessageQueueAveragely();
        private final Map<String, String> last = new HashMap<>();

        @Override
        public List<MessageQueue> allocate(String group, String clientId, List<MessageQueue> all, List<String> members) {
            List<MessageQueue> mine = averagely.allocate(group, clientId, all, members);
            if (all.isEmpty()) return mine;
            String topic = all.get(0).getTopic();
            List<String> names = new ArrayList<>();
            for (MessageQueue queue : new TreeSet<>(mine)) names.add(queue.getBrokerName() + ":" + queue.getQueueId());
            synchronized (last) {
                if (!(members + " " + names).equals(last.put(topic, members + " " + names))) {
                    args.line().put("assigned", names).put("topic", topic).put("members", members).print();
                }
            }
            return mine;
        }

        @Override
        public String getName() {
            return averagely.getName();
        }
    }
}
