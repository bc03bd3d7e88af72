package interop;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends transactional messages: `--outcome commit|rollback|unknown`. Unknown ones are committed when the broker checks
 * back (a `checked` line each); the program waits up to `--check-ms` for so many checks, or for `--checks` of them, whoever
 * of its group sent the message.
 */
final class Transact {
    private Transact() {
    }

    static int run(Args args) throws Exception {
        String outcome = args.text("outcome", "commit");
        int count = args.number("count", 1);
        CountDownLatch checks = new CountDownLatch(args.number("checks", outcome.equals("unknown") ? count : 0));
        args.onStop(() -> {
            while (checks.getCount() > 0) checks.countDown();
        });
        TransactionMQProducer producer = new TransactionMQProducer(null,
            args.text("group", "interop_transaction_producer"), null, args.has("trace"), null);
        producer.setNamesrvAddr(args.text("namesrv"));
        producer.setClientIP("127.0.0.1");
        producer.setInstanceName(args.instance("transaction-producer"));
        producer.setSendMsgTimeout(args.number("timeout-ms", 10_000));
        producer.setTransactionListener(new TransactionListener() {
            @Override public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                switch (outcome) {
                    case "commit": return LocalTransactionState.COMMIT_MESSAGE;
                    case "rollback": return LocalTransactionState.ROLLBACK_MESSAGE;
                    case "unknown": return LocalTransactionState.UNKNOW;
                    default: throw new IllegalArgumentException("--outcome commit|rollback|unknown, not " + outcome);
                }
            }

            @Override public LocalTransactionState checkLocalTransaction(MessageExt message) {
                try {
                    Body.received(args, message, false).put("checked", true).print();
                } catch (Exception problem) {
                    throw new IllegalStateException(problem);
                }
                checks.countDown();
                return LocalTransactionState.COMMIT_MESSAGE;
            }
        });
        producer.start();
        args.line().put("ready", true).put("clientId", producer.buildMQClientId()).print();
        boolean checked;
        try {
            for (int i = 0; i < count; i++) {
                Message message = Body.message(args, i);
                SendResult result = producer.sendMessageInTransaction(message, null);
                args.line().put("i", i).put("status", result.getSendStatus()).put("msgId", result.getMsgId())
                    .put("transactionId", result.getTransactionId()).put("queueOffset", result.getQueueOffset())
                    .put("bodySha256", Body.sha256(message.getBody())).print();
            }
            checked = checks.await(args.number("check-ms", 120_000), TimeUnit.MILLISECONDS);
            // END_TRANSACTION is oneway: an answer on the same connection shows that it left.
            for (var queue : producer.fetchPublishMessageQueues(args.text("topic"))) producer.maxOffset(queue);
        } finally {
            Shutdown.of(producer::shutdown);
        }
        args.line().put("end", true).put("sent", count).put("uncheckedTransactions", checks.getCount()).print();
        return checked ? 0 : 1;
    }
}
