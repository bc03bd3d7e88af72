/**
 * Reads a SQL92 filter expression into its compiled parts (RocketMQ: SelectorParser.jj, with its priorities).
 *
 *   expression   and ("OR" and)*
 *   and          equality ("AND" equality)*
 *   equality     comparison ("=" comparison | "<>" comparison | "IS" "NOT"? "NULL")*
 *   comparison   unary (">" unary | ">=" unary | "<" unary | "<=" unary
 *                  | "NOT"? "BETWEEN" unary "AND" unary | "NOT"? "IN" "(" text ("," text)* ")"
 *                  | "NOT"? ("CONTAINS" | "STARTSWITH" | "ENDSWITH") text)*
 *   unary        ("+" | "-" | "NOT") unary | literal | property | "(" expression ")"
 *
 * NOT binds tightest: `NOT a = 5` is `(NOT a) = 5`. What can never be compared is refused here: NULL with `=`,
 * anything but numbers and properties with `>` and BETWEEN, a left end of BETWEEN above its right end.
 */
import {
  and,
  booleanCast,
  equal,
  literal,
  negate,
  not,
  oneOf,
  or,
  ordered,
  property,
  type SqlExpression,
  search,
} from "./sql-expressions.ts";
import { illegalAt, SqlTokens, type Token } from "./sql-tokens.ts";
import { compareValues, SqlNumber, wholeLiteral } from "./sql-value.ts";

/** What an expression may cost; beyond it, it is refused as illegal. */
export interface SqlLimits {
  /** Its characters. */
  readonly filterExpressionLengthMax: number;
  /** Comparisons, searches and IN lists in it. */
  readonly filterTermsMax: number;
  /** Parts within parts. */
  readonly filterDepthMax: number;
  /** Characters that CONTAINS and its like look for. */
  readonly filterSearchLengthMax: number;
}

/** Throws BrokerError ILLEGAL_EXPRESSION. */
export function parseSql(text: string, limits: SqlLimits): SqlExpression {
  return new Parser(text, limits).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: SqlTokens;
  readonly #limits: SqlLimits;
  #token: Token;
  #nesting = 0;
  #terms = 0;

  constructor(text: string, limits: SqlLimits) {
    const { filterExpressionLengthMax } = limits;
    if (text.length > filterExpressionLengthMax) {
      throw illegalAt(
        text,
        filterExpressionLengthMax,
        `it has ${text.length} characters, more than ${filterExpressionLengthMax}`,
      );
    }
    this.#text = text;
    this.#limits = limits;
    this.#tokens = new SqlTokens(text);
    this.#token = this.#tokens.next();
  }

  parse(): SqlExpression {
    const whole = this.#or();
    const { kind, at } = this.#token;
    const isComment = this.#text.startsWith("--", at);
    if (kind !== "end" && !isComment) throw this.#illegal("the expression has ended before this");
    return this.#asBoolean(whole);
  }

  #or(): SqlExpression {
    const left = this.#and();
    if (!this.#isKeyword("OR")) return left;
    const terms = [this.#asBoolean(left)];
    while (this.#takeKeyword("OR")) terms.push(this.#asBoolean(this.#and()));
    return this.#within(or(terms));
  }

  #and(): SqlExpression {
    const left = this.#equality();
    if (!this.#isKeyword("AND")) return left;
    const terms = [this.#asBoolean(left)];
    while (this.#takeKeyword("AND")) terms.push(this.#asBoolean(this.#equality()));
    return this.#within(and(terms));
  }

  #equality(): SqlExpression {
    let left = this.#comparison();
    for (;;) {
      if (this.#takeSymbol("=")) left = this.#equal(left, this.#comparison());
      else if (this.#takeSymbol("<>")) left = this.#within(not(this.#equal(left, this.#comparison())));
      else if (this.#takeKeyword("IS")) left = this.#isNull(left);
      else return left;
    }
  }

  #equal(left: SqlExpression, right: SqlExpression): SqlExpression {
    if (left.constant === null || right.constant === null) {
      throw this.#illegal("NULL is compared with IS NULL or IS NOT NULL");
    }
    if (typeof left.constant === "boolean" && right.constant !== undefined && !right.isBoolean) {
      throw this.#illegal("a boolean is compared with a number or a text");
    }
    return this.#term(equal(left, right));
  }

  #isNull(left: SqlExpression): SqlExpression {
    const isNot = this.#takeKeyword("NOT");
    if (!this.#takeKeyword("NULL")) throw this.#expected(isNot ? "NULL" : "NULL or NOT NULL");
    const isNull = this.#term(equal(left, literal(null)));
    return isNot ? this.#within(not(isNull)) : isNull;
  }

  #comparison(): SqlExpression {
    let left = this.#unary();
    for (;;) {
      const { kind, value } = this.#token;
      if (kind === "symbol" && (value === ">" || value === ">=" || value === "<" || value === "<=")) {
        this.#advance();
        left = this.#ordered(left, value, this.#unary());
        continue;
      }
      const isNot = this.#takeKeyword("NOT");
      if (this.#takeKeyword("BETWEEN")) left = this.#between(left, isNot);
      else if (this.#takeKeyword("IN")) left = this.#in(left, isNot);
      else if (this.#takeKeyword("CONTAINS")) left = this.#search(left, "CONTAINS", isNot);
      else if (this.#takeKeyword("STARTSWITH")) left = this.#search(left, "STARTSWITH", isNot);
      else if (this.#takeKeyword("ENDSWITH")) left = this.#search(left, "ENDSWITH", isNot);
      else if (isNot) throw this.#expected("BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH");
      else return left;
    }
  }

  #ordered(left: SqlExpression, symbol: ">" | ">=" | "<" | "<=", right: SqlExpression): SqlExpression {
    for (const side of [left, right]) {
      const isNumber = side.constant === undefined || side.constant instanceof SqlNumber;
      if (side.isBoolean || !isNumber) {
        throw this.#illegal(`only numbers and properties are compared with ${symbol} or BETWEEN`);
      }
    }
    return this.#term(ordered(left, symbol, right));
  }

  #between(value: SqlExpression, isNot: boolean): SqlExpression {
    const low = this.#unary();
    if (!this.#takeKeyword("AND")) throw this.#expected("AND");
    const high = this.#unary();
    if (isNot) {
      return this.#within(or([this.#ordered(value, "<", low), this.#ordered(value, ">", high)]));
    }
    const terms = [this.#ordered(value, ">=", low), this.#ordered(value, "<=", high)];
    if (low.constant instanceof SqlNumber && high.constant instanceof SqlNumber) {
      if (compareValues(high.constant, low.constant) < 0) {
        throw this.#illegal("the first value of BETWEEN is greater than the second");
      }
    }
    return this.#within(and(terms));
  }

  #in(left: SqlExpression, isNot: boolean): SqlExpression {
    if (left.property === undefined) throw this.#illegal("a property must stand before IN");
    if (!this.#takeSymbol("(")) throw this.#expected("(");
    const texts = [this.#quoted("IN")];
    while (this.#takeSymbol(",")) texts.push(this.#quoted("IN"));
    if (!this.#takeSymbol(")")) throw this.#expected("a comma or )");
    return this.#term(oneOf(left, texts, isNot));
  }

  #search(left: SqlExpression, kind: "CONTAINS" | "STARTSWITH" | "ENDSWITH", isNot: boolean): SqlExpression {
    const text = this.#quoted(kind);
    const { filterSearchLengthMax } = this.#limits;
    if (text.length > filterSearchLengthMax) {
      throw this.#illegal(
        `a text after ${kind} has ${text.length} characters, more than ${filterSearchLengthMax}`,
      );
    }
    return this.#term(search(left, kind, text, isNot));
  }

  #quoted(after: string): string {
    const { kind, value } = this.#token;
    if (kind !== "text") throw this.#expected(`a text in single quotes after ${after}`);
    this.#advance();
    return value;
  }

  #unary(): SqlExpression {
    const { filterDepthMax } = this.#limits;
    if (++this.#nesting > filterDepthMax) throw this.#illegal(`it is nested deeper than ${filterDepthMax}`);
    const found = this.#unaryWithin();
    this.#nesting--;
    return found;
  }

  #unaryWithin(): SqlExpression {
    if (this.#takeSymbol("+")) return this.#unary();
    if (this.#takeSymbol("-")) return this.#within(negate(this.#unary()));
    if (this.#takeKeyword("NOT")) return this.#within(not(this.#asBoolean(this.#unary())));
    if (this.#takeSymbol("(")) {
      const inner = this.#or();
      if (!this.#takeSymbol(")")) throw this.#expected(")");
      return inner;
    }
    return this.#primary();
  }

  #primary(): SqlExpression {
    const { kind, value } = this.#token;
    const found = this.#literal();
    if (found === undefined && kind !== "name") throw this.#expected("a value or a property");
    this.#advance();
    return found ?? property(value);
  }

  #literal(): SqlExpression | undefined {
    const { kind, value } = this.#token;
    if (kind === "text") return literal(value);
    if (kind === "whole") {
      const number = wholeLiteral(value.replace(/l$/i, ""));
      if (number === undefined) throw this.#illegal("a whole number lies within 64 bits");
      return literal(number);
    }
    if (kind === "decimal") {
      const number = Number(value);
      if (!Number.isFinite(number)) throw this.#illegal("a number is at most 1.7976931348623157E308");
      return literal(new SqlNumber("double", number));
    }
    if (kind !== "keyword") return undefined;
    if (value === "NULL") return literal(null);
    return value === "TRUE" || value === "FALSE" ? literal(value === "TRUE") : undefined;
  }

  #asBoolean(part: SqlExpression): SqlExpression {
    if (part.isBoolean) return part;
    if (part.property !== undefined) return this.#within(booleanCast(part));
    throw this.#illegal("a number or a text stands where something true or false must");
  }

  #term(part: SqlExpression): SqlExpression {
    const { filterTermsMax } = this.#limits;
    if (++this.#terms > filterTermsMax) throw this.#illegal(`it has more than ${filterTermsMax} comparisons`);
    return this.#within(part);
  }

  #within(part: SqlExpression): SqlExpression {
    const { filterDepthMax } = this.#limits;
    if (part.depth > filterDepthMax) throw this.#illegal(`it is nested deeper than ${filterDepthMax}`);
    return part;
  }

  #isKeyword(word: string): boolean {
    return this.#token.kind === "keyword" && this.#token.value === word;
  }

  #takeKeyword(word: string): boolean {
    if (!this.#isKeyword(word)) return false;
    this.#advance();
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    if (this.#token.kind !== "symbol" || this.#token.value !== symbol) return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    this.#token = this.#tokens.next();
  }

  #expected(what: string): Error {
    return this.#illegal(`${what} is expected`);
  }

  #illegal(problem: string): Error {
    return illegalAt(this.#text, this.#token.at, problem);
  }
}
