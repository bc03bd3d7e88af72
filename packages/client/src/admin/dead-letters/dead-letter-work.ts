/**
 * Redrives or deletes a group's dead letters, broker by broker, under the group's lock there:
 *
 *   lock ─▶ ledger read to its end ─▶ page of letters ─▶ up to 32 selected ─▶ done, written into the ledger ─▶ …
 *
 * A redrive writes what it is about to send before it sends it (`intend`), and what was acknowledged after (`redriven`).
 * A run that breaks off leaves intended letters behind; the next one looks in their topics, by the unique id, and sends
 * only those that are not there. A letter is never marked before its message is acknowledged: at worst it stays.
 */
import { encodeOffsetMessageId, getProperty, MessageConst } from "@orbitmq/wire";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import { DLQ_PREFIX } from "../../names/names.ts";
import type { EncodedMessage } from "../../producer/encode-message.ts";
import { selectByHash } from "../../producer/selectors.ts";
import type {
  DeadLetterFailure,
  DeadLetterWorkOptions,
  DeadLetterWorkResult,
  RedriveOptions,
} from "./dead-letter-options.ts";
import { isThere } from "./find-redriven.ts";
import { type LetterQueue, lettersByBroker, type WalkedLetter, walk } from "./group-letters.ts";
import { LEDGER_LETTERS_MAX, Ledger, type LedgerLetter } from "./ledger.ts";
import { LedgerLog, type LedgerNeeds } from "./ledger-log.ts";
import { Pacer } from "./pacer.ts";
import { pause } from "./queue-pages.ts";
import { redrivenMessage } from "./redriven-message.ts";
import { isSelected } from "./selection.ts";
import { ToolLock } from "./tool-lock.ts";

const FAILURES_SHOWN = 100;
/** Tries of one message that was refused for now; one that may have arrived is not sent again. */
const ATTEMPTS_MAX = 3;
const ATTEMPT_PAUSE_MS = 200;

type Deed = { readonly kind: "delete" } | { readonly kind: "redrive"; readonly to: string | undefined };

export class DeadLetterWork {
  readonly #needs: LedgerNeeds;
  readonly #group: string;
  readonly #deed: Deed;
  readonly #options: DeadLetterWorkOptions;
  readonly #pacer: Pacer;
  readonly #topicsKnown = new Map<string, boolean>();
  readonly #failures: DeadLetterFailure[] = [];
  #failed = 0;
  #selected = 0;
  #done = 0;
  #found = 0;
  #looked = 0;
  #total = 0;
  /** A broker does not answer: what comes next would fail as well. */
  #givesUp = false;
  /** Something may still arrive. */
  #isOpen = false;

  /** `group` and `deed.to` as servers know them. */
  constructor(needs: LedgerNeeds, group: string, deed: Deed, options: RedriveOptions) {
    this.#needs = needs;
    this.#group = group;
    this.#deed = deed;
    this.#options = options;
    this.#pacer = new Pacer(needs.instance.host, options.rate);
  }

  async run(): Promise<DeadLetterWorkResult> {
    const { instance } = this.#needs;
    const byBroker = await lettersByBroker(instance, this.#group);
    for (const queues of byBroker.values()) for (const { min, max } of queues) this.#total += max - min;
    for (const [brokerName, queues] of byBroker) {
      if (this.#isOver) break;
      if (queues.every(({ min, max }) => max <= min)) continue;
      if (this.#options.dryRun === true) await this.#count(brokerName, queues);
      else await this.#locked(brokerName, queues);
    }
    return {
      group: instance.namespace.unwrap(this.#group),
      dryRun: this.#options.dryRun ?? false,
      selected: this.#selected,
      done: this.#done,
      found: this.#found,
      failures: this.#failures,
      failed: this.#failed,
      complete: !this.#isStopped,
    };
  }

  get #isStopped(): boolean {
    return this.#givesUp || this.#options.signal?.aborted === true;
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#selected >= (this.#options.max ?? Number.POSITIVE_INFINITY);
  }

  async #count(brokerName: string, queues: readonly LetterQueue[]): Promise<void> {
    const log = new LedgerLog(this.#needs, brokerName);
    const ledger = (await log.exists()) ? await log.read(this.#group) : new Ledger();
    await this.#walkAll(queues, ledger, async () => {});
  }

  async #locked(brokerName: string, queues: readonly LetterQueue[]): Promise<void> {
    const lock = new ToolLock(this.#needs.instance, DLQ_PREFIX + this.#group, brokerName);
    const { signal, onWaiting } = this.#options;
    if (!(await lock.take(signal, () => onWaiting?.(brokerName)))) return;
    try {
      const log = new LedgerLog(this.#needs, brokerName);
      const ledger = await log.begin(this.#group);
      await this.#walkAll(queues, ledger, async (letters) => {
        if (!lock.isHeld) {
          throw new OrbitError("QUEUE_LOST", `the lock on the dead letters of ${this.#group} was lost`, {
            broker: brokerName,
          });
        }
        if (this.#deed.kind === "delete") await this.#delete(log, letters);
        else await this.#redrive(log, ledger, letters, this.#deed.to);
      });
    } finally {
      await lock.leave(!this.#isOpen);
    }
  }

  async #walkAll(
    queues: readonly LetterQueue[],
    ledger: Ledger,
    act: (letters: readonly WalkedLetter[]) => Promise<void>,
  ): Promise<void> {
    const { max = Number.POSITIVE_INFINITY } = this.#options;
    for (const queue of queues) {
      const before = this.#looked;
      for await (const page of walk(this.#needs.instance, this.#group, queue, ledger)) {
        const selected = page.filter(
          ({ letter }) => letter.state === "dead" && isSelected(letter, this.#options),
        );
        const taken = selected.slice(0, max - this.#selected);
        for (let at = 0; at < taken.length && !this.#isStopped; at += LEDGER_LETTERS_MAX) {
          const letters = taken.slice(at, at + LEDGER_LETTERS_MAX);
          this.#selected += letters.length;
          await act(letters);
        }
        this.#looked = before + (page.at(-1)?.record.queueOffset ?? 0) + 1 - queue.min;
        this.#progressed();
        if (this.#isOver) return;
      }
      this.#looked = before + queue.max - queue.min;
      this.#progressed();
    }
  }

  #progressed(): void {
    this.#options.onProgress?.({ looked: this.#looked, total: this.#total, done: this.#done });
  }

  async #delete(log: LedgerLog, letters: readonly WalkedLetter[]): Promise<void> {
    await log.write(this.#group, "deleted", letters.map(placeOf));
    this.#done += letters.length;
  }

  async #redrive(
    log: LedgerLog,
    ledger: Ledger,
    letters: readonly WalkedLetter[],
    to: string | undefined,
  ): Promise<void> {
    const { instance } = this.#needs;
    const done: WalkedLetter[] = [];
    const toSend: { walked: WalkedLetter; topic: string }[] = [];
    for (const walked of letters) {
      const { record } = walked;
      if (await isThere(instance, record, ledger.intendedFor(record.physicalOffset))) {
        this.#found += 1;
        done.push(walked);
        continue;
      }
      const topic = to ?? this.#originOf(walked);
      const problem = await this.#problemOf(topic);
      if (problem !== undefined) this.#note(walked, problem);
      else toSend.push({ walked, topic: topic! });
    }
    if (toSend.length > 0) {
      const intended = toSend.map(({ walked, topic }) => ({ ...placeOf(walked), to: topic }));
      await log.write(this.#group, "intend", intended);
    }
    const sends: Promise<void>[] = [];
    for (const { walked, topic } of toSend) {
      await this.#pacer.due(this.#options.signal);
      if (this.#isStopped) break;
      sends.push(
        this.#send(redrivenMessage(walked.record, topic)).then(
          () => void done.push(walked),
          (error: unknown) => this.#failedToSend(walked, fromUnknown(error)),
        ),
      );
    }
    await Promise.all(sends);
    if (done.length > 0) await log.write(this.#group, "redriven", done.map(placeOf));
    this.#done += done.length;
  }

  #originOf({ letter }: WalkedLetter): string | undefined {
    const { originTopic } = letter;
    return originTopic === undefined ? undefined : this.#needs.instance.namespace.wrap(originTopic);
  }

  /** A topic that is gone is not made anew by sending to it. */
  async #problemOf(topic: string | undefined): Promise<OrbitError | undefined> {
    if (topic === undefined) {
      return new OrbitError("INVALID_ARGUMENT", "the letter does not tell its topic: name one to send it to");
    }
    let isKnown = this.#topicsKnown.get(topic);
    if (isKnown === undefined) {
      isKnown = (await this.#needs.instance.routes.refresh(topic)) !== undefined;
      this.#topicsKnown.set(topic, isKnown);
    }
    return isKnown
      ? undefined
      : new OrbitError("TOPIC_ROUTE_NOT_FOUND", `there is no topic ${topic}: create it, or name another one`);
  }

  async #send(message: EncodedMessage): Promise<void> {
    // As producers choose the queue of what is to be consumed in order.
    const shardingKey = getProperty(message.properties, MessageConst.SHARDING_KEY) ?? "";
    const options = shardingKey === "" ? {} : { selector: selectByHash(shardingKey) };
    for (let attempt = 1; ; attempt++) {
      try {
        await new Promise<void>((resolve, reject) =>
          this.#needs.sender.send(
            message,
            (error) => (error === undefined ? resolve() : reject(error)),
            options,
          ),
        );
        return;
      } catch (error) {
        const { retriable, outcome } = fromUnknown(error);
        if (!retriable || outcome === "unknown" || attempt === ATTEMPTS_MAX || this.#isStopped) throw error;
        await pause(this.#needs.instance, ATTEMPT_PAUSE_MS);
      }
    }
  }

  #failedToSend(walked: WalkedLetter, failure: OrbitError): void {
    if (failure.outcome === "unknown") this.#isOpen = true;
    if (failure.retriable) this.#givesUp = true;
    this.#note(walked, failure);
  }

  #note({ record }: WalkedLetter, { code, message, outcome }: OrbitError): void {
    this.#failed += 1;
    if (this.#failures.length === FAILURES_SHOWN) return;
    const offsetMsgId = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
    this.#failures.push({ offsetMsgId, code, message, outcome });
  }
}

function placeOf({ record: { queueId, queueOffset, physicalOffset } }: WalkedLetter): LedgerLetter {
  return { queueId, queueOffset, physicalOffset };
}
