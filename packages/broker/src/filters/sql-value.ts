/**
 * What a SQL92 expression computes with, compared by RocketMQ's rules (ComparisonExpression): Java's Integer, Long,
 * Double, String and Boolean. A property is a text; beside a number it is read as that kind of number, beside a
 * boolean as a boolean. What cannot be compared makes the whole expression fail, and a message it fails on does not
 * match.
 *
 *   left \ right   number           text                    boolean
 *   number         by value         text as left's kind     never equal, left is less
 *   text           as right's kind  equality only           text as boolean
 *   boolean        left is less     fails                   FALSE < TRUE
 *
 * Longs beyond 2^53 are compared by their digits.
 */
export type NumberKind = "int" | "long" | "double";

export class SqlNumber {
  readonly kind: NumberKind;
  /** The value, rounded where it is a long beyond 2^53. */
  readonly value: number;
  /** Exact digits with sign of a whole number beyond 2^53; "" otherwise. */
  readonly digits: string;

  constructor(kind: NumberKind, value: number, digits = "") {
    this.kind = kind;
    this.value = value;
    this.digits = digits;
  }

  get negated(): SqlNumber {
    const digits = this.digits.startsWith("-") ? this.digits.slice(1) : `-${this.digits}`;
    const value = this.kind === "double" ? -this.value : 0 - this.value;
    return new SqlNumber(this.kind, value, this.digits === "" ? "" : digits);
  }
}

/** An expression failed: two values could not be compared. */
export class SqlFailure {
  readonly left: SqlValue;
  readonly symbol: string;
  readonly right: SqlValue;

  constructor(left: SqlValue, symbol: string, right: SqlValue) {
    this.left = left;
    this.symbol = symbol;
    this.right = right;
  }

  get reason(): string {
    return `cannot compare ${shown(this.left)} ${this.symbol} ${shown(this.right)}`;
  }
}

export type SqlValue = string | boolean | SqlNumber | null;

const SHOWN_MAX = 64;

function shown(value: SqlValue): string {
  if (typeof value === "string") return `'${value.slice(0, SHOWN_MAX)}'`;
  return value instanceof SqlNumber ? value.digits || String(value.value) : String(value);
}

const INT_MIN = -2_147_483_648;
const INT_MAX = 2_147_483_647;
const LONG_MAX_DIGITS = "9223372036854775807";
const LONG_MIN_DIGITS = "9223372036854775808";
/** Whole numbers of so many digits are exact. */
const EXACT_DIGITS = 15;
const WHOLE_TEXT = /^[+-]?[0-9]+$/;
const DOUBLE_TEXT = /^[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)$/;
/** What Java's Double.valueOf trims. */
const OUTER_BLANKS = /^[\0- ]+|[\0- ]+$/g;

/** A whole literal without its suffix, an int where it fits; `undefined` beyond a long. */
export function wholeLiteral(text: string): SqlNumber | undefined {
  const digits = signedDigits(text, "long");
  if (digits === undefined) return undefined;
  const value = Number(digits);
  const kind = value >= INT_MIN && value <= INT_MAX ? "int" : "long";
  return new SqlNumber(kind, value, Number.isSafeInteger(value) ? "" : digits);
}

/** Less than, equal to or greater than 0; NaN when the two cannot be compared. */
export function compareValues(left: string | boolean | SqlNumber, right: typeof left): number {
  if (typeof left === "string") {
    if (typeof right === "string") return left < right ? -1 : left > right ? 1 : 0;
    if (typeof right === "boolean") return Number(booleanOf(left)) - Number(right);
    return compareText(left, right);
  }
  if (typeof left === "boolean") {
    if (typeof right === "string") return Number.NaN;
    return typeof right === "boolean" ? Number(left) - Number(right) : -1;
  }
  if (typeof right === "string") return -compareText(right, left);
  return typeof right === "boolean" ? -1 : compareNumbers(left, right);
}

/** Two texts in the order of the numbers they are; NaN when one is none. RocketMQ: `>` and the like between properties. */
export function compareAsDoubles(left: string, right: string): number {
  const a = doubleOf(left);
  const b = doubleOf(right);
  return a === undefined || b === undefined ? Number.NaN : compareDoubles(a, b);
}

/** Java: Boolean.valueOf. */
function booleanOf(text: string): boolean {
  return text.length === 4 && text.toLowerCase() === "true";
}

/** Java: Double.valueOf, hexadecimal numbers left out; `undefined` where it throws. */
function doubleOf(text: string): number | undefined {
  const trimmed = text.replace(OUTER_BLANKS, "");
  if (!DOUBLE_TEXT.test(trimmed)) return undefined;
  return Number(/[fFdD]$/.test(trimmed) ? trimmed.slice(0, -1) : trimmed);
}

/** Java: Double.compare. */
function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) {
    if (left !== 0) return 0;
    return Number(Object.is(right, -0)) - Number(Object.is(left, -0));
  }
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function compareText(text: string, to: SqlNumber): number {
  if (to.kind === "double") {
    const value = doubleOf(text);
    return value === undefined ? Number.NaN : compareDoubles(value, to.value);
  }
  if (text.length <= EXACT_DIGITS && to.digits === "") {
    if (!WHOLE_TEXT.test(text)) return Number.NaN;
    const value = Number(text);
    if (to.kind === "int" && (value < INT_MIN || value > INT_MAX)) return Number.NaN;
    return value - to.value;
  }
  const digits = signedDigits(text, to.kind);
  return digits === undefined ? Number.NaN : compareDigits(digits, digitsOf(to));
}

function compareNumbers(left: SqlNumber, right: SqlNumber): number {
  if (left.kind === "double" || right.kind === "double") return compareDoubles(left.value, right.value);
  if (left.digits === "" && right.digits === "") return left.value - right.value;
  return compareDigits(digitsOf(left), digitsOf(right));
}

function digitsOf(whole: SqlNumber): string {
  return whole.digits === "" ? String(whole.value) : whole.digits;
}

/** A whole number as Java's Integer.valueOf and Long.valueOf read it, without plus sign and leading zeros; `undefined` where they throw. */
function signedDigits(text: string, kind: "int" | "long"): string | undefined {
  if (!WHOLE_TEXT.test(text)) return undefined;
  const isNegative = text.startsWith("-");
  const digits = text.replace(/^[+-]?0*(?=[0-9])/, "");
  if (digits === "0") return digits;
  const [min, max] =
    kind === "int" ? [String(-INT_MIN), String(INT_MAX)] : [LONG_MIN_DIGITS, LONG_MAX_DIGITS];
  if (compareDigits(digits, isNegative ? min : max) > 0) return undefined;
  return isNegative ? `-${digits}` : digits;
}

/** Of two canonical whole numbers. */
function compareDigits(left: string, right: string): number {
  const isNegative = left.startsWith("-");
  if (isNegative !== right.startsWith("-")) return isNegative ? -1 : 1;
  const sign = isNegative ? -1 : 1;
  if (left.length !== right.length) return sign * (left.length - right.length);
  return left === right ? 0 : left < right ? -sign : sign;
}
