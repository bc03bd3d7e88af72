/** Which of a group's dead letters are meant. What is not given does not matter; all that is given must be so. Pure. */
import { OrbitError } from "../../errors/errors.ts";
import type { DeadLetter } from "./dead-letter.ts";

export interface DeadLetterSelection {
  /** One of these: unique id, the dead letter's own offset message id, or that of the first message. */
  readonly ids?: readonly string[] | undefined;
  /** Has one of these keys. */
  readonly keys?: readonly string[] | undefined;
  /** Has one of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** Came from one of these topics. */
  readonly originTopics?: readonly string[] | undefined;
  /** Its reason contains this, whatever the case. One whose reason is not known does not. */
  readonly reason?: string | undefined;
  /** Died at or after, ms since the epoch. */
  readonly fromMs?: number | undefined;
  /** Died before. */
  readonly toMs?: number | undefined;
  /** At most so many, the oldest of each queue first. */
  readonly max?: number | undefined;
}

/** Throws INVALID_ARGUMENT. */
export function checkSelection({ max, fromMs, toMs }: DeadLetterSelection): void {
  for (const [name, value] of Object.entries({ max, fromMs, toMs })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue;
    throw new OrbitError("INVALID_ARGUMENT", `${name} must be a whole number that is not negative`);
  }
}

export function isSelected(letter: DeadLetter, selection: DeadLetterSelection): boolean {
  const { ids, keys, tags, originTopics, reason, fromMs, toMs } = selection;
  const among = (list: readonly string[] | undefined, ...values: (string | undefined)[]): boolean =>
    list === undefined || values.some((value) => value !== undefined && list.includes(value));
  return (
    among(ids, letter.msgId, letter.offsetMsgId, letter.originMsgId) &&
    among(keys, ...letter.keys) &&
    among(tags, letter.tag) &&
    among(originTopics, letter.originTopic) &&
    (reason === undefined || letter.reason?.toLowerCase().includes(reason.toLowerCase()) === true) &&
    letter.diedTimestamp >= (fromMs ?? 0) &&
    letter.diedTimestamp < (toMs ?? Number.POSITIVE_INFINITY)
  );
}
