package interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingSerializable;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * The calls that the RocketMQ Dashboard makes of the official admin client, page by page, each answer as JSON: one line
 * per call with its `step` and `result`, or what it was `refused` with. `--namesrv --broker --topic --group --client
 * --unique --key --dead` (a group that has dead letters).
 */
final class Dashboard {
    private static final String MADE = "dashboard-made";
    private final Args args;
    private final String broker;
    private final String topic;
    private final String group;
    private final DefaultMQAdminExt admin = new DefaultMQAdminExt(10_000);

    private Dashboard(Args args) {
        this.args = args;
        broker = args.text("broker");
        topic = args.text("topic");
        group = args.text("group");
    }

    static int run(Args args) throws Exception {
        return new Dashboard(args).run();
    }

    private int run() throws Exception {
        admin.setNamesrvAddr(args.text("namesrv"));
        admin.setInstanceName(args.instance("dashboard"));
        admin.start();
        try {
            clusters();
            topics();
            groups();
            messages();
            deadLetters(args.text("dead"));
        } finally {
            Shutdown.of(admin::shutdown);
        }
        return 0;
    }

    private void clusters() {
        step("cluster list", admin::examineBrokerClusterInfo);
        step("NameServers", () -> admin.getNameServerAddressList().size());
        step("broker runtime", () -> new TreeMap<>(admin.fetchBrokerRuntimeStats(broker).getTable()).keySet());
        step("broker configuration", () -> admin.getBrokerConfig(broker).containsKey("brokerName"));
        for (String counter : new String[] {"TOPIC_PUT_NUMS", "GROUP_GET_NUMS"}) {
            String key = counter.startsWith("TOPIC") ? topic : topic + "@" + group;
            step("statistics " + counter, () -> admin.viewBrokerStatsData(broker, counter, key));
        }
        step("statistics of nobody", () -> admin.viewBrokerStatsData(broker, "TOPIC_PUT_NUMS", "nowhere"));
    }

    private void topics() {
        step("all topics", () -> sorted(admin.fetchAllTopicList().getTopicList()));
        step("topic statistics", () -> RemotingSerializable.toJson(admin.examineTopicStats(topic), false));
        step("topic route", () -> RemotingSerializable.toJson(admin.examineTopicRouteInfo(topic), false));
        step("topic configuration", () -> String.valueOf(admin.examineTopicConfig(broker, topic)));
        step("configuration of all topics", () -> {
            var all = admin.getAllTopicConfig(broker, 5_000).getTopicConfigTable();
            return all.containsKey(topic) + " " + all.get(topic);
        });
        step("topic's consumers", () -> sorted(admin.queryTopicConsumeByWho(topic).getGroupList()));
        step("topic made", () -> {
            admin.createAndUpdateTopicConfig(broker, new TopicConfig(MADE, 3, 3, 6));
            return String.valueOf(admin.examineTopicConfig(broker, MADE));
        });
        step("topic made, route", () -> admin.examineTopicRouteInfo(MADE).getQueueDatas().get(0).getWriteQueueNums());
        step("topic deleted", () -> {
            admin.deleteTopicInBroker(Collections.singleton(broker), MADE);
            admin.deleteTopicInNameServer(Collections.singleton(args.text("namesrv")), "DefaultCluster", MADE);
            return true;
        });
        step("topic deleted, route", () -> admin.examineTopicRouteInfo(MADE));
        step("statistics of no topic", () -> admin.examineTopicStats("nowhere"));
    }

    private void groups() {
        step("all groups", () -> admin.getAllSubscriptionGroup(broker, 5_000).getSubscriptionGroupTable().containsKey(group));
        step("group configuration", () -> String.valueOf(admin.examineSubscriptionGroupConfig(broker, group)));
        step("group progress", () -> RemotingSerializable.toJson(admin.examineConsumeStats(group), false));
        step("group progress in a topic", () -> RemotingSerializable.toJson(admin.examineConsumeStats(group, topic), false));
        step("group progress, lag", () -> admin.examineConsumeStats(group).computeTotalDiff());
        step("progress of nobody", () -> RemotingSerializable.toJson(admin.examineConsumeStats("nobody"), false));
        step("group connections", () -> RemotingSerializable.toJson(admin.examineConsumerConnectionInfo(group), false));
        step("connections of nobody", () -> admin.examineConsumerConnectionInfo("nobody"));
        step("producers", () -> RemotingSerializable.toJson(admin.examineProducerConnectionInfo("sweep-producer", topic), false));
        step("running info", () -> {
            var info = admin.getConsumerRunningInfo(group, args.text("client"), false);
            return info.getSubscriptionSet().size() + " " + info.getMqTable().size() + " " + info.getStatusTable().keySet();
        });
        step("running info with stacks", () -> admin.getConsumerRunningInfo(group, args.text("client"), true).getJstack() != null);
        step("running info of nobody", () -> admin.getConsumerRunningInfo(group, "nobody", false));
        step("time span", () -> admin.queryConsumeTimeSpan(topic, group).size());
        step("group made", () -> {
            var config = admin.examineSubscriptionGroupConfig(broker, group);
            config.setGroupName(MADE);
            config.setRetryMaxTimes(7);
            admin.createAndUpdateSubscriptionGroupConfig(broker, config);
            return String.valueOf(admin.examineSubscriptionGroupConfig(broker, MADE));
        });
        step("offsets reset", () -> admin.resetOffsetByTimestamp(topic, MADE, 0, true).size());
        step("offsets reset to the end", () -> admin.resetOffsetByTimestamp(topic, MADE, -1, true).size());
        step("offsets reset of no topic", () -> admin.resetOffsetByTimestamp("nowhere", MADE, 0, true));
        step("group deleted", () -> {
            admin.deleteSubscriptionGroup(broker, MADE, true);
            return String.valueOf(admin.examineSubscriptionGroupConfig(broker, MADE));
        });
    }

    private void messages() {
        step("message by unique id", () -> told(admin.viewMessage(topic, args.text("unique"))));
        step("message by key", () -> {
            List<MessageExt> found = admin.queryMessage(topic, args.text("key"), 64, 0, Long.MAX_VALUE).getMessageList();
            return found.size() + " " + told(found.get(0));
        });
        step("message by another key", () -> admin.queryMessage(topic, "nothing", 64, 0, Long.MAX_VALUE));
        step("message by an unknown id", () -> admin.viewMessage(topic, "7F00000100002A9F0000000000ABCDEF"));
        step("message's consumers", () -> String.valueOf(admin.messageTrackDetail(admin.viewMessage(topic, args.text("unique")))));
        step("message consumed directly", () ->
            admin.consumeMessageDirectly(group, args.text("client"), topic, args.text("unique")).getConsumeResult());
        step("traces", () -> admin.queryMessage("RMQ_SYS_TRACE_TOPIC", args.text("unique"), 64, 0, Long.MAX_VALUE));
    }

    /** As the page of dead letters reads them: with a pull consumer of the tools' group. */
    private void deadLetters(String dead) throws Exception {
        String letters = MixAll.DLQ_GROUP_TOPIC_PREFIX + dead;
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(MixAll.TOOLS_CONSUMER_GROUP);
        consumer.setNamesrvAddr(args.text("namesrv"));
        consumer.setInstanceName(args.instance("dashboard-dlq"));
        consumer.start();
        try {
            step("dead letters, route", () -> RemotingSerializable.toJson(admin.examineTopicRouteInfo(letters), false));
            step("dead letters", () -> {
                List<String> found = new ArrayList<>();
                for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(letters)) {
                    long from = consumer.searchOffset(queue, 0);
                    var pulled = consumer.pull(queue, "*", from, 32);
                    found.add(pulled.getPullStatus() + " " + pulled.getMinOffset() + " " + pulled.getMaxOffset());
                    for (MessageExt message : pulled.getMsgFoundList()) found.add(told(message));
                }
                return found;
            });
        } finally {
            Shutdown.of(consumer::shutdown);
        }
    }

    private static String told(MessageExt message) {
        return message.getTopic() + " " + message.getQueueId() + " " + message.getQueueOffset() + " " + message.getTags()
            + " " + message.getKeys() + " " + message.getReconsumeTimes() + " " + new String(message.getBody()).length()
            + " " + message.getProperty("RETRY_TOPIC");
    }

    private static List<String> sorted(Iterable<String> names) {
        List<String> all = new ArrayList<>();
        names.forEach(all::add);
        Collections.sort(all);
        return all;
    }

    private void step(String name, Callable<Object> call) {
        Line line = args.line().put("step", name);
        try {
            Object result = call.call();
            line.put("result", result instanceof RemotingSerializable ? RemotingSerializable.toJson(result, false) : String.valueOf(result));
        } catch (Throwable refused) {
            line.put("refused", String.valueOf(refused.getMessage()));
        }
        line.print();
    }
}
