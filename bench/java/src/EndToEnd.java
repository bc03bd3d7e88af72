package bench;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;

/**
 * From the call of send to the listener, in one process of the official client and so on one clock:
 * `EndToEnd NAMESRV TOPIC GROUP PER_SECOND WARM_UP_SECONDS SECONDS BODY_BYTES`. Messages are sent asynchronously, at
 * times that do not wait for anything. Prints a line of JSON when it begins to count, and one with the percentiles,
 * in microseconds, when every message counted has come.
 */
public final class EndToEnd {
    private static final int HEAD_BYTES = 12;

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int perSecond = Integer.parseInt(args[3]);
        int warmUp = Integer.parseInt(args[4]) * perSecond;
        int counted = Integer.parseInt(args[5]) * perSecond;
        byte[] filler = new byte[Math.max(HEAD_BYTES, Integer.parseInt(args[6]))];
        long[] latencies = new long[counted];
        AtomicInteger arrived = new AtomicInteger();
        AtomicInteger again = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();

        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        consumer.setInstanceName("end-to-end-consumer");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            long now = System.nanoTime();
            batch.forEach(message -> {
                ByteBuffer body = ByteBuffer.wrap(message.getBody());
                int number = body.getInt() - warmUp;
                if (number < 0) return;
                synchronized (latencies) {
                    if (latencies[number] == 0) {
                        latencies[number] = now - body.getLong();
                        arrived.incrementAndGet();
                    } else again.incrementAndGet();
                }
            });
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();

        DefaultMQProducer producer = new DefaultMQProducer("end_to_end_producer");
        producer.setNamesrvAddr(args[0]);
        producer.setInstanceName("end-to-end-producer");
        producer.start();
        long every = TimeUnit.SECONDS.toNanos(1) / perSecond;
        long due = System.nanoTime();
        for (int number = 0; number < warmUp + counted; number++, due += every) {
            if (number == warmUp) System.out.println("{\"at\":\"begin\"}");
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) LockSupport.parkNanos(left);
            byte[] body = filler.clone();
            ByteBuffer.wrap(body).putInt(number).putLong(System.nanoTime());
            producer.send(new Message(topic, body), number < warmUp ? new Callback(null) : new Callback(failed));
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (arrived.get() + failed.get() < counted && System.nanoTime() < deadline) Thread.sleep(10);
        synchronized (latencies) {
            long[] sorted = Arrays.stream(latencies).filter(nanos -> nanos > 0).sorted().toArray();
            System.out.printf("{\"at\":\"end\",\"messages\":%d,\"lost\":%d,\"again\":%d,\"failed\":%d,"
                    + "\"p50Us\":%d,\"p99Us\":%d,\"p999Us\":%d}%n",
                sorted.length, Math.max(0, counted - sorted.length - failed.get()), again.get(), failed.get(),
                micros(sorted, 0.5), micros(sorted, 0.99), micros(sorted, 0.999));
        }
        System.exit(0);
    }

    /** A send that fails was refused, or its outcome is not known; it is not waited for. */
    private static final class Callback implements SendCallback {
        private final AtomicInteger failed;

        Callback(AtomicInteger failed) {
            this.failed = failed;
        }

        @Override
        public void onSuccess(SendResult result) {
        }

        @Override
        public void onException(Throwable error) {
            if (failed != null) failed.incrementAndGet();
        }
    }

    private static long micros(long[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[Math.min(sorted.length - 1, (int) Math.ceil(share * sorted.length) - 1)] / 1000;
    }
}
