/**
 * Which crashes of one moment are looked at: every subset of what is not on disk while there are few, otherwise
 * the corners (all lost, all kept, only names, only data), each thing alone lost or kept, and samples.
 */
import { type CrashChoice, type CrashModel, KEEP_ALL, LOSE_ALL, seededRandom } from "../crash-model.ts";

const CORNERS: readonly CrashChoice[] = [
  LOSE_ALL,
  KEEP_ALL,
  { keepData: 0, keepNames: 1, random: () => 0.5 },
  { keepData: 1, keepNames: 0, random: () => 0.5 },
];

/** The n-th question is answered by `keeps(n)`. */
function answered(keeps: (question: number) => boolean): CrashChoice {
  let question = 0;
  return { keepData: 0.5, keepNames: 0.5, random: () => (keeps(question++) ? 0 : 1) };
}

/** How many things may be lost or kept at this moment, at most. */
function countQuestions(model: CrashModel): number {
  let count = 0;
  model.crash({
    keepData: 1,
    keepNames: 1,
    random: () => {
      count += 1;
      return 0;
    },
  });
  return count;
}

/** At most `ways` choices, the same for the same seed; they can be used once, in order. */
export function crashChoices(model: CrashModel, ways: number, seed: number): CrashChoice[] {
  const questions = countQuestions(model);
  if (questions <= 16 && 2 ** questions <= ways) {
    return Array.from({ length: 2 ** questions }, (_, mask) =>
      answered((question) => (mask & (1 << question)) !== 0),
    );
  }
  const choices = CORNERS.slice(0, ways);
  const alone = Math.min(2 * questions, Math.floor((ways - choices.length) / 2));
  const first = (seed >>> 0) % Math.max(1, questions);
  for (let index = 0; index < alone; index += 1) {
    const which = (first + (index >> 1)) % questions;
    choices.push(answered((question) => (question === which) === (index % 2 === 0)));
  }
  for (let sample = choices.length; sample < ways; sample += 1) {
    const random = seededRandom(Math.imul(seed, 0x9e3779b1) + sample);
    choices.push({
      keepData: random(),
      keepNames: random() < 0.5 ? 1 : random(),
      stale: random() < 0.25 ? 0xd7 : 0,
      random,
    });
  }
  return choices;
}
