/**
 * Reads one queue from an offset on, without a group: the pull carries its own subscription and commits nothing.
 * Pulls while its reader has room; ends at `endOffset`, when there is one.
 */
import type { TimerHandle } from "@orbitmq/host";
import {
  type MessageQueue,
  type MessageRecord,
  matchesTag,
  PullSysFlag,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  type SubscriptionData,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromResponse, fromUnknown, fromWireError } from "../../errors/error-from.ts";
import type { OrbitError } from "../../errors/errors.ts";
import { consumerDefaults } from "../consumer-options.ts";
import { PullPace } from "../queue/pull-pace.ts";
import { copyRecords, tagOf } from "../queue/pulled-record.ts";
import { readerLimits } from "./reader-options.ts";

export interface QueueReaderHost {
  readonly instance: ClientInstance;
  /** False: {@link QueueReader.resume} is called when there is room. */
  readonly hasRoom: boolean;
  received(queue: MessageQueue, record: MessageRecord): void;
  ended(): void;
  /** `failures` in a row. True: try again. */
  failed(error: OrbitError, failures: number): boolean;
}

export class QueueReader {
  readonly queue: MessageQueue;
  readonly #host: QueueReaderHost;
  readonly #subscription: SubscriptionData;
  readonly #endOffset: number;
  readonly #pace: PullPace;
  #offset: number;
  #state: "pulling" | "pausing" | "waiting" | "ended" = "waiting";
  #timer: TimerHandle | undefined;

  /** `endOffset` Infinity: never ends. */
  constructor(
    host: QueueReaderHost,
    queue: MessageQueue,
    subscription: SubscriptionData,
    offset: number,
    endOffset: number,
  ) {
    this.#host = host;
    this.queue = queue;
    this.#subscription = subscription;
    this.#offset = offset;
    this.#endOffset = endOffset;
    this.#pace = new PullPace(host.instance.host.clock);
  }

  /** Begins, and goes on when there was no room. */
  resume(): void {
    if (this.#state === "waiting") this.#pull();
  }

  stop(): void {
    this.#state = "ended";
    this.#timer?.cancel();
  }

  #pull(): void {
    if (this.#state === "ended") return;
    if (this.#offset >= this.#endOffset) {
      this.#state = "ended";
      this.#host.ended();
      return;
    }
    if (!this.#host.hasRoom) {
      this.#state = "waiting";
      return;
    }
    const { instance } = this.#host;
    const { topic, brokerName, queueId } = this.queue;
    const broker = instance.routes.addressOf(brokerName, 0);
    if (broker === undefined) {
      instance.routes.refreshInBackground(topic);
      this.#pauseFor(this.#pace.afterFailure());
      return;
    }
    const { suspendTimeoutMs, pullTimeoutMs, pullBytesMax } = consumerDefaults;
    const header = {
      consumerGroup: readerLimits.group,
      topic,
      queueId,
      queueOffset: this.#offset,
      maxMsgNums: readerLimits.pullBatchSize,
      sysFlag: PullSysFlag.SUSPEND | PullSysFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: suspendTimeoutMs,
      subscription: this.#subscription.subString,
      subVersion: this.#subscription.subVersion,
      expressionType: this.#subscription.expressionType,
      maxMsgBytes: pullBytesMax,
    };
    this.#state = "pulling";
    this.#pace.asked();
    instance.rpc.request(
      broker.address,
      {
        code: RequestCode.PULL_MESSAGE,
        header: (sink) => pullMessageRequestHeader.encode(header, sink),
      },
      pullTimeoutMs,
      (error, response) => {
        if (this.#state === "ended") return;
        if (response === undefined) {
          instance.routes.refreshInBackground(topic);
          this.#failed(fromWireError(error!, brokerName));
          return;
        }
        try {
          this.#read(response);
        } catch (thrown) {
          this.#failed(fromUnknown(thrown, brokerName));
        }
      },
    );
  }

  /** Throws OrbitError or WireError when the response is a failure or malformed. */
  #read(response: RemotingCommand): void {
    const before = this.#offset;
    switch (response.code) {
      case ResponseCode.SUCCESS:
        for (const record of copyRecords(response.body)) {
          if (record.queueOffset < this.#offset || record.queueOffset >= this.#endOffset) continue;
          this.#offset = record.queueOffset + 1;
          if (matchesTag(this.#subscription, tagOf(record))) this.#host.received(this.queue, record);
        }
        break;
      case ResponseCode.PULL_NOT_FOUND:
      case ResponseCode.PULL_RETRY_IMMEDIATELY:
      case ResponseCode.PULL_OFFSET_MOVED:
        break;
      case ResponseCode.FLOW_CONTROL:
        this.#pauseFor(consumerDefaults.flowControlDelayMs);
        return;
      default:
        throw fromResponse(response.code, response.remark, this.queue.brokerName);
    }
    const { nextBeginOffset } = pullMessageResponseHeader.decode(response.ext);
    const moved = response.code === ResponseCode.PULL_OFFSET_MOVED;
    this.#offset = moved ? nextBeginOffset : Math.max(this.#offset, nextBeginOffset);
    const progressed = this.#offset !== before;
    const pauseMs = progressed ? this.#pace.afterMessages() : this.#pace.afterNothing(false);
    if (pauseMs > 0) this.#pauseFor(pauseMs);
    else this.#pull();
  }

  #pauseFor(delayMs: number): void {
    this.#state = "pausing";
    this.#timer = this.#host.instance.host.timers.after(delayMs, () => this.#pull());
  }

  #failed(error: OrbitError): void {
    const pauseMs = this.#pace.afterFailure();
    if (this.#host.failed(error, this.#pace.failures)) this.#pauseFor(pauseMs);
    else this.stop();
  }
}
