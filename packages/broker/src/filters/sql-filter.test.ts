import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { brokerDefaults } from "../broker-options.ts";
import { SqlFilter } from "./sql-filter.ts";
import { parseSql } from "./sql-parser.ts";
import { SqlFailure, SqlNumber, type SqlValue } from "./sql-value.ts";

type Outcome = boolean | null | "fails" | "illegal";
type Properties = Readonly<Record<string, SqlValue>>;

function outcome(text: string, properties: Properties = {}): Outcome {
  try {
    const value = parseSql(text, brokerDefaults).evaluate({ get: (name) => properties[name] ?? null });
    if (value instanceof SqlFailure) return "fails";
    return typeof value === "boolean" ? value : null;
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, "ILLEGAL_EXPRESSION", String(error));
    return "illegal";
  }
}

const int = (value: number) => new SqlNumber("int", value);
const double = (value: number) => new SqlNumber("double", value);

const AND = "a=3 and b<>4 And c>5 AND d<=4";
const OR = "a=3 or b<>4 Or c>5 OR d<=4";
const ALL_IN_ONE = "a not in ('4', '4', '5') and b between 3 and 10 and c not";

/** The cases of RocketMQ 5.5's ExpressionTest; null is what it takes for FALSE. */
const EXPRESSION_TEST: readonly (readonly [string, Properties, Outcome])[] = [
  ...searches("value", { value: "axb" }, ["'x'", "'ax'", "'xb'"], true),
  ...searches("value", { value: "abb" }, ["'x'", "'x'", "'x'"], false),
  ...neither("value", { value: "axb" }, "''"),
  ...neither("value", { value: null }, "'x'"),
  ...neither("value", {}, "'x'"),
  ...neither("value", { value: double(1.23) }, "'x'"),
  ...neither("value", { value: true }, "'x'"),
  ["value contains x", { value: "axb" }, "illegal"],
  ["value not contains x", { value: "axb" }, "illegal"],
  ["value contains 123", { value: "axb" }, "illegal"],
  ["value not contains 123", { value: "axb" }, "illegal"],
  ...searches("'axb'", { whatever: "whatever" }, ["'x'", "'ax'", "'xb'"], true),
  ...searches("'axb'", { whatever: "whatever" }, ["'u'", "'u'", "'u'"], false),
  ...neither("'axb'", { whatever: "whatever" }, "''"),
  ...searches("' '", {}, ["' '", "' '", "' '"], true),
  ["'axb' contains ", {}, "illegal"],
  ["'axb' not contains ", {}, "illegal"],
  ...searches("'axb'", {}, ["'.'", "'.'", "'.'"], false),
  ...searches("'s'", {}, ["'\\'", "'\\'", "'\\'"], false),
  [`${ALL_IN_ONE} contains 'axbc'`, { a: "3", b: int(3), c: "axbdc" }, true],
  [`${ALL_IN_ONE} startswith 'axbc'`, { a: "3", b: int(3), c: "axbdc" }, true],
  [`${ALL_IN_ONE} endswith 'axbc'`, { a: "3", b: int(3), c: "axbdc" }, true],
  ["TAGS is not null and TAGS='''''tag'''''", { TAGS: "''tag''" }, true],
  ["a between up and low", { a: "3.14" }, null],
  ["a between up and low", { a: "3.14", up: "up", low: "low" }, "fails"],
  ["key is not null and key between 0 and 100", { key: "con" }, "fails"],
  ["a between 0 and 100", { a: "abc" }, "fails"],
  ["a=b", { a: "3.14", b: "3.14" }, true],
  ["a<>b", { a: "3.14", b: "3.14" }, false],
  ["a<>b", { a: "3.14", b: "3.141" }, true],
  ["a > 3.1E10", { a: "31415000000.0" }, true],
  ["a > 3.14", { a: "3.1415" }, true],
  ["a > b", { a: "10", b: "20" }, false],
  ["a > b", { a: "20", b: "10" }, true],
  ["a is null OR a='hello'", {}, true],
  ["a is null OR a='hello'", { a: "hello" }, true],
  ["a is null OR a='hello'", { a: "abc" }, false],
  ["a=TRUE OR b=FALSE", { a: "true", b: "false" }, true],
  ["a=TRUE OR b=FALSE", { a: "false", b: "true" }, false],
  ["a is not null and a='hello'", { a: "hello" }, true],
  ["a is not null and a='hello'", {}, false],
  [AND, { a: int(3), b: int(5), c: int(6), d: int(1) }, true],
  [AND, { a: "3", b: "5", c: "6", d: "1" }, true],
  [AND, { a: int(4), b: int(5), c: int(6), d: int(1) }, false],
  [AND, { a: "4", b: "5", c: "6", d: "1" }, false],
  [OR, { a: int(3) }, true],
  [OR, { a: int(4), b: int(5) }, true],
  [OR, { a: int(4), b: int(4), c: int(6) }, true],
  [OR, { a: int(4), b: int(4), c: int(3), d: int(2) }, true],
  [OR, { a: int(4), b: int(4), c: int(3), d: int(10) }, false],
  ...each("a in ('3', '4', '5')", { 3: true, 4: true, 5: true, 8: false }),
  ...each("a not in ('3', '4', '5')", { 3: false, 4: false, 5: false, 8: true }),
  ...each("a between 2 and 10", { 2: true, 3: true, 10: true, 1: false, 11: false }),
  ...each("a not between 2 and 10", { 2: false, 3: false, 10: false, 1: true, 11: true }),
  ["a is null", { abc: "2" }, true],
  ["a is null", { a: "2" }, false],
  ["a is not null", { a: "2" }, true],
  ["a is not null", { abc: "2" }, false],
  ["a is not null and a > 0", {}, false],
];

/** The cases of RocketMQ 5.5's ParserTest. */
const PARSER_TEST: readonly (readonly [string, boolean])[] = [
  [AND, true],
  ["a=3  and    b<>4 And c>5 AND d<=4", true],
  [OR, true],
  ["a in ('3', '4', '5')", true],
  ["(a not in ('6', '4', '5')) or (b in ('3', '4', '5'))", true],
  ["(a between 2 and 10) AND (b not between 6 and 9)", true],
  ["a is null", true],
  ["a is not null", true],
  ["a <= now", true],
  ["a=3 and b contains 'xxx' and c not contains 'xxx'", true],
  ["a and between 2 and 10", false],
  ["a > 100000000000000000000000", false],
  [`a > ${"1".repeat(400)}.${"1".repeat(400)}`, false],
  [" a between 10 and 0", false],
];

/** Answers of the filter module of RocketMQ 5.5.0 itself. */
const ANSWERS: readonly (readonly [string, Properties, Outcome])[] = [
  // A property is read as what stands on the other side.
  ["a > 5", { a: "2147483648" }, "fails"],
  ["a > 5000000000", { a: "2147483648" }, false],
  ["a > 5", { a: "5.5" }, "fails"],
  ["a > 5.0", { a: "5.5" }, true],
  ["a > 5.0", { a: " 5.5 " }, true],
  ["a = 5", { a: " 5" }, "fails"],
  ["a = 5", { a: "+005" }, true],
  ["a = 5.0", { a: "5f" }, true],
  ["a = 5L", { a: "5" }, true],
  ["a = TRUE", { a: "TrUe" }, true],
  ["a = FALSE", { a: "anything" }, true],
  ["TRUE = a", { a: "true" }, "fails"],
  ["5 = a", { a: "5" }, true],
  ["5 < a", { a: "6" }, true],
  ["a = '5'", { a: "5.0" }, false],
  ["a = b", { a: "5", b: "5.0" }, false],
  ["a >= b", { a: "5", b: "5.0" }, true],
  ["a >= b", { a: "NaN", b: "Infinity" }, true],
  ["a < b", { a: "-0.0", b: "0" }, true],
  // 64 bits, exactly.
  ["a = 9007199254740993", { a: "9007199254740992" }, false],
  ["a > 9007199254740992", { a: "9007199254740993" }, true],
  ["a = 9223372036854775807", { a: "9223372036854775807" }, true],
  ["a = 9223372036854775807", { a: "9223372036854775808" }, "fails"],
  ["a < -9223372036854775807", { a: "-9223372036854775808" }, true],
  ["a = -9223372036854775808", { a: "1" }, "illegal"],
  ["a = 9007199254740993", { a: "000009007199254740993" }, true],
  ["9007199254740993 > 9007199254740992.0", {}, false],
  // Unknown.
  ["a = b", {}, true],
  ["a = b", { a: "x" }, false],
  ["a = b", { b: "x" }, null],
  ["a <> b", { a: "x" }, true],
  ["a <> b", { b: "x" }, null],
  ["NULL IS NULL", {}, true],
  ["a = NULL", {}, "illegal"],
  ["a > 5 AND b = 'x'", { b: "y" }, false],
  ["a > 5 OR b = 'x'", { b: "x" }, true],
  ["NOT (a > 5)", {}, null],
  ["a NOT IN ('x')", {}, null],
  ["a NOT BETWEEN 1 AND 2", {}, null],
  ["NULL AND a = 'x'", { a: "y" }, false],
  // What fails, fails for all, unless it was decided before.
  ["a > 5 OR b = 'x'", { a: "no", b: "x" }, "fails"],
  ["b = 'x' OR a > 5", { a: "no", b: "x" }, true],
  ["b = 'y' AND a > 5", { a: "no", b: "x" }, false],
  ["NOT (a > 5)", { a: "no" }, "fails"],
  // NOT binds tightest, a property by itself is never true.
  ["NOT a = TRUE", { a: "true" }, true],
  ["NOT a > 5", { a: "1" }, "illegal"],
  ["flag", { flag: "true" }, false],
  ["NOT flag", { flag: "true" }, true],
  ["flag", {}, null],
  // Signs.
  ["a = -5", { a: "-5" }, true],
  ["a = - -5", { a: "5" }, true],
  ["a = + 5", { a: "5" }, true],
  ["-a > 5", { a: "-6" }, null],
  ["a between -1 and -5", { a: "-3" }, false],
  ["-'x' IS NULL", {}, true],
  ["a in ('x') = TRUE", { a: "x" }, true],
  ["(a) in ('x')", { a: "x" }, true],
  ["'x' in ('x')", {}, "illegal"],
  ["a = 1 = 1", { a: "1" }, false],
  ["TRUE = 1", {}, "illegal"],
  ["1 = TRUE", {}, false],
  ["TRUE > FALSE", {}, "illegal"],
  ["a > 'x'", {}, "illegal"],
  ["a between '1' and '5'", {}, "illegal"],
  ["5", {}, "illegal"],
  ["'x'", {}, "illegal"],
  ["TRUE", {}, true],
  ["", {}, "illegal"],
  ["a is", {}, "illegal"],
  ["a not", {}, "illegal"],
  ["a in (1, 2)", {}, "illegal"],
  ["a in ()", {}, "illegal"],
  ["a = 'open", {}, "illegal"],
  ["a != 5", {}, "illegal"],
  ["a = 5;", {}, "illegal"],
  ["a == 5", {}, "illegal"],
  ["é = 5", {}, "illegal"],
  ["$a_1 = 'é'", { $a_1: "é" }, true],
  ["A = 'x'", { a: "x" }, null],
  // Comments and numbers.
  ["a /* b */ = -- c\n 5", { a: "5" }, true],
  ["a = --5", { a: "5" }, true],
  ["a = 5 /* open", { a: "5" }, "illegal"],
  ["a = 5.", { a: "5" }, true],
  ["a = .5", { a: "0.5" }, true],
  ["a = 5e0", { a: "5" }, true],
  ["a > 1e400", {}, "illegal"],
];

/** Where this parser is stricter or more lenient than RocketMQ's: docs/differences.md. */
const DIFFERENT: readonly (readonly [string, Properties, Outcome])[] = [
  ["a = 5 b = 6", { a: "5" }, "illegal"],
  ["a LIKE 'x%'", { a: "x" }, "illegal"],
  ["(a = 5))", { a: "5" }, "illegal"],
  ["a = 5 -- the rest", { a: "5" }, true],
  ["a > 0.0", { a: "0.5" }, true],
];

function searches(of: string, properties: Properties, texts: readonly string[], found: boolean) {
  const kinds = ["contains", "startswith", "endswith"];
  return kinds.flatMap((kind, i) => [
    [`${of} ${kind} ${texts[i]}`, properties, found] as const,
    [`${of} not ${kind} ${texts[i]}`, properties, !found] as const,
  ]);
}

function neither(of: string, properties: Properties, text: string) {
  return searches(of, properties, [text, text, text], false).map(
    ([expression]) => [expression, properties, false] as const,
  );
}

function each(expression: string, byValue: Readonly<Record<string, boolean>>) {
  return Object.entries(byValue).map(([a, expected]) => [expression, { a }, expected] as const);
}

describe("a SQL92 filter", () => {
  for (const [name, table] of Object.entries({ EXPRESSION_TEST, ANSWERS, DIFFERENT })) {
    it(`evaluates to what it should: ${name}`, () => {
      for (const [text, properties, expected] of table) {
        assert.equal(outcome(text, properties), expected, `${text} with ${JSON.stringify(properties)}`);
      }
    });
  }

  it("is legal or not as in RocketMQ's own test", () => {
    for (const [text, isLegal] of PARSER_TEST) assert.equal(outcome(text) !== "illegal", isLegal, text);
  });

  it("matches only what is true, and keeps why it failed", () => {
    const filter = new SqlFilter("a > 5", brokerDefaults);
    const matches = (a: string | null) => filter.matches({ get: () => a });
    assert.deepEqual([matches("6"), matches("5"), matches(null)], [true, false, false]);
    assert.deepEqual([filter.failures, filter.lastFailure], [0, undefined]);
    assert.equal(matches("six"), false);
    assert.deepEqual([filter.failures, filter.lastFailure], [1, "cannot compare 'six' > 5"]);
  });

  it("tells where an expression is illegal", () => {
    const message = (text: string): string => {
      try {
        parseSql(text, brokerDefaults);
      } catch (error) {
        return (error as Error).message;
      }
      return "legal";
    };
    assert.match(message("a > 5 AND b LIKE 'x'"), /at 12, "LIKE 'x'": the expression has ended before this/);
    assert.match(message("a in ('x'"), /at its end: a comma or \) is expected/);
    assert.match(message("a = NULL"), /IS NULL/);
    assert.match(message("a > 99999999999999999999"), /64 bits/);
  });

  it("is refused when it is too long, too deep, or has too many parts", () => {
    const { filterExpressionLengthMax, filterTermsMax, filterDepthMax, filterSearchLengthMax } =
      brokerDefaults;
    const or = (count: number) => Array.from({ length: count }, (_, i) => `a = '${i}'`).join(" OR ");
    assert.equal(outcome(or(filterTermsMax), { a: "1" }), true);
    assert.equal(outcome(or(filterTermsMax + 1)), "illegal");
    const nested = (depth: number) => `${"(".repeat(depth)}a = 'x'${")".repeat(depth)}`;
    assert.equal(outcome(nested(filterDepthMax - 1), { a: "x" }), true);
    assert.equal(outcome(nested(filterDepthMax)), "illegal");
    assert.equal(outcome(nested(20_000)), "illegal");
    assert.equal(outcome(`${"NOT ".repeat(10_000)}a`), "illegal");
    assert.equal(outcome(`a${" = a".repeat(filterDepthMax)}`), "illegal");
    assert.equal(outcome(`a contains '${"x".repeat(filterSearchLengthMax)}'`), false);
    assert.equal(outcome(`a contains '${"x".repeat(filterSearchLengthMax + 1)}'`), "illegal");
    assert.equal(outcome(`${" ".repeat(filterExpressionLengthMax - 1)}a`), null);
    assert.equal(outcome(`${" ".repeat(filterExpressionLengthMax)}a`), "illegal");
    const texts = Array.from({ length: 5_000 }, (_, i) => `'${i}'`).join(",");
    assert.equal(outcome(`a in (${texts})`, { a: "4999" }), true);
  });
});
