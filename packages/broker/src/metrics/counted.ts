/**
 * What the broker counts for its metrics besides BrokerStats: plain numbers, by topic or by group and topic. Nothing
 * here knows a metric's name; broker-metrics reads it when somebody asks.
 */
import { Histogram } from "@orbitmq/host";

/** RocketMQ: TopicMessageType. */
export type MessageKind = "normal" | "fifo" | "delay" | "transaction";

/** Upper ends, bytes, seconds and ms (RocketMQ: BrokerMetricsManager, DefaultStoreMetricsManager). */
export const MESSAGE_SIZE_BOUNDS: readonly number[] = [
  1_024, 4_096, 524_288, 1_048_576, 2_097_152, 4_194_304,
];
export const FINISH_BOUNDS_S: readonly number[] = [5, 60, 600, 3_600, 43_200, 86_400];
export const DELAY_BOUNDS_S: readonly number[] = [60, 600, 3_600, 43_200, 86_400, 259_200];
export const CREATE_BOUNDS_MS: readonly number[] = [10, 100, 1_000, 3_000, 5_000];

/** Topics, or groups and topics, of one kind of counter; what comes beyond is counted together under "". */
const KEYS_MAX = 20_000;
/** No name contains it. */
const SEPARATOR = "@";

export class Incoming {
  messages = 0;
  bytes = 0;
  readonly sizes = new Histogram(MESSAGE_SIZE_BOUNDS);
}

export class TopicTransactions {
  commits = 0;
  rollbacks = 0;
  readonly finishS = new Histogram(FINISH_BOUNDS_S);
}

export class TopicTimers {
  enqueued = 0;
  dequeued = 0;
  readonly delayS = new Histogram(DELAY_BOUNDS_S);
}

/** Of one group and topic. */
export class GroupPops {
  checkPoints = 0;
  acknowledgements = 0;
  retries = 0;
}

/** Objects by key, made on first use. */
export class CountedBy<T> {
  readonly #byKey = new Map<string, T>();
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  of(key: string): T {
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    if (this.#byKey.size >= KEYS_MAX && key !== "") return this.of("");
    const made = this.#make();
    this.#byKey.set(key, made);
    return made;
  }

  entries(): Iterable<[string, T]> {
    return this.#byKey;
  }
}

export class Counted {
  readonly #incoming: Readonly<Record<MessageKind, CountedBy<Incoming>>> = {
    normal: new CountedBy(() => new Incoming()),
    fifo: new CountedBy(() => new Incoming()),
    delay: new CountedBy(() => new Incoming()),
    transaction: new CountedBy(() => new Incoming()),
  };
  /** The last entry used: sends of one topic come in rows. */
  #lastTopic = "";
  #lastKind: MessageKind = "normal";
  #lastIncoming: Incoming | undefined;
  readonly transactions = new CountedBy(() => new TopicTransactions());
  readonly timers = new CountedBy(() => new TopicTimers());
  readonly #pops = new CountedBy(() => new GroupPops());
  /** By invocation status and whether the name is the system's: `success false`. */
  readonly topicCreations = new CountedBy(() => new Histogram(CREATE_BOUNDS_MS));
  /** By invocation status alone. */
  readonly groupCreations = new CountedBy(() => new Histogram(CREATE_BOUNDS_MS));
  /** Sends that wait to be as durable as they asked for. */
  sendsWaiting: () => number = () => 0;

  /** Messages of clients, and delayed ones that are delivered, were appended to `topic`. */
  incoming(topic: string, kind: MessageKind, messages: number, bytes: number): void {
    let incoming = this.#lastIncoming;
    if (incoming === undefined || this.#lastTopic !== topic || this.#lastKind !== kind) {
      incoming = this.#incoming[kind].of(topic);
      this.#lastTopic = topic;
      this.#lastKind = kind;
      this.#lastIncoming = incoming;
    }
    incoming.messages += messages;
    incoming.bytes += bytes;
    incoming.sizes.record(messages === 1 ? bytes : Math.floor(bytes / messages), messages);
  }

  *allIncoming(): Generator<[topic: string, kind: MessageKind, incoming: Incoming]> {
    for (const [kind, byTopic] of Object.entries(this.#incoming)) {
      for (const [topic, incoming] of byTopic.entries()) yield [topic, kind as MessageKind, incoming];
    }
  }

  pops(group: string, topic: string): GroupPops {
    return this.#pops.of(group + SEPARATOR + topic);
  }

  *allPops(): Generator<[group: string, topic: string, pops: GroupPops]> {
    for (const [key, pops] of this.#pops.entries()) {
      const at = key.indexOf(SEPARATOR);
      yield [key.slice(0, Math.max(0, at)), key.slice(at + 1), pops];
    }
  }
}
