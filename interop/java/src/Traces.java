package interop;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.trace.TraceBean;
import org.apache.rocketmq.client.trace.TraceContext;
import org.apache.rocketmq.client.trace.TraceDataEncoder;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Consumes the trace topic and reads it as the official console does: a line for each context, and `unreadable` for a
 * message that its decoder fails on. Ends when it is told to.
 */
final class Traces {
    private Traces() {
    }

    static int run(Args args) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args.text("group", "interop_traces"));
        consumer.setNamesrvAddr(args.text("namesrv"));
        consumer.setClientIP("127.0.0.1");
        consumer.setInstanceName(args.instance("traces"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(args.text("topic", "RMQ_SYS_TRACE_TOPIC"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) tell(args, message);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        CountDownLatch stopped = new CountDownLatch(1);
        args.onStop(stopped::countDown);
        consumer.start();
        args.line().put("ready", true).print();
        stopped.await();
        Shutdown.of(consumer::shutdown);
        return 0;
    }

    private static void tell(Args args, MessageExt message) {
        List<TraceContext> contexts;
        try {
            contexts = TraceDataEncoder.decoderFromTraceDataString(new String(message.getBody(), StandardCharsets.UTF_8));
        } catch (RuntimeException problem) {
            args.line().put("unreadable", problem.toString()).print();
            return;
        }
        for (TraceContext context : contexts) {
            TraceBean bean = context.getTraceBeans().get(0);
            args.line().put("type", context.getTraceType()).put("group", context.getGroupName())
                .put("success", context.isSuccess()).put("contextCode", context.getContextCode())
                .put("msgId", bean.getMsgId()).put("tags", bean.getTags()).put("keys", bean.getKeys())
                .put("topic", bean.getTopic()).put("messageType", bean.getMsgType())
                .put("state", bean.getTransactionState()).put("retryTimes", bean.getRetryTimes())
                .put("traceKeys", message.getKeys()).print();
        }
    }
}
