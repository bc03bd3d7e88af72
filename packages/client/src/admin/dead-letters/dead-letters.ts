/**
 * Looks at the dead letters of consumer groups, sends them once more, or has them no longer listed. Works with brokers of
 * RocketMQ as with our own: all it needs are a topic of its own (ORBITMQ_DLQ_LEDGER, see ledger.ts) and queue locks.
 *
 * A redriven letter reaches every group of its topic, once, also when the work is broken off and done again; its message
 * keeps the unique id (see redriven-message.ts). A letter whose message was not acknowledged stays a dead letter.
 */
import type { Host } from "@orbitmq/host";
import type { UniqueIdGenerator } from "@orbitmq/wire";
import { ClientInstance } from "../../connection/client-instance.ts";
import { newUniqueIds } from "../../message/unique-id.ts";
import { checkGroup, checkTopicToSend, DLQ_PREFIX } from "../../names/names.ts";
import type { ClientOptions, ClientState } from "../../options/client-options.ts";
import { checkInteger } from "../../options/option-checks.ts";
import { InnerSender } from "../../producer/inner-sender.ts";
import { topicNames } from "../servers.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type {
  DeadLetterTopic,
  DeadLetterWorkOptions,
  DeadLetterWorkResult,
  ReadDeadLettersOptions,
  RedriveOptions,
} from "./dead-letter-options.ts";
import { DeadLetterWork } from "./dead-letter-work.ts";
import { lettersByBroker, walk } from "./group-letters.ts";
import { Ledger } from "./ledger.ts";
import { LedgerLog } from "./ledger-log.ts";
import { overviewOfTopic } from "./letter-overview.ts";
import { checkSelection, isSelected } from "./selection.ts";

const RATE_MAX = 1_000_000;
const PRODUCER_GROUP = "ORBITMQ_TOOLS";

export class DeadLetters {
  readonly #instance: ClientInstance;
  readonly #sender: InnerSender;
  readonly #ids: UniqueIdGenerator;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: ClientOptions = {}) {
    this.#instance = new ClientInstance(host, options);
    // A message whose answer was lost must not be sent twice.
    this.#sender = new InnerSender(this.#instance, { group: PRODUCER_GROUP, retryTimes: 0 });
    this.#ids = newUniqueIds(host);
  }

  get state(): ClientState {
    return this.#instance.state;
  }

  /** Resolves when a NameServer has answered; rejects with NAME_SERVER_UNREACHABLE after `startTimeoutMs`. */
  start(): Promise<void> {
    return this.#instance.start();
  }

  /** Every group that has had dead letters, by name. */
  async list(): Promise<DeadLetterTopic[]> {
    this.#instance.checkRunning();
    const topics = (await topicNames(this.#instance)).filter((topic) => topic.startsWith(DLQ_PREFIX)).sort();
    const ledgers = new Map<string, Promise<Map<string, Ledger>>>();
    const ledgersOf = (brokerName: string): Promise<Map<string, Ledger>> => {
      const known = ledgers.get(brokerName) ?? this.#ledgersOf(brokerName);
      ledgers.set(brokerName, known);
      return known;
    };
    const all: DeadLetterTopic[] = [];
    for (const topic of topics) {
      const overview = await overviewOfTopic(this.#instance, topic, ledgersOf);
      if (overview !== undefined) all.push(overview);
    }
    return all;
  }

  /**
   * A group's dead letters that the selection means, those of each queue from the oldest on. Rejects with
   * TOPIC_ROUTE_NOT_FOUND when the group never had any, with NO_PERMISSION when its topic cannot be read.
   */
  async *read(group: string, options: ReadDeadLettersOptions = {}): AsyncGenerator<DeadLetter> {
    const full = this.#check(group, options);
    let left = options.max ?? Number.POSITIVE_INFINITY;
    for (const [brokerName, queues] of await lettersByBroker(this.#instance, full)) {
      const ledger = (await this.#ledgersOf(brokerName, full)).get(full) ?? new Ledger();
      for (const queue of queues) {
        for await (const page of walk(this.#instance, full, queue, ledger)) {
          for (const { letter } of page) {
            if (left === 0) return;
            if (letter.state !== "dead" && options.all !== true) continue;
            if (!isSelected(letter, options)) continue;
            left -= 1;
            yield letter;
          }
        }
      }
    }
  }

  /**
   * Sends the selected letters to the topic each came from, or to `to`, and marks them. Letters that die again meanwhile
   * are left alone. Resolves also when some could not be sent: see the result. Rejects as {@link read}, and with
   * OVERLOADED when somebody else works on the same letters for longer than a minute.
   */
  async redrive(group: string, options: RedriveOptions = {}): Promise<DeadLetterWorkResult> {
    const full = this.#check(group, options);
    if (options.rate !== undefined) checkInteger(options, "rate", 1, 1, RATE_MAX);
    if (options.to !== undefined) checkTopicToSend(options.to);
    const to = options.to === undefined ? undefined : this.#instance.namespace.wrap(options.to);
    return new DeadLetterWork(this.#needs, full, { kind: "redrive", to }, options).run();
  }

  /**
   * Marks the selected letters as deleted: they are no longer listed, read or redriven here. No broker can take a single
   * message out of its log: until the log is cleaned a consumer of the dead-letter topic still gets them.
   */
  async delete(group: string, options: DeadLetterWorkOptions = {}): Promise<DeadLetterWorkResult> {
    const full = this.#check(group, options);
    return new DeadLetterWork(this.#needs, full, { kind: "delete" }, options).run();
  }

  /** Ends every connection; work that goes on rejects. Twice is once. Never rejects. */
  async shutdown(): Promise<void> {
    this.#instance.beginStop();
    this.#sender.close();
    await this.#instance.close(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  get #needs() {
    return { instance: this.#instance, sender: this.#sender, ids: this.#ids };
  }

  /** The group as servers know it. */
  #check(group: string, options: DeadLetterWorkOptions): string {
    this.#instance.checkRunning();
    checkGroup(group);
    checkSelection(options);
    return this.#instance.namespace.wrap(group);
  }

  async #ledgersOf(brokerName: string, group?: string): Promise<Map<string, Ledger>> {
    const log = new LedgerLog(this.#needs, brokerName);
    if (!(await log.exists())) return new Map();
    return group === undefined ? log.readAll() : new Map([[group, await log.read(group)]]);
  }
}
