/**
 * The parts of a compiled SQL92 expression (RocketMQ: the classes of org.apache.rocketmq.filter.expression): each
 * is a function from a message's properties to a value. Logic is three-valued: null is unknown. A comparison that
 * fails makes everything around it fail, unless what stands before it has decided already.
 */
import { textFinder } from "./find-text.ts";
import { compareAsDoubles, compareValues, SqlFailure, SqlNumber, type SqlValue } from "./sql-value.ts";

/** The properties of one message. */
export interface PropertySource {
  /** Null when there is none of this name. */
  get(name: string): SqlValue;
}

export type Evaluate = (properties: PropertySource) => SqlValue | SqlFailure;

/** What the parser must know of a part to tell what it may stand beside. */
export interface SqlExpression {
  readonly evaluate: Evaluate;
  /** What it is, when it is a literal. */
  readonly constant?: SqlValue;
  /** Whose value it is, when it is a property. */
  readonly property?: string;
  /** It can be true, false or unknown and nothing else; the literal NULL counts. */
  readonly isBoolean: boolean;
  /** Nested calls it takes to evaluate. */
  readonly depth: number;
}

type Comparison = ">" | ">=" | "<" | "<=";

const accepts: Record<Comparison, (order: number) => boolean> = {
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
};

export function literal(constant: SqlValue): SqlExpression {
  const isBoolean = constant === null || typeof constant === "boolean";
  return { evaluate: () => constant, constant, isBoolean, depth: 1 };
}

export function property(name: string): SqlExpression {
  return { evaluate: (properties) => properties.get(name), property: name, isBoolean: false, depth: 1 };
}

/** A property by itself: true only when it is a boolean, which no text is. */
export function booleanCast({ evaluate, depth }: SqlExpression): SqlExpression {
  return boolean(depth, (properties) => {
    const value = evaluate(properties);
    return value === null || value instanceof SqlFailure ? value : value === true;
  });
}

export function not({ evaluate, depth }: SqlExpression): SqlExpression {
  return boolean(depth, (properties) => {
    const value = evaluate(properties);
    return typeof value === "boolean" ? !value : value;
  });
}

/** The negative of a number, unknown for everything else. */
export function negate({ evaluate, depth }: SqlExpression): SqlExpression {
  let last: SqlNumber | undefined;
  let negated: SqlNumber | undefined;
  return {
    isBoolean: false,
    depth: depth + 1,
    evaluate: (properties) => {
      const value = evaluate(properties);
      if (value instanceof SqlFailure) return value;
      if (!(value instanceof SqlNumber)) return null;
      if (value !== last) [last, negated] = [value, value.negated];
      return negated!;
    },
  };
}

/** AND of all: false as soon as one is false, unknown when one is. */
export function and(terms: readonly SqlExpression[]): SqlExpression {
  return decidedBy(terms, false);
}

/** OR of all: true as soon as one is true, unknown when one is. */
export function or(terms: readonly SqlExpression[]): SqlExpression {
  return decidedBy(terms, true);
}

function decidedBy(terms: readonly SqlExpression[], decision: boolean): SqlExpression {
  const all = terms.map(({ evaluate }) => evaluate);
  return boolean(Math.max(...terms.map(({ depth }) => depth)), (properties) => {
    let isUnknown = false;
    for (const evaluate of all) {
      const value = evaluate(properties);
      if (value === decision || value instanceof SqlFailure) return value;
      isUnknown ||= value === null;
    }
    return isUnknown ? null : !decision;
  });
}

/** Two unknowns are equal, an unknown on the left is unknown, one on the right is unequal: RocketMQ's ways. */
export function equal(left: SqlExpression, right: SqlExpression): SqlExpression {
  const [leftOf, rightOf] = [left.evaluate, right.evaluate];
  return boolean(Math.max(left.depth, right.depth), (properties) => {
    const a = leftOf(properties);
    if (a instanceof SqlFailure) return a;
    const b = rightOf(properties);
    if (b instanceof SqlFailure) return b;
    if (a === null) return b === null ? true : null;
    if (b === null) return false;
    const order = compareValues(a, b);
    return Number.isNaN(order) ? new SqlFailure(a, "=", b) : order === 0;
  });
}

/** Unknown when either is. Two texts are compared as numbers. */
export function ordered(left: SqlExpression, symbol: Comparison, right: SqlExpression): SqlExpression {
  const [leftOf, rightOf, isAccepted] = [left.evaluate, right.evaluate, accepts[symbol]];
  return boolean(Math.max(left.depth, right.depth), (properties) => {
    const a = leftOf(properties);
    if (a === null || a instanceof SqlFailure) return a;
    const b = rightOf(properties);
    if (b === null || b instanceof SqlFailure) return b;
    const isText = typeof a === "string" && typeof b === "string";
    const order = isText ? compareAsDoubles(a, b) : compareValues(a, b);
    return Number.isNaN(order) ? new SqlFailure(a, symbol, b) : isAccepted(order);
  });
}

/** Unknown for what is no text. */
export function oneOf(of: SqlExpression, texts: readonly string[], isNot: boolean): SqlExpression {
  const { evaluate, depth } = of;
  const set = new Set(texts);
  return boolean(depth, (properties) => {
    const value = evaluate(properties);
    if (value instanceof SqlFailure) return value;
    return typeof value === "string" ? set.has(value) !== isNot : null;
  });
}

export type Search = "CONTAINS" | "STARTSWITH" | "ENDSWITH";

const searches: Record<Search, (wanted: string) => (value: string) => boolean> = {
  CONTAINS: textFinder,
  STARTSWITH: (wanted) => (value) => value.startsWith(wanted),
  ENDSWITH: (wanted) => (value) => value.endsWith(wanted),
};

/** False, and false with NOT, too, for an empty text and for what is no text. */
export function search(of: SqlExpression, kind: Search, text: string, isNot: boolean): SqlExpression {
  const { evaluate, depth } = of;
  const isFound = searches[kind](text);
  return boolean(depth, (properties) => {
    if (text === "") return false;
    const value = evaluate(properties);
    if (value instanceof SqlFailure) return value;
    return typeof value === "string" && isFound(value) !== isNot;
  });
}

function boolean(depth: number, evaluate: Evaluate): SqlExpression {
  return { evaluate, isBoolean: true, depth: depth + 1 };
}
