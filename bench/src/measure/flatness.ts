/** How flat a series is: the first fifth is left out, then the largest deviation from the median counts. */
import { type Spread, spread } from "./statistics.ts";

export interface Flatness {
  /** 0.05 is five per cent of the median. */
  readonly flatness: number;
  readonly samples: Spread;
}

const LEFT_OUT = 0.2;

/** Throws RangeError for no values. */
export function flatness(series: readonly number[]): Flatness {
  const samples = spread(series.slice(Math.floor(series.length * LEFT_OUT)));
  const { median, least, most } = samples;
  return { flatness: Math.max(most - median, median - least) / median, samples };
}
