/**
 * The words of a SQL92 filter expression (RocketMQ: the tokens of SelectorParser.jj). Tokens are made one at a time,
 * as far as the parser asks.
 *
 *   word     [A-Za-z_$][A-Za-z0-9_$]*    a keyword in any case, or a property's name as written
 *   whole    0 | [1-9][0-9]*[lL]?        decimal   1.5  .5  5.  5E10  in any case
 *   text     'it''s'                     symbol    = <> > >= < <= ( ) , + -
 *   blanks, `--` to the end of a line, and comments between slash and star mean nothing
 */
import { BrokerError } from "../broker-error.ts";

export type TokenKind = "keyword" | "name" | "whole" | "decimal" | "text" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** A keyword in capitals, a name, a number or symbol as written, a text without its quotes; "" at the end. */
  readonly value: string;
  /** Where it begins in the expression. */
  readonly at: number;
}

const KEYWORDS = new Set([
  "NOT",
  "AND",
  "OR",
  "BETWEEN",
  "IN",
  "TRUE",
  "FALSE",
  "NULL",
  "IS",
  "CONTAINS",
  "STARTSWITH",
  "ENDSWITH",
]);
/** A line comment counts only when its line ends; the longest of the others wins, as in RocketMQ. */
const IGNORED = /[ \t\n\r\f]+|--[^\n\r]*[\n\r]|\/\*(?:[^*]|\*(?!\/))*\*\//y;
const WORD = /[a-z_$][a-z0-9_$]*/iy;
const DECIMAL = /[0-9]+\.[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+/iy;
const WHOLE = /0|[1-9][0-9]*l?/iy;
const SYMBOL = /<>|>=|<=|[=<>(),+-]/y;
/** How much of an expression an error shows. */
const SHOWN_MAX = 32;

export class SqlTokens {
  readonly text: string;
  #at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Throws BrokerError ILLEGAL_EXPRESSION where no token begins. */
  next(): Token {
    while (this.#match(IGNORED) !== undefined);
    const at = this.#at;
    if (at === this.text.length) return { kind: "end", value: "", at };
    const word = this.#match(WORD);
    if (word !== undefined) {
      const upper = word.toUpperCase();
      return KEYWORDS.has(upper) ? { kind: "keyword", value: upper, at } : { kind: "name", value: word, at };
    }
    const decimal = this.#match(DECIMAL);
    if (decimal !== undefined) return { kind: "decimal", value: decimal, at };
    const whole = this.#match(WHOLE);
    if (whole !== undefined) return { kind: "whole", value: whole, at };
    const symbol = this.#match(SYMBOL);
    if (symbol !== undefined) return { kind: "symbol", value: symbol, at };
    if (this.text[at] === "'") return { kind: "text", value: this.#quoted(at), at };
    throw illegalAt(this.text, at, "nothing can begin with this");
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #quoted(start: number): string {
    const { text } = this;
    let at = text.indexOf("'", start + 1);
    while (at >= 0 && text[at + 1] === "'") at = text.indexOf("'", at + 2);
    if (at < 0) throw illegalAt(text, start, "its closing quote is missing");
    this.#at = at + 1;
    return text.slice(start + 1, at).replaceAll("''", "'");
  }
}

/** What is wrong with an expression, and where. */
export function illegalAt(text: string, at: number, problem: string): BrokerError {
  const rest = text.slice(at, at + SHOWN_MAX);
  const where = rest === "" ? "at its end" : `at ${at}, ${JSON.stringify(rest)}`;
  return new BrokerError("ILLEGAL_EXPRESSION", `illegal SQL92 expression ${where}: ${problem}`);
}
