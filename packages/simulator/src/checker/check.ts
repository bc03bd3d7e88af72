/**
 * The promise as a function: a history in, its violations out. Pure; every invariant is named in
 * {@link INVARIANTS} and has a test that shows what it looks like when it is broken.
 */
import { AttemptCheck } from "./attempt-check.ts";
import { CommitCheck } from "./commit-check.ts";
import { ExpiryCheck } from "./expiry-check.ts";
import type { History, HistoryEvent, QueueKey, SendOutcome } from "./history.ts";
import { brokerOf, LAST_READER } from "./history.ts";
import { OrderCheck } from "./order-check.ts";
import { PopCheck } from "./pop-check.ts";
import { ReturnCheck } from "./return-check.ts";
import { SlotTable } from "./slot-table.ts";
import { type Acknowledged, type Subscriber, SubscriberCheck } from "./subscriber-check.ts";
import { TimedCheck } from "./timed-check.ts";
import { TransactionCheck } from "./transaction-check.ts";

export const INVARIANTS = {
  "acknowledged-kept": "an acknowledged message is still where it was acknowledged to be",
  "expired-only": "retention removes nothing that is younger than fileReservedTime",
  "only-sent": "nothing appears that was never sent, and nothing that was refused",
  durable: "under SYNC_FLUSH what is acknowledged or seen could not be taken back by any crash",
  intact: "a message that is seen is exactly what was sent",
  "slot-stable": "a queue offset that was seen or acknowledged holds that copy for ever and no other",
  "slot-unique": "no two acknowledged messages share a queue offset",
  "no-holes": "a queue has no hole between its first message and its end",
  order: "acknowledged copies of a producer that waits lie in the order it sent them",
  consumed: "every acknowledged message is consumed by the group at least once",
  "commit-after-listener": "an offset is committed only after the listeners of all before it succeeded",
  "acknowledged-after-listener": "a group acknowledges what it popped only after its listener succeeded",
  "commit-within": "a committed offset never lies beyond the end of its queue, lest new messages are skipped",
  "commit-kept": "what a group committed last is kept through a crash some seconds later",
  "found-by-key": "an acknowledged message is found by its key, and nothing else is",
  "dead-letters": "what is sent back comes again until its attempts are used up, and then is a dead letter",
  "one-at-a-time": "of a group that consumes in order one listener at a time works on a queue",
  "in-order": "a group that consumes in order begins with a message after all before it are done",
  invisible: "a popped message comes again when its time is over, and never when it was acknowledged in time",
  attempts: "who pops in order again with the same attempt's id gets the same messages again",
  "half-invisible":
    "nobody sees a transaction's message before it is committed, nor ever when it is rolled back",
  "ended-once": "a transaction ends once: it is committed, rolled back, or parked until somebody resumes it",
  "transaction-kept": "what was committed is there, and a half that nobody can tell about is parked",
  "not-early": "a message for a time comes when its broker's wall clock has shown that time, not before",
  "timed-kept": "a message for a time comes, and once, unless its broker ended meanwhile",
  recalled: "a message that was recalled never comes",
  "no-duplicates":
    "where nothing fails every message exists once and is consumed once, though members leave in their orderly way",
  live: "the cluster becomes live again in bounded time after the faults have stopped",
  settles: "every send of a living process comes to an end in bounded time",
  "no-crash": "no process fails by itself",
  starts: "a broker starts again whatever a crash did to its disk",
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly detail: string;
}

export interface CheckOptions {
  /**
   * ASYNC_FLUSH promises less: what a broker acknowledged or showed may go when its machine loses power, and
   * the groups may then skip or repeat messages of its queues.
   */
  readonly flush: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** Nothing failed and nobody was ended: duplicates have no excuse. Default false. */
  readonly faultless?: boolean;
  /** How old a message must be before retention may remove it. Default: none ever may. */
  readonly reservedMs?: number;
  /** What all wall clocks show when the history begins. Default 0. */
  readonly wallStartMs?: number;
  /** How often a message that is sent back is retried before it is a dead letter. Default 0. */
  readonly retries?: number;
  /** Of `groups`, those whose listeners run in order. */
  readonly ordered?: readonly string[];
  /** How often a message that the groups fail to consume comes again before it is a dead letter. Default 16. */
  readonly attempts?: number;
  /** No message is attempted oftener than that, as members may whose queue another counted on. Default false. */
  readonly exactAttempts?: boolean;
  /** Further groups, which the topic they name reaches as a whole in ways of their own. Default none. */
  readonly subscribers?: readonly Subscriber[];
  /** Groups that subscribed to every message from the first on and that were left running until the end. */
  readonly groups: readonly string[];
}

export interface CheckCounts {
  sent: number;
  acknowledged: number;
  refused: number;
  unknown: number;
  seen: number;
  listened: number;
  committed: number;
  keyAnswers: number;
  /** Messages nobody acknowledged that exist all the same. */
  unknownFound: number;
  /** Copies beyond one of each message: late copies of timed-out attempts. */
  extraCopies: number;
  /** Successful consumptions beyond one of each message by each group. */
  repeated: number;
}

export interface CheckResult {
  readonly violations: readonly Violation[];
  readonly counts: CheckCounts;
}

type KeyAnswer = Extract<HistoryEvent, { kind: "key-answer" }>;

interface Send {
  readonly id: string;
  readonly producer: string;
  readonly waits: boolean;
  outcome: SendOutcome;
  readonly sentMs: number;
  /** Where it was acknowledged to be, and when. */
  queue?: QueueKey;
  offset?: number;
  acknowledgedMs?: number;
}

function placeOf(event: Extract<HistoryEvent, { kind: "seen" }>): string {
  return `${event.queue} offset ${event.offset}, by ${event.by}`;
}

/** Each invariant is reported at most this often; the first ones tell the story. */
const REPORTS_MAX = 5;

export function check(history: History, options: CheckOptions): CheckResult {
  return new Checker(options).run(history);
}

class Checker {
  readonly #options: CheckOptions;
  readonly #violations: Violation[] = [];
  readonly #reported = new Map<Invariant, number>();
  readonly #sends = new Map<string, Send>();
  readonly #slots: SlotTable;
  readonly #expiry: ExpiryCheck;
  readonly #commits: CommitCheck;
  readonly #returns: ReturnCheck;
  readonly #order: OrderCheck;
  readonly #attempts: AttemptCheck;
  readonly #pops: PopCheck;
  readonly #subscribers: SubscriberCheck;
  readonly #transactions: TransactionCheck;
  readonly #timed: TimedCheck;
  /** Group → ids whose listener succeeded. */
  readonly #consumed = new Map<string, Set<string>>();
  readonly #drained = new Map<QueueKey, { from: number; to: number }>();
  readonly #cacheLostMs = new Map<string, number>();
  readonly #counts: CheckCounts = {
    sent: 0,
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    seen: 0,
    listened: 0,
    committed: 0,
    keyAnswers: 0,
    unknownFound: 0,
    extraCopies: 0,
    repeated: 0,
  };

  constructor(options: CheckOptions) {
    this.#options = options;
    const report = (invariant: Invariant, atMs: number, detail: string) =>
      this.#report(invariant, atMs, detail);
    this.#slots = new SlotTable(report);
    this.#expiry = new ExpiryCheck(report, options.reservedMs ?? Number.POSITIVE_INFINITY);
    this.#commits = new CommitCheck(report, (queue) => this.#expiry.removedTo(queue));
    this.#order = new OrderCheck(report);
    this.#pops = new PopCheck(report);
    this.#transactions = new TransactionCheck(report);
    this.#subscribers = new SubscriberCheck(report, options.subscribers ?? []);
    this.#attempts = new AttemptCheck(report, options.attempts ?? 16, options.exactAttempts === true);
    const isLost = (broker: string) => options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.has(broker);
    this.#returns = new ReturnCheck(report, options.retries ?? 0);
    this.#timed = new TimedCheck(report, options.wallStartMs ?? 0, isLost);
  }

  run(history: History): CheckResult {
    for (const event of history) this.#take(event);
    this.#checkAcknowledged();
    this.#checkOrder();
    this.#checkConsumed();
    this.#subscribers.end(
      this.#acknowledgedSends(),
      (group, id) => this.#consumed.get(group)?.has(id) === true,
      (message) => this.#mayBeMissed(message),
    );
    const copiesOf = (id: string) => this.#slots.copiesOf(id);
    const isLost = (broker: string, sinceMs: number) =>
      this.#expiry.mayHaveRemoved(broker, sinceMs) ||
      (this.#options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.has(broker));
    this.#returns.end(isLost);
    this.#pops.end(copiesOf);
    this.#transactions.end(copiesOf, isLost);
    this.#timed.end(copiesOf, isLost);
    this.#attempts.end((sinceMs) => this.#mayBeLostSince(sinceMs));
    for (const [queue, { from, to }] of this.#drained) this.#slots.checkNoHoles(queue, from, to);
    for (const send of this.#sends.values()) this.#count(send);
    return { violations: this.#violations, counts: this.#counts };
  }

  #report(invariant: Invariant, atMs: number, detail: string): void {
    const before = this.#reported.get(invariant) ?? 0;
    this.#reported.set(invariant, before + 1);
    if (before < REPORTS_MAX) this.#violations.push({ invariant, atMs, detail });
  }

  #take(event: HistoryEvent): void {
    switch (event.kind) {
      case "send":
        this.#counts.sent++;
        this.#sends.set(event.id, {
          id: event.id,
          producer: event.producer,
          waits: event.waits,
          outcome: "unknown",
          sentMs: event.atMs,
        });
        if (event.isHalf === true) this.#transactions.sent(event);
        this.#timed.sent(event);
        break;
      case "half-acknowledged":
        if (!event.survives) this.#checkDurable(event.atMs, `the half of ${event.id} on ${event.broker}`);
        this.#transactions.acknowledged(event);
        break;
      case "timer-acknowledged":
        if (!event.survives) this.#checkDurable(event.atMs, `${event.id}, which waits on ${event.broker},`);
        this.#timed.acknowledged(event);
        break;
      case "recall":
        this.#timed.recalled(event);
        break;
      case "decided":
        this.#transactions.decided(event);
        break;
      case "parked":
        this.#transactions.parked(event);
        break;
      case "resumed":
        this.#transactions.resumed(event);
        break;
      case "ended-twice":
        this.#transactions.endedTwice(event);
        break;
      case "acknowledged":
        this.#acknowledged(event);
        break;
      case "refused":
      case "unknown": {
        const send = this.#sends.get(event.id);
        if (send !== undefined) send.outcome = event.kind;
        break;
      }
      case "seen":
        this.#counts.seen++;
        this.#seen(event);
        break;
      case "listening":
        this.#listening(event);
        break;
      case "member-ended":
        this.#order.memberEnded(event.by);
        break;
      case "popped":
        this.#pops.popped(event, this.#sends.get(event.id)?.sentMs ?? 0);
        break;
      case "pop-changed":
        this.#pops.changed(event);
        break;
      case "pop-reset":
        this.#pops.reset(event);
        break;
      case "attempt-repeated":
        this.#pops.repeated(event);
        break;
      case "pop-acknowledging":
        this.#subscribers.acknowledging(event);
        break;
      case "pop-acknowledged":
        this.#pops.acknowledged(event);
        break;
      case "dead-letter":
        this.#attempts.dead(event);
        break;
      case "listened":
        this.#counts.listened++;
        this.#order.ended(event);
        if (event.success) this.#listened(event);
        break;
      case "sent-back":
        this.#commits.listened(event);
        this.#attempts.sentBack(event);
        break;
      case "committed":
        this.#counts.committed++;
        if (this.#options.groups.includes(event.group)) this.#commits.committed(event);
        break;
      case "commit-taken":
        if (this.#options.groups.includes(event.group)) this.#commits.taken(event);
        break;
      case "group-offset":
        this.#commits.kept(event);
        break;
      case "key-answer":
        this.#counts.keyAnswers++;
        this.#foundByKey(event);
        break;
      case "returned":
        this.#returns.take(event);
        break;
      case "offset-and-end":
        this.#commits.within(event);
        break;
      case "drained":
        this.#drained.set(event.queue, { from: event.from, to: event.to });
        break;
      case "removed":
        this.#expiry.removed(event);
        break;
      case "clock-stepped":
        this.#expiry.stepped(event);
        this.#timed.stepped(event);
        break;
      case "broker-ended":
        this.#commits.brokerEnded(event.broker, event.atMs);
        this.#pops.brokerEnded(event.broker, event.atMs);
        this.#timed.brokerEnded(event.broker, event.atMs);
        break;
      case "offsets-doubtful":
        this.#commits.offsetsDoubtful(event.broker, event.atMs);
        this.#pops.forgetBroker(event.broker);
        break;
      case "locks-doubtful":
        this.#order.locksDoubtful(event.broker);
        break;
      case "transactions-doubtful":
        this.#transactions.doubtful(event);
        break;
      case "cache-lost":
        this.#cacheLost(event.broker, event.atMs);
        break;
      case "failure":
        this.#report(event.invariant, event.atMs, event.detail);
        break;
    }
  }

  #acknowledged(event: Extract<HistoryEvent, { kind: "acknowledged" }>): void {
    const send = this.#sends.get(event.id);
    if (send === undefined) return;
    send.outcome = "acknowledged";
    send.queue = event.queue;
    send.offset = event.offset;
    send.acknowledgedMs = event.atMs;
    if (!event.survives) {
      const what = `${event.id}, acknowledged at ${event.queue} offset ${event.offset},`;
      this.#checkDurable(event.atMs, what);
    }
    // The acknowledgement may have been under way when the memory behind it was lost.
    if (this.#mayBeGone(event.queue, send.sentMs)) return;
    this.#slots.acknowledged(event.queue, event.offset, event.id, event.atMs);
  }

  #seen(event: Extract<HistoryEvent, { kind: "seen" }>): void {
    if (event.id === undefined || !this.#sends.has(event.id)) {
      const what = event.id ?? "a message without an id";
      this.#report("only-sent", event.atMs, `${what} at ${placeOf(event)} was never sent`);
      return;
    }
    if (!event.intact) {
      this.#report("intact", event.atMs, `${event.id} at ${placeOf(event)} is not what was sent`);
    }
    if (!event.survives) this.#checkDurable(event.atMs, `${event.id} at ${placeOf(event)}`);
    this.#transactions.seen(event);
    this.#timed.seen(event);
    const lost = this.#options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.has(brokerOf(event.queue));
    // Consumers still hold, and the network still carries, what the power loss took.
    if (!lost || event.by === LAST_READER) this.#slots.seen(event);
  }

  #foundByKey({ broker, id, sinceMs, found, intact, complete, atMs }: KeyAnswer): void {
    const send = this.#sends.get(id);
    if (found.some((other) => other !== id) || !intact) {
      this.#report("found-by-key", atMs, `the key of ${id} led ${broker} to ${found.join(" ")}`);
    }
    if (send?.queue === undefined || brokerOf(send.queue) !== broker || found.length > 0 || !complete) return;
    if ((send.acknowledgedMs ?? atMs) >= sinceMs || this.#mayBeGone(send.queue, send.sentMs)) return;
    if ((send.offset as number) < this.#expiry.removedTo(send.queue)) return;
    this.#report("found-by-key", atMs, `${id}, in ${send.queue} at ${send.offset}, was not found by its key`);
  }

  #checkDurable(atMs: number, what: string): void {
    if (this.#options.flush !== "SYNC_FLUSH") return;
    this.#report("durable", atMs, `${what} was not on disk yet`);
  }

  #listening(event: Extract<HistoryEvent, { kind: "listening" }>): void {
    const { group, queue, id } = event;
    if (id !== undefined && this.#options.groups.includes(group)) this.#attempts.began(id);
    if (this.#options.ordered?.includes(group) !== true) return;
    if (this.#options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.has(brokerOf(queue))) return;
    this.#order.began(event, this.#commits.doneBelow(group, queue));
  }

  #listened(event: Extract<HistoryEvent, { kind: "listened" }>): void {
    let ids = this.#consumed.get(event.group);
    if (ids === undefined) {
      ids = new Set();
      this.#consumed.set(event.group, ids);
    }
    if (event.id !== undefined && ids.has(event.id)) {
      this.#counts.repeated++;
      this.#duplicate(
        event.atMs,
        `${event.group} consumed ${event.id} again, at ${event.queue} ${event.offset}`,
      );
    } else if (event.id !== undefined) ids.add(event.id);
    this.#commits.listened(event);
    this.#subscribers.listened(event);
  }

  #cacheLost(broker: string, atMs: number): void {
    this.#cacheLostMs.set(broker, atMs);
    if (this.#options.flush === "SYNC_FLUSH") return;
    this.#slots.forgetBroker(broker);
    this.#commits.forgetBroker(broker);
    this.#pops.cacheLost(broker);
  }

  /** ASYNC_FLUSH: whether a power loss may have taken what was sent to this queue at `atMs`. */
  #mayBeGone(queue: QueueKey, atMs: number): boolean {
    if (this.#options.flush === "SYNC_FLUSH") return false;
    const lostMs = this.#cacheLostMs.get(brokerOf(queue));
    return lostMs !== undefined && lostMs >= atMs;
  }

  #checkAcknowledged(): void {
    for (const { id, outcome, sentMs, queue, offset, acknowledgedMs } of this.#sends.values()) {
      if (outcome === "refused" && this.#slots.copiesOf(id) > 0) {
        this.#report("only-sent", 0, `${id} was refused and is there`);
      }
      if (queue === undefined || offset === undefined || acknowledgedMs === undefined) continue;
      if (this.#mayBeGone(queue, sentMs)) continue;
      this.#expiry.check(id, queue, offset, sentMs);
      const range = this.#drained.get(queue);
      if (range === undefined) {
        this.#report(
          "acknowledged-kept",
          acknowledgedMs,
          `${queue}, where ${id} is, was never read to its end`,
        );
      } else if ((offset < range.from && offset >= this.#expiry.removedTo(queue)) || offset >= range.to) {
        this.#report(
          "acknowledged-kept",
          acknowledgedMs,
          `${id} was acknowledged at ${queue} offset ${offset}; the queue holds ${range.from} to ${range.to - 1}`,
        );
      }
    }
  }

  #checkOrder(): void {
    const last = new Map<string, Send>();
    for (const send of this.#sends.values()) {
      if (!send.waits || send.queue === undefined || this.#mayBeGone(send.queue, send.sentMs)) continue;
      const key = `${send.producer} ${send.queue}`;
      const before = last.get(key);
      if (before !== undefined && (before.offset as number) >= (send.offset as number)) {
        this.#report(
          "order",
          send.acknowledgedMs ?? 0,
          `${send.producer} sent ${before.id} before ${send.id}; in ${send.queue} they are at ${before.offset} and ${send.offset}`,
        );
      }
      last.set(key, send);
    }
  }

  #checkConsumed(): void {
    for (const group of this.#options.groups) {
      const ids = this.#consumed.get(group);
      for (const send of this.#sends.values()) {
        if (send.queue === undefined || ids?.has(send.id) === true || this.#attempts.isDead(send.id))
          continue;
        // A dead letter may lie at any broker, and expire there.
        if (this.#attempts.mayBeGone(send.id, (sinceMs) => this.#mayBeLostSince(sinceMs))) continue;
        if ((send.offset as number) < this.#expiry.removedTo(send.queue)) continue;
        const sentBackMs = this.#attempts.sentBackMs(send.id);
        if (sentBackMs !== undefined && (this.#isLossy || this.#expiry.mayHaveRemovedSentBack(sentBackMs)))
          continue;
        // The group's offsets may have run ahead of what the power loss left.
        if (this.#options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.has(brokerOf(send.queue))) continue;
        this.#report(
          "consumed",
          send.acknowledgedMs ?? 0,
          `${send.id}, acknowledged at ${send.queue} offset ${send.offset}, was never consumed by ${group}`,
        );
      }
    }
  }

  *#acknowledgedSends(): Iterable<Acknowledged> {
    for (const { id, queue, offset, acknowledgedMs: atMs } of this.#sends.values()) {
      if (queue !== undefined && offset !== undefined && atMs !== undefined)
        yield { id, queue, offset, atMs };
    }
  }

  /** What comes again lies on the same broker, in another topic. */
  #mayBeMissed({ queue, offset, atMs }: Acknowledged): boolean {
    const broker = brokerOf(queue);
    return (
      offset < this.#expiry.removedTo(queue) ||
      this.#expiry.mayHaveRemoved(broker, atMs) ||
      (this.#options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.has(broker))
    );
  }

  /** Whether what a broker took at that time may have been lost or removed. */
  #mayBeLostSince(sinceMs: number): boolean {
    return this.#isLossy || this.#expiry.mayHaveRemovedSince(sinceMs);
  }

  /** Some broker has lost what was only in memory. */
  get #isLossy(): boolean {
    return this.#options.flush === "ASYNC_FLUSH" && this.#cacheLostMs.size > 0;
  }

  #duplicate(atMs: number, detail: string): void {
    if (this.#options.faultless === true) this.#report("no-duplicates", atMs, detail);
  }

  #count(send: Send): void {
    this.#counts[send.outcome]++;
    const copies = this.#slots.copiesOf(send.id);
    if (copies > 1) {
      this.#counts.extraCopies += copies - 1;
      this.#duplicate(send.acknowledgedMs ?? 0, `there are ${copies} copies of ${send.id}`);
    }
    if (send.outcome === "unknown" && copies > 0) this.#counts.unknownFound++;
  }
}
