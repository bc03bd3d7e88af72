/**
 * Requests that wait for the reply to them (RocketMQ: RequestFutureHolder). A reply finds its request by
 * CORRELATION_ID; the broker pushes it (326) over any connection this client has.
 *
 *   waiting ──reply──▶ answered
 *      ╰──time over, send failed, aborted, shut down──▶ failed
 *
 * A reply that nobody waits for (any more) is acknowledged and forgotten, as RocketMQ does.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import {
  decompressBody,
  type Exchange,
  loadBodyCodec,
  MessageConst,
  parseProperties,
  type RemotingCommand,
  type ReplyMessageRequestHeader,
  ResponseCode,
  replyMessageRequestHeader,
} from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import { MessageBody } from "../message/message-body.ts";
import { type MessageMetadata, ReceivedMessage } from "../message/received-message.ts";

interface Waiting {
  readonly resolve: (reply: ReceivedMessage) => void;
  readonly reject: (error: OrbitError) => void;
  readonly timer: TimerHandle;
}

export class Requests {
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, Waiting>();

  constructor(host: { readonly timers: Timers; readonly clock: Clock }, logger: Logger) {
    this.#timers = host.timers;
    this.#clock = host.clock;
    this.#logger = logger;
  }

  /** The reply to the request of this id; rejects with TIMEOUT after `timeoutMs`, or as {@link fail} says. */
  wait(correlationId: string, timeoutMs: number): Promise<ReceivedMessage> {
    return new Promise((resolve, reject) => {
      const timer = this.#timers.after(timeoutMs, () => {
        const message = `no reply arrived within ${timeoutMs} ms`;
        this.fail(correlationId, new OrbitError("TIMEOUT", message, { outcome: "unknown" }));
      });
      this.#waiting.set(correlationId, { resolve, reject, timer });
    });
  }

  /** Does nothing when the request is over. */
  fail(correlationId: string, error: OrbitError): void {
    this.#take(correlationId)?.reject(error);
  }

  close(): void {
    for (const id of [...this.#waiting.keys()]) {
      const message = "the producer was shut down before the reply arrived";
      this.fail(id, new OrbitError("SHUT_DOWN", message, { outcome: "unknown" }));
    }
  }

  /** Handles PUSH_REPLY_MESSAGE_TO_CLIENT. */
  pushed(request: RemotingCommand, exchange: Exchange): void {
    const header = replyMessageRequestHeader.decode(request.ext);
    const properties = parseProperties(header.properties ?? "");
    const id = properties.get(MessageConst.CORRELATION_ID) ?? "";
    const waiting = this.#take(id);
    if (waiting === undefined) this.#logger.warn({ correlationId: id }, "a reply nobody waits for");
    else {
      const body = Uint8Array.from(request.body);
      readReplyBody(header.sysFlag, body).then(
        (bytes) => waiting.resolve(this.#received(header, properties, MessageBody.over(bytes))),
        (cause: unknown) =>
          waiting.reject(new OrbitError("BODY_UNREADABLE", fromUnknown(cause).message, { cause })),
      );
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  }

  #take(correlationId: string): Waiting | undefined {
    const waiting = this.#waiting.get(correlationId);
    this.#waiting.delete(correlationId);
    waiting?.timer.cancel();
    return waiting;
  }

  /** It may be in no queue: what says where it is stored is empty. */
  #received(
    header: ReplyMessageRequestHeader,
    properties: Map<string, string>,
    body: MessageBody,
  ): ReceivedMessage {
    properties.set(MessageConst.REPLY_MESSAGE_ARRIVE_TIME, String(this.#clock.wallMs()));
    const { topic, queueId, flag, sysFlag, bornTimestamp, storeTimestamp, bornHost, storeHost } = header;
    const metadata: MessageMetadata = {
      topic,
      queue: { topic, brokerName: "", queueId },
      queueOffset: 0,
      physicalOffset: 0,
      msgId: properties.get(MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) ?? "",
      offsetMsgId: "",
      tag: properties.get(MessageConst.TAGS),
      keys: (properties.get(MessageConst.KEYS) ?? "").split(" ").filter((key) => key !== ""),
      properties: Object.fromEntries(properties),
      flag,
      sysFlag,
      bornTimestamp,
      storeTimestamp,
      bornHost,
      storeHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      storeSize: 0,
    };
    return new ReceivedMessage(metadata, body, body);
  }
}

async function readReplyBody(sysFlag: number, body: Uint8Array): Promise<Uint8Array> {
  await loadBodyCodec(sysFlag);
  return decompressBody(body, sysFlag);
}
