/**
 * The filters of consumer groups with their file, consumerFilter.json, and what compiles them. Nothing waits for the
 * file: a filter that is forgotten comes again with its group's next heartbeat.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import type { SubscriptionData } from "@orbitmq/wire";
import type { BrokerError } from "../broker-error.ts";
import type { BrokerTuning } from "../broker-options.ts";
import { type ConsumerFilter, ConsumerFilters, parseConsumerFilters } from "./consumer-filters.ts";
import { FilterCompiler } from "./filter-compiler.ts";
import { RecordFilter } from "./record-filter.ts";
import type { SqlFilter } from "./sql-filter.ts";

export interface FilterRegistryNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
  readonly options: BrokerTuning;
}

export class FilterRegistry {
  readonly filters: ConsumerFilters;
  readonly #needs: FilterRegistryNeeds;
  readonly #compiler: FilterCompiler;
  #timer: TimerHandle | undefined;
  #dirty = false;

  constructor(needs: FilterRegistryNeeds) {
    this.#needs = needs;
    this.#compiler = new FilterCompiler(needs.options, needs.logger);
    this.filters = new ConsumerFilters((type, text) => this.compile(type, text), needs.options.filtersMax);
  }

  load(): void {
    const { file, clock, logger } = this.#needs;
    const loaded = file?.load(parseConsumerFilters);
    if (loaded === undefined) return;
    for (const { topic, consumerGroup } of this.filters.restore(loaded.value, clock.wallMs())) {
      logger.warn(
        { topic, group: consumerGroup },
        "a filter in consumerFilter.json is illegal; it is dropped",
      );
    }
  }

  /** The compiled filter, or why there is none; the same text is compiled once. */
  compile(expressionType: string, text: string): SqlFilter | BrokerError {
    return this.#compiler.compile(expressionType, text);
  }

  get(topic: string, group: string): ConsumerFilter | undefined {
    return this.filters.get(topic, group);
  }

  /** The filter at work for one pull. */
  recordFilter(filter: SqlFilter): RecordFilter {
    const { clock, logger, options } = this.#needs;
    const { filterMsMax, filterBytesMax } = options;
    return new RecordFilter(filter, { clock, logger, filterMsMax, filterBytesMax });
  }

  /** What a group's heartbeat brought, in full. */
  register(group: string, subscriptions: readonly SubscriptionData[]): void {
    const { clock, options } = this.#needs;
    const nowMs = clock.wallMs();
    if (this.filters.size >= options.filtersMax) this.filters.clean(nowMs, options.filterDataCleanTimeSpan);
    if (this.filters.register(group, subscriptions, nowMs)) this.#changed();
  }

  /** The group's last member has left. */
  unregister(group: string): void {
    if (this.filters.unregister(group, this.#needs.clock.wallMs())) this.#changed();
  }

  /** Writes what is not written for certain. Throws HostError. */
  stop(): void {
    const { file } = this.#needs;
    this.#timer?.cancel();
    try {
      if (this.#dirty) file?.saveSync(this.#format());
      this.#dirty = false;
    } finally {
      file?.close();
    }
  }

  #changed(): void {
    const { file, timers, options } = this.#needs;
    if (file === undefined) return;
    this.#dirty = true;
    if (this.#timer !== undefined) return;
    this.#timer = timers.after(options.flushConsumerFilterInterval, () => {
      this.#timer = undefined;
      this.#dirty = false;
      file.save(this.#format(), (error) => {
        if (error !== undefined) this.#dirty = true;
      });
    });
  }

  #format(): string {
    const { clock, options } = this.#needs;
    this.filters.clean(clock.wallMs(), options.filterDataCleanTimeSpan);
    return this.filters.format();
  }
}
