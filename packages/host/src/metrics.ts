/**
 * What is counted, as whoever exports it sees it: families of points, read when somebody asks. Counting is adding
 * plain numbers where things happen; names, labels and libraries come in when a family is read, never per message.
 */
export type MetricKind = "counter" | "gauge" | "histogram";

export type MetricLabels = Readonly<Record<string, string>>;

/** Values up to and including `bounds[i]` are counted in `counts[i]`, larger ones in the last. */
export interface HistogramValue {
  readonly bounds: readonly number[];
  /** Not cumulated; one longer than `bounds`. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
  readonly count: number;
}

export interface MetricPoint {
  readonly labels: MetricLabels;
  /** A HistogramValue in families of kind histogram; it may go on counting. */
  readonly value: number | HistogramValue;
}

export interface MetricFamily {
  /** Without the unit: `rocketmq_storage_size`. */
  readonly name: string;
  readonly kind: MetricKind;
  /** One sentence. */
  readonly help: string;
  /** `bytes`, `milliseconds`, … or none. */
  readonly unit?: string | undefined;
  /** Made as it is read; reading may stop between two points and go on in a later turn. */
  readonly points: Iterable<MetricPoint>;
}

/** A histogram being counted; a few numbers, no objects per value. */
export class Histogram implements HistogramValue {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  /** `bounds` ascend. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  /** `value`, `times` over. */
  record(value: number, times = 1): void {
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index++;
    this.counts[index]! += times;
    this.sum += value * times;
    this.count += times;
  }
}
