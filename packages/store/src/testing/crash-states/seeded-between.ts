/** Small whole numbers from a seed. */
import { seededRandom } from "../crash-model.ts";

/** A whole number from `low` to `high`, both included. */
export type Between = (low: number, high: number) => number;

export function betweenOf(seed: number): Between {
  const random = seededRandom(seed);
  return (low, high) => low + Math.floor(random() * (high - low + 1));
}
