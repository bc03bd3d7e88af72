package bench;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/**
 * Reads a topic from its beginning with the official push consumer, as RocketMQ's benchmark.Consumer does but for an
 * exact number of messages: `CatchUp NAMESRV TOPIC GROUP MESSAGES`. Prints a line of JSON at the first message and one
 * when all have come.
 */
public final class CatchUp {
    public static void main(String[] args) throws Exception {
        long messages = Long.parseLong(args[3]);
        AtomicLong consumed = new AtomicLong();
        CountDownLatch done = new CountDownLatch(1);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        consumer.setInstanceName("catch-up-" + ProcessHandle.current().pid());
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeMessageBatchMaxSize(32);
        consumer.subscribe(args[1], "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            long before = consumed.getAndAdd(batch.size());
            if (before == 0) System.out.println("{\"at\":\"begin\"}");
            if (before < messages && before + batch.size() >= messages) {
                System.out.println("{\"at\":\"end\",\"messages\":" + (before + batch.size()) + "}");
                done.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        done.await();
        System.exit(0);
    }
}
