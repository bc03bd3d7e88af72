/**
 * RECALL_MESSAGE (370): takes back a message that waits for its time, by the handle its sender was given. A message
 * that deletes it is stored for the same second; it is not delivered once this is answered 0.
 *
 *   16   recallMessageEnable is false
 *   14   the broker takes no messages from clients (unless allowRecallWhenBrokerNotWriteable), or the store none
 *   17   the topic does not exist
 *   604  no handle of this broker and topic, or its message is due
 *   1    it cannot be stored
 */
import type { Clock } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import {
  decodeRecallHandle,
  formatProperties,
  isWritable,
  MessageConst,
  type RecallHandle,
  Refusal,
  type RequestHandler,
  ResponseCode,
  recallMessageRequestHeader,
  recallMessageResponseHeader,
  WireError,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { AppendReply } from "../sending/append-reply.ts";
import { refusalCodes } from "../sending/refusals.ts";
import type { BrokerStats } from "../stats.ts";
import { timerOutOf } from "../timer/timed-message.ts";
import type { TimerRoom } from "../timer/timer-room.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface RecallMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly clock: Clock;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
  readonly timerRoom: TimerRoom;
}

/** RocketMQ's. */
const RECALL_TAG = "_RECALL_TAG_";
const BODY = Buffer.from("0");

export function recallMessage(needs: RecallMessageNeeds): RequestHandler {
  const { options, clock, store, topics, identity, stats, timerRoom } = needs;
  const recall: RequestHandler = (request, exchange) => {
    const header = recallMessageRequestHeader.decode(request.ext);
    const { topic } = header;
    if (!options.recallMessageEnable) {
      throw new Refusal(ResponseCode.NO_PERMISSION, "recall is off (recallMessageEnable)");
    }
    if (!isWritable(options.brokerPermission) && !options.allowRecallWhenBrokerNotWriteable) {
      throw new Refusal(ResponseCode.SERVICE_NOT_AVAILABLE, "the broker takes no messages now");
    }
    if (topics.get(topic) === undefined) {
      throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
    }
    const handle = handleOf(header.recallHandle);
    if (handle.topic !== topic || handle.brokerName !== options.brokerName) {
      throw notAllowed("the handle is one of another topic or broker");
    }
    const leftMs = handle.timestampMs - clock.wallMs();
    if (leftMs <= 0 || leftMs >= options.timerMaxDelaySec * 1_000) {
      throw notAllowed("the message is due, or no timed message");
    }
    if (timerRoom.isOver(timerOutOf(handle.timestampMs)))
      throw notAllowed("the message may have left already");
    const properties = formatProperties(
      new Map([
        [MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, handle.uniqKey],
        [MessageConst.TAGS, RECALL_TAG],
        [MessageConst.TIMER_DELIVER_MS, String(handle.timestampMs)],
        [MessageConst.TIMER_DEL_UNIQKEY, `${topic}+${handle.uniqKey}`],
      ]),
    );
    const outMs = timerRoom.slotOf(properties);
    if (outMs === undefined) throw notAllowed("the message is due");
    const deletion = {
      topic,
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: clock.wallMs(),
      bornHost: exchange.peer.addressBytes,
      storeHost: identity.storeHost,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: BODY,
      properties,
    };
    const placed = timerRoom.place(deletion, outMs);
    const durability = options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
    const reply = new AppendReply(exchange, topics, topic, (sink) =>
      recallMessageResponseHeader.encode({ msgId: handle.uniqKey, MSG_REGION: options.regionId }, sink),
    );
    const result = store.append(placed.message, durability, reply);
    if (result.status === "refused") {
      stats.putFailed++;
      throw new Refusal(refusalCodes[result.reason], `the recall cannot be stored: ${result.remark}`);
    }
    timerRoom.stored(result.queueOffset);
    stats.put(1, result.byteCount, placed.message.topic);
  };
  // Clients trace what an answer with a region says, a refusal as well.
  return (request, exchange) => {
    try {
      recall(request, exchange);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { responseCode: code, message: remark } = error;
      exchange.reply({ code, remark, header: (sink) => sink.put("MSG_REGION", options.regionId) });
    }
  };
}

function handleOf(text: string): RecallHandle {
  try {
    return decodeRecallHandle(text);
  } catch (error) {
    if (error instanceof WireError) throw notAllowed("the handle is none");
    throw error;
  }
}

function notAllowed(why: string): Refusal {
  return new Refusal(ResponseCode.ILLEGAL_OPERATION, `the message cannot be taken back: ${why}`);
}
