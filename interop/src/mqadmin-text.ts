/** What mqadmin printed, as lines that can be compared between two clusters: what differs between any two runs is masked. */
import type { SweepStep } from "./mqadmin-commands.ts";
import type { Printed } from "./mqadmin-side.ts";

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/127\.0\.0\.1@[\w-]+#\d+/g, "CLIENT"],
  [/127\.0\.0\.1:\d+/g, "ADDRESS"],
  [/\b[0-9A-F]{32}([0-9A-F]{24})?\b/g, "ID"],
  // Our client says so once it knows that its peer is of 5.x.
  [/\bNODE_JS\b/g, "OTHER"],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([,:.]\d{3})?/g, "TIME"],
  [/\b\d{13}\b/g, "MS"],
  [/\d+\.\d+(E-?\d+)?/g, "DECIMAL"],
  [/\b(__CRC32#|spentTimeMills)=\d+/g, "$1=N"],
  [/\brt=\d+ms/g, "RT"],
  [/\b(true|false) \d+$/gm, "$1 RT"],
  [/^[-=#*_ ]{8,}$/gm, "RULE"],
  [/[ \t]+/g, " "],
];

/** Lines that come and go with the moment. */
const NOISE: readonly RegExp[] = [
  /^(For more information, please visit the url|See https:)/,
  // What the client logs of connections that end under it.
  /^Caused by: \S+\.Remoting\w+Exception: /,
  // A command's own consumer, which may send a heartbeat behind its farewell.
  /@STREAM\b|^TOOLS_CONSUMER N /,
  // Committed for the first time at some moment or other.
  /^%RETRY%sweep-group broker-a 0 |"%RETRY%sweep-group"\}/,
];

/** `words`: the cluster's own values. The stack that says where in the client a refusal was met does not count. */
export function linesOf(
  { stdout, stderr }: Printed,
  words: readonly (readonly [string, string])[],
  only?: SweepStep["only"],
): string[] {
  const reasons = stderr
    .split("\n")
    .filter((line) => /^Caused by: |^java\.lang\.RuntimeException: /.test(line));
  let text = [stdout, ...reasons].join("\n");
  for (const [word, value] of [...words].sort(([, a], [, b]) => b.length - a.length))
    text = text.replaceAll(value, word);
  for (const [pattern, mask] of MASKS) text = text.replaceAll(pattern, mask);
  if (only === "words") text = text.replaceAll(/(?<![A-Z_])\d+/g, "N").replaceAll("DECIMAL", "N");
  // Entries of a hash map, and of a list, are lines of their own: they have no order.
  if (/^[[{]\S/.test(text)) text = text.replaceAll(/[,{](?=\{")|, /g, "\n").replaceAll(/^\[|[\]}]+$/gm, "");
  return text
    .split("\n")
    .map((line) => (only === "names" ? nameOf(line) : line).trim())
    .filter((line) => line !== "" && !NOISE.some((pattern) => pattern.test(line)));
}

/** Names that carry a path end where it begins. */
function nameOf(line: string): string {
  const [name = ""] = line.split(/[:=]/, 1);
  return name.replace(/_\/.*/, "_PATH");
}

export interface Difference {
  /** Lines that only one side printed, or printed more often. In any order: tables of hash maps have none. */
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

export function differenceOf(ours: readonly string[], theirs: readonly string[]): Difference {
  return { ours: without(ours, theirs), theirs: without(theirs, ours) };
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
