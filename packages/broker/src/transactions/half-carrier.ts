/**
 * Copies unfinished halves to the log's end, so that their places can be given up (RocketMQ puts halves back when it
 * checks them, and loses what forced cleaning reaches first):
 *
 *   - before retention removes the part of the log they lie in, for its age or by force;
 *   - when a few old ones would have each start read all halves since.
 *
 * A copy counts as many checks as its half. It takes the half's place as that of a check does: whatever moment a crash
 * comes at, one of the two is unfinished. A producer that still names the old place is understood while the broker runs.
 */
import type { Logger } from "@orbitmq/host";
import type { AppendOutcome, AppendResult, AppendWaiter, MessageStore } from "@orbitmq/store";
import type { MessageRecord } from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import { checkedHalf } from "./half-records.ts";
import type { Halves, Transaction } from "./halves.ts";
import type { OpLog } from "./op-log.ts";

/** Places of the half queue behind the oldest unfinished half beyond which it is carried. */
export const CARRY_SPAN = 65_536;
/** Unless so many are unfinished that a start reads little else. */
const CARRY_MAX = 4_096;
const AT_ONCE = 64;
/** Halves between two looks at the span. */
const LOOK_EVERY = 1_024;

export interface HalfCarrierNeeds {
  readonly store: MessageStore;
  readonly halves: Halves;
  readonly ops: OpLog;
  readonly identity: BrokerIdentity;
  readonly logger: Logger;
  readonly durability: "flushed" | "written";
  read(transaction: Transaction, done: (record: MessageRecord | undefined, isDamaged: boolean) => void): void;
  /** The half's copy, appended, as the transaction's. */
  copied(transaction: Transaction, message: ReturnType<typeof checkedHalf>, result: Appended): void;
  /** What was not carried waits for its check again. */
  putBack(transaction: Transaction): void;
}

type Appended = Extract<AppendResult, { status: "appended" }>;

export class HalfCarrier {
  readonly #needs: HalfCarrierNeeds;
  #isBusy = false;
  #arrivals = 0;
  readonly #unattended: AppendWaiter = { appendSettled: () => undefined };

  constructor(needs: HalfCarrierNeeds) {
    this.#needs = needs;
  }

  /** Before the log's part below `limit` goes; `done(false)`: not all is durable elsewhere, it must stay for now. */
  carryBefore(limit: number, done: (mayGo: boolean) => void): void {
    const { halves, logger, store } = this.#needs;
    const old = halves.before(limit);
    if (old.length === 0) {
      done(true);
      return;
    }
    if (this.#isBusy) {
      done(false);
      return;
    }
    this.#carry(old, (carried, lost) => {
      const mayGo = carried + lost === old.length;
      const about = { to: limit, unfinished: old.length, carried, from: store.status().minOffset };
      if (mayGo)
        logger.info(
          about,
          "unfinished transactions were carried to the log's end before their part of it goes",
        );
      else {
        logger.error(
          { ...about, refusal: store.status().refusal?.remark },
          "the oldest part of the log is kept: unfinished transactions lie in it that cannot be carried to its end now",
        );
      }
      done(mayGo);
    });
  }

  /** Called as halves come: now and then it carries the oldest when a start would have to read too much for their sake. */
  keepShort(): void {
    const { halves } = this.#needs;
    if (++this.#arrivals % LOOK_EVERY !== 0) return;
    if (this.#isBusy || halves.span < CARRY_SPAN || halves.size > CARRY_MAX) return;
    const old = halves.behind(halves.progress + CARRY_SPAN / 2, CARRY_MAX);
    if (old.length > 0) this.#carry(old, () => undefined);
  }

  #carry(all: readonly Transaction[], done: (carried: number, lost: number) => void): void {
    const { halves, ops } = this.#needs;
    this.#isBusy = true;
    let next = 0;
    let underWay = 0;
    let [carried, lost] = [0, 0];
    let isGoing = false;
    const over = (what: "carried" | "lost" | "failed"): void => {
      if (what === "carried") carried++;
      else if (what === "lost") lost++;
      underWay--;
      go();
    };
    const go = (): void => {
      if (isGoing) return;
      isGoing = true;
      while (next < all.length && underWay < AT_ONCE) {
        const transaction = all[next++]!;
        underWay++;
        if (transaction.state === "finished") over("carried");
        else if (halves.carry(transaction)) this.#copy(transaction, over);
        else over("failed");
      }
      isGoing = false;
      if (next < all.length || underWay > 0) return;
      next = Number.POSITIVE_INFINITY;
      this.#isBusy = false;
      // A start of RocketMQ's knows by ops only.
      ops.flush(this.#unattended);
      done(carried, lost);
    };
    go();
  }

  #copy(transaction: Transaction, over: (what: "carried" | "lost" | "failed") => void): void {
    const { store, identity, durability, logger } = this.#needs;
    this.#needs.read(transaction, (record, isDamaged) => {
      if (transaction.state !== "carrying") {
        // It was ended meanwhile: what ends it follows its half.
        over(transaction.state === "finished" ? "carried" : "failed");
        return;
      }
      const { half } = transaction;
      if (record === undefined) {
        this.#needs.putBack(transaction);
        if (isDamaged) {
          const { group, uniqKey, physicalOffset } = half;
          logger.error(
            { group, uniqKey, position: physicalOffset },
            "the half of an unfinished transaction is damaged, and cannot be carried to the log's end: it goes with its part of the log",
          );
        }
        over(isDamaged ? "lost" : "failed");
        return;
      }
      const message = checkedHalf(record, half.checkTimes, identity.storeHost);
      const appendSettled = (outcome: AppendOutcome): void =>
        over(outcome === "failed" ? "failed" : "carried");
      const result = store.append(message, durability, { appendSettled });
      if (result.status === "appended") this.#needs.copied(transaction, message, result);
      else {
        this.#needs.putBack(transaction);
        over("failed");
      }
    });
  }
}
