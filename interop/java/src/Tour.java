package interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * Walks once through the conversations of the protocol, each as the official client and admin hold it, for whoever
 * listens on the wire between. Steps that must be refused print the refusal; a step that fails unexpectedly ends the tour.
 */
final class Tour {
    private final Args args;
    private final String namesrv;
    private final String broker;
    private final String topic;
    private final String suffix;

    private Tour(Args args) {
        this.args = args;
        namesrv = args.text("namesrv");
        broker = args.text("broker");
        topic = args.text("topic");
        suffix = args.text("suffix");
    }

    static int run(Args args) throws Exception {
        Tour tour = new Tour(args);
        switch (args.text("part")) {
            case "send": tour.send(); break;
            case "pull": tour.pull(); break;
            case "shapes": tour.shapes(); break;
            case "retry": tour.retry(args.text("group")); break;
            case "full":
                DefaultMQAdminExt admin = new DefaultMQAdminExt(10_000);
                admin.setNamesrvAddr(tour.namesrv);
                admin.setClientIP("127.0.0.1");
                admin.setInstanceName("tour-admin");
                admin.start();
                try {
                    tour.create(admin);
                    String offsetMsgId = tour.send();
                    tour.pull();
                    tour.push(admin);
                    tour.orderly();
                    tour.look(admin, offsetMsgId);
                } finally {
                    admin.shutdown();
                }
                break;
            default: throw new IllegalArgumentException("--part send|pull|shapes|retry|full, not " + args.text("part"));
        }
        args.line().put("end", true).print();
        return 0;
    }

    private static long last = System.nanoTime();

    /** A line of the tour, with the time since the one before it. */
    private Line line(String name) {
        long now = System.nanoTime();
        long elapsedMs = (now - last) / 1_000_000;
        last = now;
        return args.line().put("step", name).put("elapsedMs", elapsedMs);
    }

    private <T> T step(String name, Callable<T> action) throws Exception {
        T result = action.call();
        line(name).put("result", told(result)).print();
        return result;
    }

    /** What can be compared between two servers, of those results that say something. */
    private static String told(Object result) {
        if (result instanceof PullResult) {
            PullResult pulled = (PullResult) result;
            int found = pulled.getMsgFoundList() == null ? 0 : pulled.getMsgFoundList().size();
            return pulled.getPullStatus() + " next " + pulled.getNextBeginOffset() + " min " + pulled.getMinOffset()
                + " max " + pulled.getMaxOffset() + " found " + found;
        }
        if (result instanceof SendResult) {
            SendResult sent = (SendResult) result;
            return sent.getSendStatus() + " queue " + sent.getMessageQueue().getQueueId() + " offset " + sent.getQueueOffset();
        }
        return result instanceof Number ? result.toString() : "";
    }

    private void refused(String name, Callable<?> action) {
        try {
            Object result = action.call();
            line(name).put("result", String.valueOf(result)).print();
        } catch (Exception problem) {
            line(name).put("refused", String.valueOf(problem.getMessage())).print();
        }
    }

    private void create(DefaultMQAdminExt admin) throws Exception {
        TopicConfig config = new TopicConfig(topic);
        config.setReadQueueNums(2);
        config.setWriteQueueNums(2);
        step("update topic", () -> {
            admin.createAndUpdateTopicConfig(broker, config);
            return null;
        });
    }

    private String send() throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("tour_producer_" + suffix);
        producer.setNamesrvAddr(namesrv);
        producer.setClientIP("127.0.0.1");
        producer.setInstanceName("tour-producer");
        producer.start();
        try {
            MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
            byte[] body = "golden body".getBytes(StandardCharsets.UTF_8);
            Message full = new Message(topic, "TagA", "key-1 key-2", body);
            full.setFlag(7);
            full.putUserProperty("colour", "gr\u00fcn");
            SendResult result = step("send", () -> producer.send(full, queue));
            step("send without tag and key", () -> producer.send(new Message(topic, body), queue));
            step("send oneway", () -> {
                producer.sendOneway(new Message(topic, "TagB", body), queue);
                return null;
            });
            List<Message> batch = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                batch.add(new Message(topic, "TagC", "batch-" + i, ("entry " + i).getBytes(StandardCharsets.UTF_8)));
            }
            step("send batch", () -> producer.send(batch, queue));
            refused("send to a queue that is not there", () -> producer.send(new Message(topic, body), new MessageQueue(topic, queue.getBrokerName(), 99)));
            refused("send to a topic that is not there", () -> producer.send(new Message("TBW999", body)));
            return result.getOffsetMsgId();
        } finally {
            producer.shutdown();
        }
    }

    @SuppressWarnings("deprecation")
    private void pull() throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer("tour_pull_" + suffix);
        consumer.setNamesrvAddr(namesrv);
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName("tour-pull");
        consumer.setRegisterTopics(Set.of(topic));
        consumer.start();
        try {
            Set<MessageQueue> queues = consumer.fetchSubscribeMessageQueues(topic);
            MessageQueue queue = queues.stream().filter(q -> q.getQueueId() == 0).findFirst().orElseThrow();
            long max = step("max offset", () -> consumer.maxOffset(queue));
            step("min offset", () -> consumer.minOffset(queue));
            step("search offset", () -> consumer.searchOffset(queue, System.currentTimeMillis() - 3_600_000));
            step("query offset, none stored", () -> consumer.fetchConsumeOffset(queue, true));
            step("pull found", () -> consumer.pull(queue, "*", 0, 2));
            step("pull not found", () -> consumer.pull(queue, "*", max, 2));
            step("pull with tag, no match", () -> consumer.pull(queue, "NoSuchTag", 0, 8));
            step("pull past the end", () -> consumer.pull(queue, "*", max + 1000, 2));
            step("update offset", () -> {
                consumer.updateConsumeOffset(queue, 1);
                consumer.getOffsetStore().persistAll(queues);
                return null;
            });
            step("query offset, stored", () -> consumer.fetchConsumeOffset(queue, true));
        } finally {
            consumer.shutdown();
        }
    }

    /** Two members of one group: heartbeats, the list of members, the notice that it changed, long pulls, a send-back. */
    private void push(DefaultMQAdminExt admin) throws Exception {
        CountDownLatch received = new CountDownLatch(5);
        CountDownLatch retried = new CountDownLatch(1);
        CountDownLatch shared = new CountDownLatch(2);
        DefaultMQPushConsumer first = member("tour-push-1", received, retried, shared);
        DefaultMQPushConsumer second = member("tour-push-2", received, retried, shared);
        first.start();
        try {
            await("first member receives", received);
            await("refused message comes again", retried);
            second.start();
            try {
                await("members share the queues", shared);
                meet(admin, first);
            } finally {
                second.shutdown();
            }
        } finally {
            first.shutdown();
        }
    }

    /** What an admin asks a consumer that is there, part of it handed on by the broker. */
    private void meet(DefaultMQAdminExt admin, DefaultMQPushConsumer member) throws Exception {
        String group = member.getConsumerGroup();
        step("consumer connections", () -> admin.examineConsumerConnectionInfo(group));
        step("consumer running info", () -> admin.getConsumerRunningInfo(group, member.buildMQClientId(), false));
        step("consumer status", () -> admin.getConsumeStatus(topic, group, ""));
        step("reset offset of an online group", () -> admin.resetOffsetByTimestamp(topic, group, System.currentTimeMillis(), true));
        step("update subscription group", () -> {
            Versions.updateGroup(admin, broker, group);
            return null;
        });
    }

    private DefaultMQPushConsumer member(String instance, CountDownLatch received, CountDownLatch retried, CountDownLatch shared) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("tour_push_" + suffix);
        consumer.setNamesrvAddr(namesrv);
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName(instance);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setPollNameServerInterval(1_000);
        consumer.subscribe(topic, "TagA || TagB || TagC");
        AllocateMessageQueueStrategy averagely = new AllocateMessageQueueAveragely();
        consumer.setAllocateMessageQueueStrategy(new AllocateMessageQueueStrategy() {
            private boolean told;

            @Override public synchronized List<MessageQueue> allocate(String group, String id, List<MessageQueue> all, List<String> members) {
                List<MessageQueue> mine = averagely.allocate(group, id, all, members);
                if (members.size() == 2 && mine.size() == 1 && !told) {
                    told = true;
                    shared.countDown();
                }
                return mine;
            }

            @Override public String getName() {
                return averagely.getName();
            }
        });
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            boolean refuse = messages.get(0).getReconsumeTimes() == 0 && "TagA".equals(messages.get(0).getTags());
            if (messages.get(0).getReconsumeTimes() > 0) retried.countDown();
            received.countDown();
            context.setDelayLevelWhenNextConsume(1);
            return refuse ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        return consumer;
    }

    private void orderly() throws Exception {
        CountDownLatch received = new CountDownLatch(1);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("tour_orderly_" + suffix);
        consumer.setNamesrvAddr(namesrv);
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName("tour-orderly");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            received.countDown();
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        try {
            await("orderly member receives", received);
        } finally {
            consumer.shutdown();
        }
    }

    private void look(DefaultMQAdminExt admin, String offsetMsgId) throws Exception {
        String group = "tour_push_" + suffix;
        MessageQueue queue = new MessageQueue(topic, admin.examineTopicRouteInfo(topic).getQueueDatas().get(0).getBrokerName(), 0);
        step("route", () -> admin.examineTopicRouteInfo(topic));
        refused("route of a topic that is not there", () -> admin.examineTopicRouteInfo("NoSuchTopic"));
        step("cluster", admin::examineBrokerClusterInfo);
        step("topics of the name server", admin::fetchAllTopicList);
        step("topics of the broker", () -> admin.getAllTopicConfig(broker, 10_000));
        step("topic config", () -> admin.examineTopicConfig(broker, topic));
        step("runtime info", () -> admin.fetchBrokerRuntimeStats(broker));
        step("topic stats", () -> admin.examineTopicStats(topic));
        step("update offset, answered", () -> {
            admin.updateConsumeOffset(broker, group, queue, 3);
            return null;
        });
        step("subscription groups", () -> admin.getAllSubscriptionGroup(broker, 10_000));
        step("consume stats", () -> admin.examineConsumeStats(group));
        refused("connections of a group that is not there", () -> admin.examineConsumerConnectionInfo("no_such_group"));
        refused("connections of a producer group that is not there", () -> admin.examineProducerConnectionInfo("no_such_group", topic));
        step("view by id", () -> admin.viewMessage(topic, offsetMsgId));
        step("query by key", () -> admin.queryMessage(topic, "key-2", 8, 0, Long.MAX_VALUE));
        step("broker config", () -> admin.getBrokerConfig(broker));
        step("reset offset", () -> admin.resetOffsetByTimestamp(topic, group, 0, true));
    }

    /** Sends messages of every shape a CommitLog record takes. */
    private void shapes() throws Exception {
        byte[] body = "golden body".getBytes(StandardCharsets.UTF_8);
        for (String compression : List.of("ZLIB", "LZ4", "ZSTD")) {
            System.setProperty("rocketmq.message.compressType", compression);
            DefaultMQProducer producer = new DefaultMQProducer("tour_producer_" + compression);
            producer.setNamesrvAddr(namesrv);
            producer.setClientIP("127.0.0.1");
            producer.setInstanceName("tour-producer-" + compression);
            producer.setDefaultTopicQueueNums(1);
            producer.setCompressMsgBodyOverHowmuch(200);
            producer.start();
            try {
                if (compression.equals("ZLIB")) {
                    step("plain", () -> producer.send(new Message(topic, body)));
                    Message full = new Message(topic, "TagA", "key-1 key-2", body);
                    full.setFlag(7);
                    full.putUserProperty("colour", "gr\u00fcn");
                    step("tag and keys", () -> producer.send(full));
                    List<Message> batch = new ArrayList<>();
                    for (int i = 0; i < 2; i++) batch.add(new Message(topic, "TagB", "batch-" + i, ("entry " + i).getBytes(StandardCharsets.UTF_8)));
                    step("batch", () -> producer.send(batch));
                    Message delayed = new Message(topic, "TagD", "delayed", body);
                    delayed.setDelayTimeLevel(1);
                    step("delayed", () -> producer.send(delayed));
                }
                step("compressed " + compression, () -> producer.send(new Message(topic, "Tag" + compression, compression, Body.of(compression, 400))));
            } finally {
                producer.shutdown();
            }
        }
    }

    /** Receives them, refuses one and receives that again. */
    private void retry(String group) throws Exception {
        CountDownLatch received = new CountDownLatch(8);
        CountDownLatch retried = new CountDownLatch(1);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
        consumer.setNamesrvAddr(namesrv);
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName("tour-push");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setPollNameServerInterval(1_000);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            if (messages.get(0).getReconsumeTimes() > 0) retried.countDown();
            else received.countDown();
            context.setDelayLevelWhenNextConsume(1);
            boolean refuse = messages.get(0).getReconsumeTimes() == 0 && "TagA".equals(messages.get(0).getTags());
            return refuse ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        try {
            await("all received, the delayed one too", received);
            await("the refused one received again", retried);
        } finally {
            consumer.shutdown();
        }
    }

    private void await(String what, CountDownLatch latch) throws Exception {
        if (!latch.await(60, TimeUnit.SECONDS)) throw new IllegalStateException("timed out: " + what);
        line(what).print();
    }
}
