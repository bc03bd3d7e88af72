/**
 * Receives messages one by one from whatever queue has some, with POP: no queue belongs to anybody, brokers keep account
 * of each message (RocketMQ: SimpleConsumer). What is not acknowledged in its time comes again, to whoever asks.
 *
 *   receive ──▶ invisible to others ──ack──▶ done
 *                      │ ╰──changeInvisible──▶ invisible for that long from now
 *                      ╰──time over──▶ anybody's, with reconsumeTimes + 1
 */
import type { Host } from "@orbitmq/host";
import { ConsumeInitMode, type ConsumerData, matchesTag, type SubscriptionData } from "@orbitmq/wire";
import { ClientInstance } from "../connection/client-instance.ts";
import { subscribeQueues } from "../connection/topic-queues.ts";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { checkGroup, checkTopic } from "../names/names.ts";
import { type ClientState, SHUTDOWN_DEADLINE_MS, type ShutdownOptions } from "../options/client-options.ts";
import { checkDuration, checkInteger } from "../options/option-checks.ts";
import { ConsumeTelemetry } from "../telemetry/consume-telemetry.ts";
import { loadTelemetry, wantsTelemetry } from "../telemetry/load-telemetry.ts";
import { within } from "../within.ts";
import { consumerData } from "./consumer-data.ts";
import type { ListenOptions } from "./listener.ts";
import { decodeMessage, rawMessage, Undecodable } from "./listening/decode-message.ts";
import { newMessageFilter } from "./message-filter.ts";
import { subscriptionTo } from "./message-selector.ts";
import { type PopAnswer, PopRequests, type Receipt } from "./pop/pop-requests.ts";
import type { PoppedMessage } from "./pop/popped-message.ts";
import { tagOf } from "./queue/pulled-record.ts";
import {
  type ReceiveOptions,
  type SimpleConsumerOptions,
  simpleConsumerDefaults,
} from "./simple-consumer-options.ts";

const INT31_MAX = 2 ** 31 - 1;

/** Where one pop may go. */
interface Target {
  readonly data: SubscriptionData;
  readonly brokerName: string;
}

/** A `receive`, with what it was not told filled in. */
interface Asked {
  readonly messagesMax: number;
  readonly invisibleMs: number;
  readonly fifo: boolean;
  readonly attemptId: string | undefined;
}

export class SimpleConsumer {
  readonly #instance: ClientInstance;
  /** As servers know it. */
  readonly #group: string;
  readonly #from: "first" | "last";
  readonly #awaitMs: number;
  readonly #invisibleMs: number;
  readonly #requests: PopRequests;
  readonly #accepts: ReturnType<typeof newMessageFilter>;
  readonly #subscriptions = new Map<string, SubscriptionData>();
  readonly #receipts = new WeakMap<object, Receipt>();
  /** Ids of attempts in order whose answers were lost, by topic and broker. */
  readonly #lostAttempts = new Map<string, string>();
  #turn = 0;
  readonly #telemetryOption: SimpleConsumerOptions["telemetry"];
  #telemetry: ConsumeTelemetry | undefined;
  #shutdown: Promise<void> | undefined;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: SimpleConsumerOptions) {
    checkGroup(options.group);
    this.#telemetryOption = options.telemetry;
    this.#from = options.from ?? "last";
    if (this.#from !== "first" && this.#from !== "last") {
      throw new OrbitError("INVALID_ARGUMENT", 'from must be "first" or "last"');
    }
    this.#awaitMs = checkDuration(options, "awaitMs", simpleConsumerDefaults.receiveAwaitMs);
    this.#invisibleMs = checkDuration(options, "invisibleMs", simpleConsumerDefaults.receiveInvisibleMs);
    this.#instance = new ClientInstance(host, options, { consumers: () => [this.#consumerData()] });
    this.#group = this.#instance.namespace.wrap(options.group);
    this.#requests = new PopRequests(this.#instance, this.#group);
    this.#accepts = newMessageFilter(this.#instance, options.filterHooks ?? []);
  }

  get state(): ClientState {
    return this.#instance.state;
  }

  /** What `receive` asks for, before or after `start`; a second time for the same topic replaces the first. */
  subscribe(topic: string, options: ListenOptions = {}): void {
    const name = this.#instance.namespace.wrap(topic);
    checkTopic(name);
    this.#subscriptions.set(name, subscriptionTo(name, options, this.#instance.host.clock.wallMs()));
    this.#tellBrokers();
  }

  unsubscribe(topic: string): void {
    if (this.#subscriptions.delete(this.#instance.namespace.wrap(topic))) this.#tellBrokers();
  }

  /** Resolves when a NameServer has answered; rejects with NAME_SERVER_UNREACHABLE after `startTimeoutMs`. */
  start(): Promise<void> {
    return this.#instance.start(async () => {
      if (wantsTelemetry(this.#telemetryOption)) await this.#beginTelemetry();
      this.#tellBrokers();
    });
  }

  /**
   * Messages of the topics subscribed to; empty when none came within `awaitMs`. Rejects with NOT_RUNNING, SHUT_DOWN,
   * INVALID_ARGUMENT without a subscription, or what the last broker said when no other could be asked. A message whose
   * body cannot be read comes as it was stored.
   */
  async receive(options: ReceiveOptions = {}): Promise<ReceivedMessage[]> {
    this.#instance.checkRunning();
    const { host } = this.#instance;
    const awaitMs = checkInteger(options, "awaitMs", this.#awaitMs, 0, INT31_MAX);
    const asked: Asked = {
      messagesMax: checkInteger(options, "messagesMax", simpleConsumerDefaults.receiveMax, 1, 32),
      invisibleMs: checkDuration(options, "invisibleMs", this.#invisibleMs),
      fifo: options.fifo ?? false,
      attemptId: options.attemptId,
    };
    if (this.#subscriptions.size === 0)
      throw new OrbitError("INVALID_ARGUMENT", "subscribe to a topic first");
    const startedMs = host.clock.monotonicMs();
    const endMs = startedMs + awaitMs;
    const isOver = () => options.signal?.aborted === true || this.state !== "running";
    let failure: OrbitError | undefined;
    // First whoever has something at once, then the wait, broker by broker.
    for (let round = 0; !isOver(); round++) {
      const targets = await this.#targets();
      if (targets.length === 0)
        await this.#pause(Math.min(endMs - host.clock.monotonicMs(), simpleConsumerDefaults.turnMs));
      const isAlone = targets.length === 1;
      const count = round === 0 && !isAlone ? targets.length : Math.min(targets.length, 1);
      for (let i = 0; i < count && !isOver(); i++) {
        const leftMs = endMs - host.clock.monotonicMs();
        const waitMs = isAlone ? leftMs : round === 0 ? 0 : Math.min(leftMs, simpleConsumerDefaults.turnMs);
        const target = targets[this.#turn++ % targets.length]!;
        const answer = await this.#pop(target, asked, Math.max(Math.floor(waitMs), 0), options.signal);
        if (answer?.kind === "failed") {
          failure = answer.error;
          await this.#pause(Math.min(endMs - host.clock.monotonicMs(), simpleConsumerDefaults.turnMs));
        } else failure = undefined;
        const messages = answer?.kind === "found" ? await this.#received(answer.messages, target.data) : [];
        this.#telemetry?.handedOut("receive", messages, startedMs);
        if (messages.length > 0) return messages;
      }
      if (host.clock.monotonicMs() >= endMs && (round > 0 || isAlone || targets.length === 0)) break;
    }
    if (failure !== undefined && !isOver()) throw failure;
    return [];
  }

  /** It is consumed. Rejects when the broker does not take that, e.g. because its time was over; it comes again then. */
  ack(message: ReceivedMessage<unknown>): Promise<void> {
    const receipt = this.#receiptOf(message);
    return new Promise((resolve, reject) => {
      this.#requests.ack(receipt, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** It is visible to others `ms` from now, 10,000 or more: later for who needs longer, sooner for who gives up. */
  changeInvisible(message: ReceivedMessage<unknown>, ms: number): Promise<void> {
    const receipt = this.#receiptOf(message);
    checkDuration({ ms }, "ms", 0);
    return new Promise((resolve, reject) => {
      this.#requests.changeInvisible(receipt, ms, (error) =>
        error === undefined ? resolve() : reject(error),
      );
    });
  }

  /** Waits for acknowledgements on their way, unregisters. Twice is once. Never rejects. */
  shutdown({ deadlineMs = SHUTDOWN_DEADLINE_MS }: ShutdownOptions = {}): Promise<void> {
    this.#shutdown ??= this.#stop(deadlineMs);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#instance.beginStop();
    this.#requests.stop();
    await within(this.#instance.host.timers, deadlineMs * 0.8, [this.#requests.idle()]);
    await this.#instance.close(Math.min(deadlineMs * 0.2, this.#instance.requestTimeoutMs));
  }

  async #beginTelemetry(): Promise<void> {
    const { host, logger, namespace, clientId } = this.#instance;
    const telemetry = await loadTelemetry(this.#telemetryOption, logger);
    if (telemetry === undefined) return;
    const group = namespace.unwrap(this.#group);
    const identity = { group, clientId, namespace: namespace.name, messageModel: "CLUSTERING" } as const;
    this.#telemetry = new ConsumeTelemetry(telemetry, host, identity);
  }

  async #targets(): Promise<Target[]> {
    const targets: Target[] = [];
    for (const [topic, data] of this.#subscriptions) {
      const route = await this.#instance.route(topic);
      const queues = route === undefined ? [] : subscribeQueues(topic, route);
      for (const brokerName of new Set(queues.map((queue) => queue.brokerName)))
        targets.push({ data, brokerName });
    }
    return targets;
  }

  /** `undefined`: the caller no longer wants anything. */
  async #pop(
    { data, brokerName }: Target,
    { messagesMax, invisibleMs, fifo, attemptId }: Asked,
    pollTime: number,
    signal: AbortSignal | undefined,
  ): Promise<PopAnswer | undefined> {
    const { routes, heartbeats, host } = this.#instance;
    const address = routes.masterOf(brokerName);
    if (address === undefined) {
      const error = new OrbitError("BROKER_UNKNOWN", `no address of ${brokerName} is known`, {
        broker: brokerName,
      });
      return { kind: "failed", error };
    }
    await heartbeats.ensureKnown(address);
    const place = `${data.topic}@${brokerName}`;
    const lost = this.#lostAttempts.get(place);
    const attempt = fifo
      ? (attemptId ?? lost ?? Buffer.from(host.random.bytes(16)).toString("hex"))
      : undefined;
    const question = {
      topic: data.topic,
      queueId: -1,
      maxMsgNums: messagesMax,
      invisibleTime: invisibleMs,
      pollTime,
      initMode: this.#from === "first" ? ConsumeInitMode.MIN : ConsumeInitMode.MAX,
      expType: data.expressionType,
      exp: data.subString,
      order: fifo,
      attemptId: attempt,
    };
    return new Promise((resolve) => {
      const onAbort = () => resolve(undefined);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#requests.pop(address, brokerName, question, (answer) => {
        signal?.removeEventListener("abort", onAbort);
        if (attempt !== undefined) {
          if (answer.kind === "failed") this.#lostAttempts.set(place, attempt);
          else this.#lostAttempts.delete(place);
        }
        resolve(answer);
      });
    });
  }

  async #received(popped: readonly PoppedMessage[], data: SubscriptionData): Promise<ReceivedMessage[]> {
    const messages: ReceivedMessage[] = [];
    for (const { record, queue, handle } of popped) {
      const receipt: Receipt = { topic: data.topic, brokerName: queue.brokerName, handle };
      if (!matchesTag(data, tagOf(record)) || !this.#accepts(record, queue)) {
        this.#requests.ack(receipt, () => {});
        continue;
      }
      const { namespace } = this.#instance;
      const decoded = await decodeMessage(record, queue, 0, undefined, namespace);
      const message =
        decoded instanceof Undecodable
          ? rawMessage(record, queue, 0, namespace)
          : (decoded as ReceivedMessage);
      this.#receipts.set(message, receipt);
      messages.push(message);
    }
    return messages;
  }

  #receiptOf(message: ReceivedMessage<unknown>): Receipt {
    this.#instance.checkRunning();
    const receipt = this.#receipts.get(message);
    if (receipt !== undefined) return receipt;
    throw new OrbitError("INVALID_ARGUMENT", "the message was not received by this consumer");
  }

  #tellBrokers(): void {
    if (this.state === "new" || this.state === "stopping" || this.state === "stopped") return;
    this.#instance.background("heartbeat", () => this.#instance.heartbeats.beatAll());
  }

  #pause(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => this.#instance.host.timers.after(ms, resolve));
  }

  #consumerData(): ConsumerData {
    const identity = { group: this.#group, from: this.#from, messageModel: "CLUSTERING" } as const;
    return consumerData(identity, "CONSUME_POP", [...this.#subscriptions.values()]);
  }
}
