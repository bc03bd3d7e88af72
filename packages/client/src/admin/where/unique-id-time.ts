/**
 * When a unique id was made, as far as it says: it counts milliseconds from the beginning of a month, of which one it does
 * not say (RocketMQ: MessageClientIDSetter.getNearlyTimeFromID).
 */

/** Address, process and instance stand before the time. */
const DIGITS_BEFORE = new Map([
  [32, 20],
  [56, 44],
]);
const DAY_MS = 86_400_000;
const MONTH_MS_MAX = 31 * DAY_MS;

/** Wall ms, in the newest month that lies before `nowMs`; `undefined` when the id is of another kind. */
export function bornAbout(id: string, nowMs: number): number | undefined {
  const at = DIGITS_BEFORE.get(id.length);
  if (at === undefined || !/^[0-9A-Fa-f]+$/.test(id)) return undefined;
  const ms = Number.parseInt(id.slice(at, at + 8), 16);
  if (ms >= MONTH_MS_MAX + DAY_MS) return undefined;
  const month = monthStart(nowMs);
  // Java counts from the beginning of its local month.
  return month + ms <= nowMs + DAY_MS ? month + ms : monthStart(month - DAY_MS) + ms;
}

const PARTS = new Intl.DateTimeFormat("sv-SE", { timeZone: "UTC", day: "numeric" });

function monthStart(ms: number): number {
  const day = ms - (ms % DAY_MS);
  return day - (Number(PARTS.format(day)) - 1) * DAY_MS;
}
