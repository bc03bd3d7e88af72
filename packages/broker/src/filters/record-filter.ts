/**
 * A SQL92 filter at work for one pull: it looks at record after record as the store reads them, and ends the read
 * when it has worked for too long or looked at too much, so that no expression holds up others (RocketMQ:
 * ExpressionMessageFilter, without such limits).
 */
import type { Clock, Logger } from "@orbitmq/host";
import { RecordProperties } from "./record-properties.ts";
import type { SqlFilter } from "./sql-filter.ts";

export interface RecordFilterNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly filterMsMax: number;
  readonly filterBytesMax: number;
}

/** How much of an expression a log line shows. */
const SHOWN_MAX = 512;

export class RecordFilter {
  readonly #filter: SqlFilter;
  readonly #needs: RecordFilterNeeds;
  readonly #properties = new RecordProperties();
  #workedMs = 0;
  #byteCount = 0;

  constructor(filter: SqlFilter, needs: RecordFilterNeeds) {
    this.#filter = filter;
    this.#needs = needs;
  }

  /** A new read begins. */
  begin(): void {
    this.#workedMs = 0;
    this.#byteCount = 0;
  }

  /** The store's `matchesRecord`. */
  readonly matches = (bytes: Buffer, at: number, size: number): boolean => {
    const { clock } = this.#needs;
    const beganMs = clock.monotonicMs();
    const filter = this.#filter;
    const failures = filter.failures;
    this.#properties.read(bytes, at);
    const matched = filter.matches(this.#properties);
    if (failures === 0 && filter.failures > 0) this.#tellFailure();
    this.#workedMs += clock.monotonicMs() - beganMs;
    this.#byteCount += size;
    return matched;
  };

  /** The store's `stopBefore`: at least one record is looked at. */
  readonly isOver = (): boolean =>
    this.#workedMs > this.#needs.filterMsMax || this.#byteCount > this.#needs.filterBytesMax;

  /** Once per filter. */
  #tellFailure(): void {
    this.#needs.logger.warn(
      { expression: this.#filter.text.slice(0, SHOWN_MAX), reason: this.#filter.lastFailure },
      "a SQL92 filter cannot be evaluated on a message, which therefore does not match",
    );
  }
}
