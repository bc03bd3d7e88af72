/**
 * One iteration over a topic: its queues' readers on one side, whoever takes messages on the other, a bounded
 * buffer between them.
 *
 *   open ──caller leaves, signal, shutdown, or all read──▶ done
 *      ╰──failure that is not retried──▶ failed (told once, then done)
 */
import type { TimerHandle } from "@orbitmq/host";
import type { MessageQueue, MessageRecord, SubscriptionData, TopicRouteData } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { queueKey, subscribeQueues } from "../../connection/topic-queues.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import type { OrbitError } from "../../errors/errors.ts";
import { Fifo } from "../../fifo.ts";
import type { Codec } from "../../message/codecs.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import { consumerDefaults } from "../consumer-options.ts";
import { decodeMessage, rawMessage, Undecodable } from "../listening/decode-message.ts";
import { subscriptionTo } from "../message-selector.ts";
import { maxOffset, offsetOf } from "../offsets/queue-offsets.ts";
import { QueueReader, type QueueReaderHost } from "./queue-reader.ts";
import { type ReadOptions, readerLimits } from "./reader-options.ts";

/** Routes of a followed topic are asked for again after the first, doubling up to the second. */
const ROUTE_MIN_MS = 1_000;
const ROUTE_MAX_MS = 30_000;

export class ReadSession implements QueueReaderHost {
  readonly instance: ClientInstance;
  readonly #topic: string;
  readonly #codec: Codec<unknown> | undefined;
  readonly #options: ReadOptions;
  readonly #subscription: SubscriptionData;
  readonly #onDone: (session: ReadSession) => void;
  readonly #readers = new Map<string, QueueReader>();
  readonly #buffer = new Fifo<{ queue: MessageQueue; record: MessageRecord }>();
  readonly #onAbort = () => this.close();
  #readersOpen = 0;
  /** Queues are being looked up; until then having no reader does not mean the end. */
  #opening = true;
  #absentFirst = false;
  #failure: OrbitError | undefined;
  #done = false;
  #wake: (() => void) | undefined;
  #timer: TimerHandle | undefined;

  /** Throws INVALID_ARGUMENT for a selector that selects nothing. */
  constructor(
    instance: ClientInstance,
    topic: string,
    codec: Codec<unknown> | undefined,
    options: ReadOptions,
    onDone: (session: ReadSession) => void,
  ) {
    this.instance = instance;
    this.#topic = topic;
    this.#codec = codec;
    this.#options = options;
    this.#onDone = onDone;
    this.#subscription = subscriptionTo(topic, options, instance.host.clock.wallMs());
  }

  open(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) this.close();
    else {
      signal?.addEventListener("abort", this.#onAbort, { once: true });
      this.instance.background(`read ${this.#topic}`, () =>
        this.#openQueues(consumerDefaults.routeRetryMinMs),
      );
    }
  }

  /** The next message; `undefined` when the iteration is over. Rejects once with what ended it. */
  async next(): Promise<ReceivedMessage<unknown> | undefined> {
    for (;;) {
      const item = this.#done ? undefined : this.#buffer.shift();
      if (item !== undefined) {
        if (this.#buffer.length === readerLimits.bufferedMax / 2) this.#resume();
        const message = await this.#decode(item.queue, item.record);
        if (message !== undefined) return message;
        continue;
      }
      if (this.#failure !== undefined) {
        const failure = this.#failure;
        this.#failure = undefined;
        throw failure;
      }
      if (this.#done || this.#allRead) {
        this.close();
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends the iteration; idempotent. */
  close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#timer?.cancel();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    for (const reader of this.#readers.values()) reader.stop();
    this.#buffer.clear();
    this.#onDone(this);
    this.#notify();
  }

  get hasRoom(): boolean {
    return this.#buffer.length < readerLimits.bufferedMax;
  }

  received(queue: MessageQueue, record: MessageRecord): void {
    this.#buffer.push({ queue, record });
    this.#notify();
  }

  ended(): void {
    this.#readersOpen -= 1;
    this.#notify();
  }

  failed(error: OrbitError, failures: number): boolean {
    if (error.code === "SHUT_DOWN") return false;
    if (this.#follows || failures < readerLimits.failuresMax) {
      const { logger } = this.instance;
      logger.warn({ topic: this.#topic, code: error.code }, `read ${this.#topic}: ${error.message}`);
      return true;
    }
    this.#fail(error);
    return false;
  }

  get #follows(): boolean {
    return this.#options.follow !== false;
  }

  get #allRead(): boolean {
    return !this.#follows && !this.#opening && this.#readersOpen === 0 && this.#buffer.length === 0;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #fail(error: OrbitError): void {
    this.#failure ??= error;
    this.close();
  }

  #resume(): void {
    for (const reader of this.#readers.values()) reader.resume();
  }

  async #decode(queue: MessageQueue, record: MessageRecord): Promise<ReceivedMessage<unknown> | undefined> {
    const decoded = await decodeMessage(record, queue, 0, this.#codec, this.instance.namespace);
    if (!(decoded instanceof Undecodable)) return decoded;
    try {
      if (this.#options.onUndecodable === undefined) throw decoded.error;
      this.#options.onUndecodable(decoded.error, rawMessage(record, queue, 0, this.instance.namespace));
      return undefined;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Finds the topic's queues and reads those not read yet. When following, again and again. */
  async #openQueues(againMs: number): Promise<void> {
    let nextMs = againMs;
    try {
      const route = await this.instance.routes.refresh(this.#topic);
      if (this.#done) return;
      if (route === undefined) {
        this.#absentFirst = true;
        nextMs = Math.min(againMs * 2, consumerDefaults.routeRetryMaxMs);
      } else {
        const all = await this.#readQueues(route);
        nextMs = all ? Math.min(Math.max(againMs * 2, ROUTE_MIN_MS), ROUTE_MAX_MS) : ROUTE_MIN_MS;
      }
    } catch (error) {
      const failure = fromUnknown(error);
      nextMs = ROUTE_MIN_MS;
      if (!this.failed(failure, this.#follows ? 1 : readerLimits.failuresMax)) return;
    }
    if (this.#done) return;
    this.#opening = false;
    this.#notify();
    if (!this.#follows) return;
    this.#timer = this.instance.host.timers.after(againMs, () => {
      this.instance.background(`read ${this.#topic}`, () => this.#openQueues(nextMs));
    });
  }

  /** Resolves to whether every queue is being read. Rejects, unless following, when one cannot be. */
  async #readQueues(route: TopicRouteData): Promise<boolean> {
    const fresh = subscribeQueues(this.#topic, route).filter((queue) => !this.#readers.has(queueKey(queue)));
    const from = this.#absentFirst ? "first" : (this.#options.from ?? "first");
    const opened = await Promise.all(
      fresh.map(async (queue) => {
        try {
          const end = this.#follows ? Number.POSITIVE_INFINITY : await maxOffset(this.instance, queue);
          return { queue, end, start: await offsetOf(this.instance, queue, from) };
        } catch (error) {
          if (!this.failed(fromUnknown(error), this.#follows ? 1 : readerLimits.failuresMax)) throw error;
          return undefined;
        }
      }),
    );
    for (const entry of opened) {
      if (entry === undefined || this.#done) continue;
      const reader = new QueueReader(this, entry.queue, this.#subscription, entry.start, entry.end);
      this.#readers.set(queueKey(entry.queue), reader);
      this.#readersOpen += 1;
      reader.resume();
    }
    return !opened.includes(undefined);
  }
}
