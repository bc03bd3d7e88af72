package interop;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageExt;

/** What test messages hold, and how a received one is told: the body follows from key and size, so any process can check it. */
final class Body {
    private Body() {
    }

    /** `key` then the alphabet, over and over, cut at `size` bytes: compresses well and differs per key. */
    static byte[] of(String key, int size) {
        byte[] unit = (key + "|abcdefghijklmnopqrstuvwxyz|").getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[size];
        for (int i = 0; i < size; i++) body[i] = unit[i % unit.length];
        return body;
    }

    static String sha256(byte[] body) throws Exception {
        StringBuilder hex = new StringBuilder();
        for (byte b : MessageDigest.getInstance("SHA-256").digest(body)) hex.append(String.format("%02x", b));
        return hex.toString();
    }

    static Message message(Args args, int i) {
        String key = args.text("keys", "key-") + i;
        int size = args.number("size", 64);
        Message message = new Message(args.text("topic"), args.text("tag", ""), key, Body.of(key, size));
        if (args.has("delay-level")) message.setDelayTimeLevel(args.number("delay-level", 0));
        // The property that Message.setDelayTimeMs sets, which 4.9 does not have.
        if (args.has("delay-ms")) MessageAccessor.putProperty(message, "TIMER_DELAY_MS", args.text("delay-ms"));
        if (args.has("property")) {
            String[] pair = args.text("property").split("=", 2);
            message.putUserProperty(pair[0], pair[1]);
        }
        return message;
    }

    static Line received(Args args, MessageExt message, boolean base64) throws Exception {
        Line line = args.line()
            .put("topic", message.getTopic())
            .put("brokerName", message.getBrokerName())
            .put("queueId", message.getQueueId())
            .put("queueOffset", message.getQueueOffset())
            .put("commitLogOffset", message.getCommitLogOffset())
            .put("storeSize", message.getStoreSize())
            .put("msgId", message.getMsgId())
            .put("keys", message.getKeys())
            .put("tags", message.getTags())
            .put("flag", message.getFlag())
            .put("sysFlag", message.getSysFlag())
            .put("bodyCRC", message.getBodyCRC())
            .put("bornTimestamp", message.getBornTimestamp())
            .put("bornHost", String.valueOf(message.getBornHost()))
            .put("storeTimestamp", message.getStoreTimestamp())
            .put("storeHost", String.valueOf(message.getStoreHost()))
            .put("reconsumeTimes", message.getReconsumeTimes())
            .put("preparedTransactionOffset", message.getPreparedTransactionOffset())
            .put("properties", message.getProperties())
            .put("bodyBytes", message.getBody().length)
            .put("bodySha256", sha256(message.getBody()));
        return base64 ? line.put("bodyBase64", Base64.getEncoder().encodeToString(message.getBody())) : line;
    }
}
