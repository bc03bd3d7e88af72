/** What has become of a message before consumers could have it: its delay and its transaction. Pure. */
import { MessageConst, type MessageWhereabouts } from "@orbitmq/wire";
import { type Copy, numberOf } from "./copies.ts";
import type { Life } from "./lives.ts";
import type { DelayWhere, MessageState, StoredAt, TransactionWhere } from "./where-types.ts";

export interface LifeFacts {
  readonly life: Life;
  readonly atOf: (copy: Copy) => StoredAt;
  readonly whereaboutsOf: (copy: Copy) => MessageWhereabouts | undefined;
  /** A Java broker's progress in the half topic, when it is one: halves before it are over. */
  readonly halvesDoneTo: number | undefined;
}

/** RocketMQ's default levels, for brokers that do not tell when a message is due; ms. */
const LEVELS_MS = [
  1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200,
].map((seconds) => seconds * 1_000);
const SLOT_MS = 1_000;

/** When a copy that waits is due, and whether that is over, as far as the broker tells. */
export function dueOf(
  copy: Copy,
  whereabouts: MessageWhereabouts | undefined,
): { readonly untilMs: number; readonly isOver: boolean | undefined } {
  const { delay, timer } = whereabouts ?? {};
  if (copy.kind === "scheduled") {
    const level = copy.record.queueId;
    const untilMs = delay?.dueMs ?? copy.record.storeTimestamp + (LEVELS_MS[level] ?? 0);
    return { untilMs, isOver: delay?.delivered };
  }
  const outMs = numberOf(copy, MessageConst.TIMER_OUT_MS) ?? copy.record.storeTimestamp;
  return {
    untilMs: timer?.dueMs ?? outMs + SLOT_MS,
    isOver: timer === undefined ? undefined : timer.state === "passed",
  };
}

export function delayStory({ life, atOf, whereaboutsOf }: LifeFacts): DelayWhere | undefined {
  const last = life.delays.at(-1);
  if (last === undefined) return undefined;
  const { untilMs } = dueOf(last, whereaboutsOf(last));
  const { message, deletion } = life;
  const state = message !== undefined ? "delivered" : deletion !== undefined ? "recalled" : "waiting";
  return {
    kind: last.kind === "scheduled" ? "LEVEL" : "TIMER",
    ...(last.kind === "scheduled" ? { level: last.record.queueId + 1 } : {}),
    untilMs,
    state,
    ...(deletion === undefined ? {} : { recalledMs: deletion.record.storeTimestamp }),
    at: atOf(last),
  };
}

export function transactionStory(facts: LifeFacts): TransactionWhere | undefined {
  const { life, atOf, whereaboutsOf } = facts;
  const { parked, message } = life;
  const half = life.halves.at(-1) ?? parked;
  if (half === undefined) return undefined;
  const told = whereaboutsOf(half)?.transaction;
  const checks =
    (told?.state !== "finished" ? told?.checkTimes : undefined) ??
    numberOf(half, MessageConst.TRANSACTION_CHECK_TIMES) ??
    0;
  const isOpen = told !== undefined && told.state !== "finished";
  const state = isOpen
    ? "PREPARED"
    : message !== undefined
      ? "COMMITTED"
      : parked !== undefined
        ? "PARKED"
        : told !== undefined
          ? "ROLLED_BACK"
          : endedState(facts, half);
  return {
    state,
    producerGroup: half.properties.get(MessageConst.PRODUCER_GROUP) ?? "",
    checks,
    ...(told === undefined ? {} : { checksMax: told.checkMax }),
    ...(isOpen && told.nextMs !== undefined ? { nextCheckMs: told.nextMs } : {}),
    at: atOf(half),
    ...(parked === undefined ? {} : { parkedAt: atOf(parked) }),
  };
}

/** By RocketMQ's progress; halves behind it may be over, too. */
function endedState({ halvesDoneTo }: LifeFacts, { record }: Copy): "ROLLED_BACK" | "PREPARED" | "UNKNOWN" {
  if (halvesDoneTo === undefined) return "UNKNOWN";
  return record.queueOffset < halvesDoneTo ? "ROLLED_BACK" : "PREPARED";
}

export function messageState(
  facts: LifeFacts,
  delay: DelayWhere | undefined,
  transaction: TransactionWhere | undefined,
): MessageState {
  const { life, whereaboutsOf } = facts;
  if (life.message !== undefined) return "STORED";
  if (delay !== undefined) {
    if (delay.state === "recalled") return "RECALLED";
    const last = life.delays.at(-1)!;
    return dueOf(last, whereaboutsOf(last)).isOver === true ? "LOST_SIGHT" : "DELAYED";
  }
  if (transaction === undefined) return "EXPIRED";
  if (transaction.state === "PARKED") return "PARKED";
  return transaction.state === "ROLLED_BACK" ? "ROLLED_BACK" : "PREPARED";
}
