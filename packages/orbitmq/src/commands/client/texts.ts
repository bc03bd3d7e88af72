/** How times, sizes, rates and the like are written for people. */

export const timeText = (ms: number): string => (ms > 0 ? new Date(ms).toISOString() : "never");

/** `4r`, `rw`, or `none`. */
export const permText = (perm: number): string => `${perm & 4 ? "r" : ""}${perm & 2 ? "w" : ""}` || "none";

export const PERM = { r: 4, w: 2, rw: 6, none: 0 } as const;

/** One decimal, a number to the right of a table. */
export const rateText = (perSecond: number): string => perSecond.toFixed(1);

export const percentText = (ratio: number): string => `${(ratio * 100).toFixed(0)} %`;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** The two largest units: `3 d 4 h`, `5 min 2 s`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** Names and values, one to a line, the values in a column. */
export function pairs(lines: readonly (readonly [string, string | number | boolean])[]): string {
  const width = Math.max(0, ...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${`${name.padEnd(width)}  ${value}`.trimEnd()}\n`).join("");
}

/** "broker-a and broker-b" */
export function listText(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? "nothing";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
