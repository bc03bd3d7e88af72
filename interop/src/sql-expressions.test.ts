/**
 * Random SQL92 expressions over random properties, answered by RocketMQ's filter module and by ours: the same, but for
 * the differences that docs/differences.md names.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brokerDefaults, SqlFilter } from "@orbitmq/broker";
import { javaClasspath } from "./java-classpath.ts";

const timeout = 60_000;
const EXPRESSIONS = 5_000;
const SETS = 6;
const program = fileURLToPath(new URL("../java/filter/Filters.java", import.meta.url));

let state = Number(process.env["ORBITMQ_SQL_SEED"] ?? 1);
function int(bound: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

function pick<T>(items: readonly T[]): T {
  return items[int(items.length)]!;
}

const words = (all: string) => all.split(" ");
const NAMES = words("a b c flag");
const NUMBERS = words(
  "0 1 5 10 -3 2147483647 2147483648 -2147483648 3000000000 9007199254740993 9223372036854775807 9223372036854775808 5L 7l 1.5 5. 5.0 .5 1E3 3.1e10 1e400 007 9007199254740992.0 +4 --4",
);
const TEXTS = words("'' 'x' 'it''s' '5' 'a.b' 'abc' 'true' '1.5' 'é'");
const VALUES = [
  ...words(
    "5 5.0 1.5 x abc true TRUE false 3000000000 -3 +5 2147483648 9223372036854775807 9223372036854775808",
  ),
  ...words(
    "-9223372036854775808 9007199254740993 9007199254740992 NaN Infinity 1e3 1.5d 1.5f it's a.b 0 -0 -0.0",
  ),
  ...["", " 5", "5 ", "00005", "000000000000000000000000012", "é", "0x10"],
];
const SOUP = words(
  "a b = <> > <= ( ) , NOT AND OR IN IS NULL BETWEEN CONTAINS 'x' 5 1.5 - + -- /* */ # ' 1e . _ é",
);

const cased = (word: string) => pick([word, word.toLowerCase(), word[0] + word.slice(1).toLowerCase()]);

function value(depth: number): string {
  const kind = int(12);
  if (kind < 5) return pick(NAMES);
  if (kind < 8) return pick(NUMBERS);
  if (kind < 9) return pick(TEXTS);
  if (kind < 10) return cased(pick(["TRUE", "FALSE", "NULL"]));
  return depth > 0 ? `${pick(["-", "+", "", "NOT "])}(${expression(depth - 1)})` : pick(["-a", "+b", "c"]);
}

function comparison(depth: number): string {
  const left = value(depth);
  const not = int(5) < 2 ? ` ${cased("NOT")}` : "";
  const texts = () => Array.from({ length: 1 + int(6) }, () => pick(TEXTS)).join(", ");
  return pick([
    () => `${left} ${pick(words("= <> > >= < <= = <>"))} ${value(depth)}`,
    () => `${left} ${pick(words("= <> > >= < <="))} ${value(depth)}`,
    () => `${left}${not} ${cased("BETWEEN")} ${value(depth)} ${cased("AND")} ${value(depth)}`,
    () => `${left} is${not} ${cased("NULL")}`,
    () => `${left}${not} ${cased("IN")} (${texts()})`,
    () => `${left}${not} ${cased(pick(words("CONTAINS STARTSWITH ENDSWITH")))} ${pick(TEXTS)}`,
    () => `${cased("NOT")} ${depth > 0 ? `(${expression(depth - 1)})` : left}`,
    () => left,
  ])();
}

function expression(depth: number): string {
  let all = comparison(depth);
  while (int(3) === 0) all += ` ${cased(pick(["AND", "OR"]))} ${comparison(depth)}`;
  return all;
}

function maybeDamaged(): string {
  const whole = expression(2);
  const at = int(whole.length + 1);
  return int(4) > 0 ? whole : whole.slice(0, at) + pick(SOUP) + whole.slice(at + int(3));
}

type Properties = Readonly<Record<string, string>>;

/** Whether each set matches, and whether it failed; or why the expression is illegal. */
function ours(expression: string, sets: readonly Properties[]): string | Error {
  try {
    return sets
      .map((properties) => {
        const filter = new SqlFilter(expression, brokerDefaults);
        const matches = filter.matches({ get: (name) => properties[name] ?? null });
        return filter.failures > 0 ? "fails" : String(matches);
      })
      .join(" ");
  } catch (error) {
    return error as Error;
  }
}

async function java(lines: readonly string[]): Promise<readonly string[]> {
  const child = spawn("java", ["-cp", await javaClasspath("5.5.0"), program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(`${lines.join("\n")}\n`);
  return (await text(child.stdout)).replaceAll("null", "false").trimEnd().split("\n");
}

const base64 = (plain: string) => Buffer.from(plain).toString("base64");
const line = (expression: string, sets: readonly Properties[]) =>
  [base64(expression), ...sets.map(setOf)].join("\t");
const setOf = (set: Properties) =>
  Object.entries(set)
    .map(([name, value]) => `${name}:${base64(value)}`)
    .join(",");

/** Of ours: what follows an expression is refused, 0.0 and 1e-400 are numbers, a comment may end without its line. */
function isKnownDifference(expression: string, answer: string | Error, theirs: string): boolean {
  if (answer instanceof Error) return /ended before this|closing quote|begin with this/.test(answer.message);
  return theirs === "illegal" && /\.0|0\.|e-/i.test(expression);
}

test("RocketMQ's filter module and ours answer alike", { timeout }, async () => {
  const cases = Array.from({ length: EXPRESSIONS }, () => {
    const sets = Array.from({ length: SETS }, () =>
      Object.fromEntries(NAMES.filter(() => int(4) > 0).map((name) => [name, pick(VALUES)])),
    );
    return { expression: maybeDamaged(), sets };
  });
  const answers = await java(cases.map(({ expression, sets }) => line(expression, sets)));
  assert.equal(answers.length, EXPRESSIONS);
  const seen = { legal: 0, illegal: 0, different: 0 };
  for (const [i, { expression, sets }] of cases.entries()) {
    const theirs = answers[i]!;
    const answer = ours(expression, sets);
    if (answer instanceof Error ? theirs === "illegal" : theirs === answer) {
      seen[theirs === "illegal" ? "illegal" : "legal"]++;
      continue;
    }
    assert.ok(
      isKnownDifference(expression, answer, theirs),
      `${expression} over ${JSON.stringify(sets)}: RocketMQ ${theirs}, ours ${answer}`,
    );
    seen.different++;
  }
  assert.ok(seen.legal > EXPRESSIONS / 5 && seen.illegal > EXPRESSIONS / 5, JSON.stringify(seen));
  assert.ok(seen.different < EXPRESSIONS / 10, JSON.stringify(seen));
});
