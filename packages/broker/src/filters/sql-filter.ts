/**
 * A SQL92 filter, compiled once and asked about many messages (RocketMQ: SqlFilter, ExpressionMessageFilter). What
 * is unknown does not match, and neither does what fails; how often that happened is kept, with the last reason.
 */
import type { PropertySource, SqlExpression } from "./sql-expressions.ts";
import { parseSql, type SqlLimits } from "./sql-parser.ts";
import { SqlFailure } from "./sql-value.ts";

export class SqlFilter {
  readonly text: string;
  readonly #expression: SqlExpression;
  /** Messages on which it failed. */
  failures = 0;
  #lastFailure: SqlFailure | undefined;

  /** Throws BrokerError ILLEGAL_EXPRESSION. */
  constructor(text: string, limits: SqlLimits) {
    this.text = text;
    this.#expression = parseSql(text, limits);
  }

  matches(properties: PropertySource): boolean {
    const value = this.#expression.evaluate(properties);
    if (value instanceof SqlFailure) {
      this.failures++;
      this.#lastFailure = value;
    }
    return value === true;
  }

  get lastFailure(): string | undefined {
    return this.#lastFailure?.reason;
  }
}
