/** Whether one tree of the product is as fast as another, by the medians of one run. */
import { medianOf } from "../results/goal.ts";
import type { Result } from "../results/result.ts";

export interface TreesCompared {
  readonly lines: readonly string[];
  readonly passed: boolean;
}

/** `least`: the share of the other's rate that is enough, 0.85. A tree that could not be measured has not passed. */
export function compareTrees(
  results: readonly Result[],
  mine: string,
  other: string,
  least: number,
): TreesCompared {
  let passed = results.length > 0;
  const lines = results.map(({ turns, title, flush }) => {
    const [rate, otherRate] = [medianOf(turns, mine, "perSecond"), medianOf(turns, other, "perSecond")];
    const what = `${flush.padEnd(11)} ${title.padEnd(32)}`;
    if (rate === undefined || otherRate === undefined) {
      passed = false;
      return `${what} ${rate === undefined ? mine : other} could not be measured  FAILED`;
    }
    const isSlower = rate / otherRate < least;
    if (isSlower) passed = false;
    const [cpu = Number.NaN, otherCpu = Number.NaN] = [
      medianOf(turns, mine, "serverThreadUs"),
      medianOf(turns, other, "serverThreadUs"),
    ];
    return (
      `${what} ${per(rate)}/s against ${per(otherRate)}/s: ${percent(rate / otherRate)}; ` +
      `CPU of the main thread ${cpu.toFixed(2)} against ${otherCpu.toFixed(2)} µs` +
      `${isSlower ? `  SLOWER than ${percent(least)}` : ""}`
    );
  });
  return { lines, passed };
}

const per = (rate: number): string => Math.round(rate).toLocaleString("en").padStart(8);
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
