/**
 * Whether one tree of the product is as fast as another: the median of what each round says, both trees having had
 * their turns in it one right after the other.
 */
import { spread } from "../measure/statistics.ts";
import { medianOf } from "../results/goal.ts";
import type { Result, Turn } from "../results/result.ts";

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
    const ratios = ratiosOf(turns, mine, other);
    if (rate === undefined || otherRate === undefined || ratios.length === 0) {
      passed = false;
      return `${what} ${rate === undefined ? mine : other} could not be measured  FAILED`;
    }
    const { median, least: worst, most: best } = spread(ratios);
    const isSlower = median < least;
    if (isSlower) passed = false;
    const [cpu = Number.NaN, otherCpu = Number.NaN] = [
      medianOf(turns, mine, "serverThreadUs"),
      medianOf(turns, other, "serverThreadUs"),
    ];
    return (
      `${what} ${per(rate)}/s against ${per(otherRate)}/s: ${percent(median)} ` +
      `(${ratios.length} rounds, ${percent(worst)} to ${percent(best)}); ` +
      `CPU of the main thread ${cpu.toFixed(2)} against ${otherCpu.toFixed(2)} µs` +
      `${isSlower ? `  SLOWER than ${percent(least)}` : ""}`
    );
  });
  return { lines, passed };
}

/** Of each round that both have. */
function ratiosOf(turns: readonly Turn[], mine: string, other: string): number[] {
  return turns
    .filter(({ who }) => who === mine)
    .flatMap(({ round, metrics }) => {
      const beside = turns.find((turn) => turn.who === other && turn.round === round);
      const [rate, otherRate] = [metrics.perSecond, beside?.metrics.perSecond];
      return rate === undefined || !otherRate ? [] : [rate / otherRate];
    });
}

const per = (rate: number): string => Math.round(rate).toLocaleString("en").padStart(8);
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
