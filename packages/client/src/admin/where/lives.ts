/**
 * Which copies belong to one life: a producer that sends again stores the same id twice, and each of these messages is
 * delayed, committed, consumed and retried on its own. Pure.
 *
 *   half → half (checked) → … → message | parked       by producer, birth and place; a message names its half's position
 *   scheduled → message                                in their order
 *   timed → timed (rolled) → … → message               by the time they are due
 *   message → scheduled → retry → … → dead             by the offset message id of the first, ORIGIN_MESSAGE_ID
 *
 * POP's retries do not say which message they are of: with several of one id they are counted to the newest before them.
 */
import { MessageConst, MessageSysFlag, transactionType } from "@orbitmq/wire";
import { type Copy, groupOf, numberOf, targetOf } from "./copies.ts";

export interface Life {
  readonly topic: string;
  /** What consumers of the topic get. */
  message: Copy | undefined;
  /** The offset message id of a message that is not there any more. */
  wasAt: string | undefined;
  readonly halves: Copy[];
  parked: Copy | undefined;
  /** Where it waited, or waits: one in SCHEDULE_TOPIC_XXXX, or one and its successors in the timer's queue. */
  readonly delays: Copy[];
  deletion: Copy | undefined;
  /** By group, in the order of the log: on their way to the retry topic, in it, and in the dead-letter topic. */
  readonly returns: Map<string, Copy[]>;
  /** Some of `returns` may be another life's of the same id. */
  isShared: boolean;
}

/** `copies`: all of one unique id; `groups`: those that consume the topic. */
export function livesOf(topic: string, copies: readonly Copy[], groups: readonly string[]): Life[] {
  const ordered = [...copies].sort(
    (a, b) =>
      a.record.storeTimestamp - b.record.storeTimestamp || a.record.physicalOffset - b.record.physicalOffset,
  );
  const isHere = (copy: Copy): boolean => targetOf(copy) === topic;
  const of = (kind: Copy["kind"]): Copy[] => ordered.filter((copy) => copy.kind === kind);
  const lives: Life[] = [];
  for (const half of of("half").filter(isHere)) addHalf(lives, topic, half);
  for (const parked of of("parked").filter(isHere)) addParked(lives, topic, parked);
  for (const copy of of("scheduled").filter(isHere)) lives.push({ ...newLife(topic), delays: [copy] });
  for (const copy of of("timed").filter(isHere)) addTimed(lives, topic, copy);
  for (const message of ordered.filter(({ record }) => record.topic === topic))
    addMessage(lives, topic, message);
  for (const deletion of of("deletion")) addDeletion(lives, deletion);
  const returned = ordered.filter(
    (copy) => copy.record.topic !== topic && !isHere(copy) && groupOf(copy, topic, groups) !== undefined,
  );
  for (const copy of returned) addReturn(lives, topic, copy, groupOf(copy, topic, groups)!);
  return lives;
}

function newLife(topic: string): Life {
  return {
    topic,
    message: undefined,
    wasAt: undefined,
    halves: [],
    parked: undefined,
    delays: [],
    deletion: undefined,
    returns: new Map(),
    isShared: false,
  };
}

const checksOf = (half: Copy): number => numberOf(half, MessageConst.TRANSACTION_CHECK_TIMES) ?? 0;

/** A half that was checked is stored once more, with one check more; RocketMQ puts some off without one. */
function addHalf(lives: Life[], topic: string, half: Copy): void {
  const isSuccessor =
    checksOf(half) > 0 || half.properties.has(MessageConst.TRANSACTION_PREPARED_QUEUE_OFFSET);
  const before = lives.findLast(
    ({ halves: [first], halves }) =>
      first !== undefined &&
      first.brokerName === half.brokerName &&
      first.record.bornTimestamp === half.record.bornTimestamp &&
      checksOf(halves.at(-1)!) <= checksOf(half),
  );
  if (isSuccessor && before !== undefined) before.halves.push(half);
  else lives.push({ ...newLife(topic), halves: [half] });
}

function addParked(lives: Life[], topic: string, parked: Copy): void {
  const { preparedTransactionOffset, bornTimestamp } = parked.record;
  const candidates = lives.filter(
    ({ halves: [first] }) =>
      first?.brokerName === parked.brokerName && first.record.bornTimestamp === bornTimestamp,
  );
  // RocketMQ's does not name the half.
  const life =
    candidates.find(({ halves }) =>
      halves.some(({ record }) => record.physicalOffset === preparedTransactionOffset),
    ) ?? candidates.at(-1);
  if (life !== undefined) life.parked = parked;
  else lives.push({ ...newLife(topic), parked });
}

function addTimed(lives: Life[], topic: string, copy: Copy): void {
  const rolls = numberOf(copy, MessageConst.TIMER_ROLL_TIMES) ?? 0;
  const outMs = copy.properties.get(MessageConst.TIMER_OUT_MS);
  const before = lives.findLast(({ delays }) => {
    const last = delays.at(-1);
    return (
      last?.kind === "timed" &&
      last.brokerName === copy.brokerName &&
      last.properties.get(MessageConst.TIMER_OUT_MS) === outMs &&
      (numberOf(last, MessageConst.TIMER_ROLL_TIMES) ?? 0) === rolls - 1
    );
  });
  if (rolls > 0 && before !== undefined) before.delays.push(copy);
  else lives.push({ ...newLife(topic), delays: [copy] });
}

function addMessage(lives: Life[], topic: string, message: Copy): void {
  const life = lives.find((each) => each.message === undefined && becomes(each, message));
  if (life !== undefined) life.message = message;
  else lives.push({ ...newLife(topic), message });
}

/** Whether `message` is what the life's half, or what waited, has become. */
function becomes({ halves, delays }: Life, { brokerName, record, properties }: Copy): boolean {
  const last = delays.at(-1);
  if (last !== undefined) {
    if (last.brokerName !== brokerName || last.record.physicalOffset >= record.physicalOffset) return false;
    if (last.record.bornTimestamp !== record.bornTimestamp) return false;
    const name = last.kind === "timed" ? MessageConst.TIMER_OUT_MS : MessageConst.DELAY_TIME_LEVEL;
    return properties.get(name) === last.properties.get(name);
  }
  const isCommit = transactionType(record.sysFlag) === MessageSysFlag.TRANSACTION_COMMIT_TYPE;
  return (
    isCommit &&
    halves.some(
      (half) =>
        half.brokerName === brokerName && half.record.physicalOffset === record.preparedTransactionOffset,
    )
  );
}

/** It takes back what waits for the same second. */
function addDeletion(lives: Life[], deletion: Copy): void {
  const key = deletion.properties.get(MessageConst.TIMER_DEL_UNIQKEY);
  const outMs = deletion.properties.get(MessageConst.TIMER_OUT_MS);
  for (const life of lives) {
    const last = life.delays.at(-1);
    if (last?.kind !== "timed" || last.brokerName !== deletion.brokerName) continue;
    if (last.properties.get(MessageConst.TIMER_OUT_MS) !== outMs) continue;
    if (key === `${life.topic}+${last.uniqKey}` || key === last.uniqKey) life.deletion = deletion;
  }
}

function addReturn(lives: Life[], topic: string, copy: Copy, group: string): void {
  const origin = copy.properties.get(MessageConst.ORIGIN_MESSAGE_ID) || undefined;
  const stored = lives.filter(({ message, returns }) => message !== undefined || returns.size > 0);
  let life = origin === undefined ? undefined : stored.find((each) => isPartOf(each, origin));
  // A client's own send to a retry topic may name the unique id; POP names none.
  const namesPlace = origin !== undefined && origin !== copy.uniqKey;
  if (life === undefined && !namesPlace) {
    const before = stored.filter(
      ({ message }) => (message?.record.storeTimestamp ?? 0) <= copy.record.storeTimestamp,
    );
    life = before.at(-1);
    if (life !== undefined && before.length > 1) life.isShared = true;
  }
  if (life === undefined) {
    life = { ...newLife(topic), wasAt: namesPlace ? origin : undefined };
    lives.push(life);
  }
  life.returns.set(group, [...(life.returns.get(group) ?? []), copy]);
}

/** Whether one of its copies is, or was, at this place. */
function isPartOf({ message, wasAt, returns }: Life, offsetMsgId: string): boolean {
  if ((message?.offsetMsgId ?? wasAt) === offsetMsgId) return true;
  for (const copies of returns.values())
    if (copies.some((copy) => copy.offsetMsgId === offsetMsgId)) return true;
  return false;
}
