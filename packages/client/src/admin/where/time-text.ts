/** Times as people read them: UTC to the second, and how far away. */

const FORMAT = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "UTC",
  dateStyle: "short",
  timeStyle: "medium",
});

/** `2026-01-31T12:00:00Z`. */
export function timeText(atMs: number): string {
  return `${FORMAT.format(atMs).replace(" ", "T")}Z`;
}

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** `2h 5m`, `12s`, `40ms`: the two largest units. */
export function spanText(ms: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(ms));
  for (const [name, unit] of UNITS) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) parts.push(`${count}${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || `${rest}ms`;
}

/** `2026-01-31T12:00:00Z (in 2h 5m)`. */
export function aheadText(atMs: number, nowMs: number): string {
  const away = atMs >= nowMs ? `in ${spanText(atMs - nowMs)}` : `${spanText(nowMs - atMs)} ago`;
  return `${timeText(atMs)} (${away})`;
}
