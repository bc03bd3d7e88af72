/**
 * Compiled SQL92 filters by their text, the most recently used ones: heartbeats and pulls bring the same expression
 * again and again (RocketMQ: the parse cache of SelectorParser).
 */
import type { Logger } from "@orbitmq/host";
import { EXPRESSION_SQL92 } from "@orbitmq/wire";
import { BrokerError } from "../broker-error.ts";
import { SqlFilter } from "./sql-filter.ts";
import type { SqlLimits } from "./sql-parser.ts";

/** Expressions kept. */
const KEPT_MAX = 256;

export class FilterCompiler {
  readonly #limits: SqlLimits;
  readonly #logger: Logger;
  readonly #known = new Map<string, SqlFilter | BrokerError>();

  constructor(limits: SqlLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  /** The compiled filter, or why there is none. */
  compile(expressionType: string, text: string): SqlFilter | BrokerError {
    if (expressionType !== EXPRESSION_SQL92) {
      const type = expressionType.slice(0, 64);
      return new BrokerError("ILLEGAL_EXPRESSION", `there is no filter of type ${JSON.stringify(type)}`);
    }
    const known = this.#known.get(text);
    if (known !== undefined) this.#known.delete(text);
    const found = known ?? this.#compile(text);
    this.#known.set(text, found);
    if (this.#known.size > KEPT_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    return found;
  }

  #compile(text: string): SqlFilter | BrokerError {
    try {
      return new SqlFilter(text, this.#limits);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#logger.warn({ reason: error.message }, "a consumer brought an illegal filter expression");
      return error;
    }
  }
}
