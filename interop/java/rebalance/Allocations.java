import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMachineRoomNearby;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragelyByCircle;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByConfig;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByMachineRoom;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueConsistentHash;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Says how the official client divides queues. A line of stdin is `strategy  clientId  clientIds  queues  configured`,
 * separated by tabs; lists are joined by commas, a queue is `topic:broker:id`, `configured` are queues or rooms. A line
 * of stdout is the client's queues, in its order. Rooms of NEARBY are what stands before the first `@`.
 */
public final class Allocations {
    private Allocations() {
    }

    public static void main(String[] argv) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false);
        for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(line.split("\t", -1)));
        out.flush();
    }

    private static String answer(String[] words) {
        List<MessageQueue> all = queues(words[3]);
        List<MessageQueue> mine = strategy(words[0], words[4]).allocate("group", words[1], all, texts(words[2]));
        return mine.stream().map(queue -> queue.getTopic() + ":" + queue.getBrokerName() + ":" + queue.getQueueId())
            .collect(Collectors.joining(","));
    }

    private static AllocateMessageQueueStrategy strategy(String name, String configured) {
        switch (name) {
            case "AVG": return new AllocateMessageQueueAveragely();
            case "AVG_BY_CIRCLE": return new AllocateMessageQueueAveragelyByCircle();
            case "CONSISTENT_HASH": return new AllocateMessageQueueConsistentHash();
            case "CONFIG": {
                AllocateMessageQueueByConfig byConfig = new AllocateMessageQueueByConfig();
                byConfig.setMessageQueueList(queues(configured));
                return byConfig;
            }
            case "MACHINE_ROOM": {
                AllocateMessageQueueByMachineRoom byRoom = new AllocateMessageQueueByMachineRoom();
                byRoom.setConsumeridcs(new HashSet<>(texts(configured)));
                return byRoom;
            }
            default: return new AllocateMachineRoomNearby(strategy(name.substring("MACHINE_ROOM_NEARBY-".length()), ""),
                new AllocateMachineRoomNearby.MachineRoomResolver() {
                    @Override public String brokerDeployIn(MessageQueue queue) {
                        return queue.getBrokerName().split("@")[0];
                    }

                    @Override public String consumerDeployIn(String clientId) {
                        return clientId.split("@")[0];
                    }
                });
        }
    }

    private static List<String> texts(String word) {
        return word.isEmpty() ? new ArrayList<>() : Arrays.asList(word.split(","));
    }

    private static List<MessageQueue> queues(String word) {
        return texts(word).stream().map(text -> text.split(":"))
            .map(parts -> new MessageQueue(parts[0], parts[1], Integer.parseInt(parts[2]))).collect(Collectors.toList());
    }
}
