/**
 * What a producer tells of its messages (RocketMQ: SendMessageTraceHookImpl, EndTransactionTraceHookImpl,
 * DefaultRecallMessageTraceHook): every send a broker answered with a place for the message, every end of a transaction,
 * every recall. Nothing is told of what the broker wants untraced (TRACE_ON), of oneway sends, and of the trace topic.
 */
import { getProperty, MessageConst, MessageSysFlag } from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import type { Namespace } from "../names/namespace.ts";
import type { Attempt, AttemptEnd } from "../producer/attempt-watch.ts";
import type { EncodedMessage } from "../producer/encode-message.ts";
import { isStoredBadly } from "../producer/retry.ts";
import type { LocalTransactionState } from "../producer/transactions/local-transaction.ts";
import type { PubTrace, TraceMessageType } from "./trace-context.ts";
import type { TraceDispatcher } from "./trace-dispatcher.ts";
import { traceLimits } from "./trace-options.ts";

export interface PublishTraceOptions {
  /** As the application knows it. */
  readonly group: string;
  readonly namespace: Namespace;
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
}

export interface TracedTransactionEnd {
  /** As servers know it. */
  readonly topic: string;
  readonly msgId: string;
  readonly tag: string | undefined;
  readonly keys: string | undefined;
  readonly regionId: string | undefined;
  readonly brokerAddress: string;
  readonly transactionId: string | undefined;
  readonly state: LocalTransactionState;
  readonly fromTransactionCheck: boolean;
}

/** What differs between the messages of a batch. */
interface OneOfMany {
  readonly msgId: string;
  readonly properties: string;
  readonly body: Uint8Array;
}

const DELAYS = [
  MessageConst.DELAY_TIME_LEVEL,
  MessageConst.TIMER_DELAY_MS,
  MessageConst.TIMER_DELAY_SEC,
  MessageConst.TIMER_DELIVER_MS,
];

export class PublishTrace {
  readonly #dispatcher: TraceDispatcher;
  readonly #options: PublishTraceOptions;

  constructor(dispatcher: TraceDispatcher, options: PublishTraceOptions) {
    this.#dispatcher = dispatcher;
    this.#options = options;
  }

  get dropped(): number {
    return this.#dispatcher.dropped;
  }

  attemptEnded(attempt: Attempt, { result, error }: AttemptEnd): void {
    const { encoded, address, toldMs } = attempt;
    if (encoded.topic === this.#dispatcher.topic) return;
    const stored = result !== undefined || isStoredBadly(error?.responseCode ?? -1);
    if (!stored || result?.traceOn === false) return;
    const { group, namespace, wallMs, monotonicMs } = this.#options;
    const costMs = Math.max(Math.round(monotonicMs() - toldMs), 0);
    const topic = namespace.unwrap(encoded.topic);
    const offsetIds = result?.offsetMsgId.split(",") ?? [];
    const traced = (one: OneOfMany, i: number): PubTrace => ({
      type: "Pub",
      timeMs: Math.floor(wallMs()) - costMs,
      regionId: result?.region ?? traceLimits.regionId,
      group,
      topic,
      msgId: one.msgId,
      tag: getProperty(one.properties, MessageConst.TAGS),
      keys: getProperty(one.properties, MessageConst.KEYS),
      storeHost: address,
      bodyLength: one.body.length,
      costMs,
      messageType: typeOf(encoded),
      offsetMsgId: offsetIds[i] ?? offsetIds[0],
      success: result !== undefined,
    });
    const wanted = (encoded.entries ?? [encoded])
      .map(traced)
      .filter((_, i) => wantsTrace((encoded.entries ?? [encoded])[i]!));
    if (wanted.length > 0) this.#dispatcher.append(topic, wanted);
  }

  transactionEnded(end: TracedTransactionEnd): void {
    const { regionId = traceLimits.regionId, brokerAddress: storeHost, topic: wrapped, ...rest } = end;
    const { group, namespace, wallMs } = this.#options;
    const topic = namespace.unwrap(wrapped);
    const timeMs = Math.floor(wallMs());
    const messageType = "Trans_msg_Commit";
    this.#dispatcher.append(topic, [
      { ...rest, type: "EndTransaction", timeMs, regionId, group, topic, storeHost, messageType },
    ]);
  }

  /** Tells how a recall ends, if a broker says so. `topic`: as the application knows it. */
  watchRecall(topic: string, msgId: string, recall: Promise<{ readonly region: string | undefined }>): void {
    recall.then(
      ({ region }) => this.#recalled(topic, msgId, true, region),
      // Its failure is the caller's to see.
      (error: unknown) => {
        if (fromUnknown(error).responseCode !== undefined) this.#recalled(topic, msgId, false, undefined);
      },
    );
  }

  /** Sends what waits within `timeoutMs`. */
  close(timeoutMs: number): Promise<void> {
    return this.#dispatcher.close(timeoutMs);
  }

  #recalled(topic: string, msgId: string, success: boolean, region: string | undefined): void {
    const { group, wallMs } = this.#options;
    const regionId = region ?? traceLimits.regionId;
    const timeMs = Math.floor(wallMs());
    this.#dispatcher.append(topic, [{ type: "Recall", timeMs, regionId, group, topic, msgId, success }]);
  }
}

/** The application may say of one message that it is not to be traced. */
function wantsTrace({ properties }: OneOfMany): boolean {
  return getProperty(properties, MessageConst.TRACE_SWITCH) !== "false";
}

function typeOf({ sysFlag, properties, isBatch }: EncodedMessage): TraceMessageType {
  if ((sysFlag & MessageSysFlag.TRANSACTION_PREPARED_TYPE) !== 0) return "Trans_Msg_Half";
  if (isBatch) return "Normal_Msg";
  return DELAYS.some((name) => getProperty(properties, name) !== undefined) ? "Delay_Msg" : "Normal_Msg";
}
