/** What a figure is held against, and whether it was reached: ratios of one run's medians, or a bound of its own. */
import { type MetricName, metricShapes } from "../measure/metrics.ts";
import { spread } from "../measure/statistics.ts";
import type { Result, Turn } from "./result.ts";

export interface Goal {
  readonly metric: MetricName;
  /** Whose figure; default OrbitMQ's. */
  readonly of?: string;
  /** The figure it is divided by; without it the goal is a bound. */
  readonly beside?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Verdict {
  readonly name: string;
  readonly title: string;
  readonly flush: string;
  /** `messages/s ≥ 4× RocketMQ 5.5.0`. */
  readonly goal: string;
  /** Undefined: who it is held against, or who is measured, did not take part. */
  readonly reached: number | undefined;
  /** Of a ratio, both figures; of a bound, the one. */
  readonly figures: readonly number[];
  readonly isRatio: boolean;
  readonly passed: boolean | undefined;
}

export const OURS = "OrbitMQ";
export const ORIGINAL = "RocketMQ 5.5.0";
export const NOTHING = "null broker";

export function judge(result: Pick<Result, "name" | "title" | "flush" | "goals" | "turns">): Verdict[] {
  const { name, title, flush, turns } = result;
  return result.goals.map((goal) => {
    const { metric, of = OURS, beside, atLeast, atMost } = goal;
    const mine = medianOf(turns, of, metric);
    const theirs = beside === undefined ? undefined : medianOf(turns, beside, metric);
    const figures = [mine, theirs].filter((value) => value !== undefined);
    const isRatio = beside !== undefined;
    let reached: number | undefined = mine;
    if (isRatio) reached = mine === undefined || !theirs ? undefined : mine / theirs;
    const passed =
      reached === undefined
        ? undefined
        : reached >= (atLeast ?? Number.NEGATIVE_INFINITY) && reached <= (atMost ?? Number.POSITIVE_INFINITY);
    return { name, title, flush, goal: goalText(goal), reached, figures, isRatio, passed };
  });
}

function goalText({ metric, of = OURS, beside, atLeast, atMost }: Goal): string {
  const bounds = [
    ...(atLeast === undefined ? [] : [`≥ ${atLeast.toLocaleString("en")}`]),
    ...(atMost === undefined ? [] : [`≤ ${atMost.toLocaleString("en")}`]),
  ].join(" and ");
  const what = of === OURS ? metricShapes[metric].title : `${of}: ${metricShapes[metric].title}`;
  return beside === undefined ? `${what} ${bounds}` : `${what} ${bounds}× ${beside}`;
}

export function medianOf(turns: readonly Turn[], who: string, metric: MetricName): number | undefined {
  const values = turns
    .filter((turn) => turn.who === who)
    .map(({ metrics }) => metrics[metric])
    .filter((value) => value !== undefined);
  return values.length === 0 ? undefined : spread(values).median;
}
