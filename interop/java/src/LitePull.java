package interop;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/** Receives `--count` messages with the official lite pull consumer, a line per message, commits and leaves the group. */
final class LitePull {
    private static final int POLL_MS = 1_000;

    private LitePull() {
    }

    static int run(Args args) throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(args.text("group"));
        consumer.setNamesrvAddr(args.text("namesrv"));
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName(args.instance("lite-consumer"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(args.text("topic"), args.text("tag", "*"));
        consumer.start();
        int received = 0;
        long idleSince = System.nanoTime();
        try {
            while (received < args.number("count", 1)) {
                List<MessageExt> messages = consumer.poll(POLL_MS);
                for (MessageExt message : messages) Body.received(args, message, false).put("accepted", true).print();
                received += messages.size();
                if (!messages.isEmpty()) idleSince = System.nanoTime();
                else if (System.nanoTime() - idleSince > args.number("idle-ms", 30_000) * 1_000_000L) return 1;
            }
            consumer.commitSync();
        } finally {
            Shutdown.of(consumer::shutdown);
        }
        return 0;
    }
}
