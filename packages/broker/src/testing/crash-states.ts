/**
 * `npm run crash-states -- [--states N] [--seed S] [--ways W] [--run KIND] [--replay KIND:SEED:OPERATION:WAY]`: crashes
 * recorded runs of the store, and of what the broker keeps in it, at every disk operation until N distinct disk
 * images (default 100,000) were recovered and judged. Exit code 1 when one of them broke a promise.
 */
import { parseArgs } from "node:util";
import { RUNS, replay, runCampaign } from "@orbitmq/store/testing";
import { offsetRuns } from "./offset-runs.ts";

const { values } = parseArgs({
  options: {
    states: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    ways: { type: "string", default: "40" },
    run: { type: "string" },
    replay: { type: "string" },
  },
});
const everything = { ...RUNS, ...offsetRuns };
const { run } = values;
const kinds = Object.fromEntries(
  Object.entries(everything).filter(([kind]) => run === undefined || kind === run),
);
const [states, seed, ways] = [Number(values.states), Number(values.seed), Number(values.ways)];
const print = (text: string) => process.stdout.write(`${text}\n`);

if (
  Object.keys(kinds).length === 0 ||
  ![states, seed, ways].every((value) => Number.isSafeInteger(value) && value > 0)
) {
  print(
    `there are the runs: ${Object.keys(everything).join(", ")}; --states, --seed and --ways are positive integers`,
  );
  process.exitCode = 2;
} else if (values.replay !== undefined) {
  const violation = await replay(kinds, values.replay, ways);
  print(violation ?? "no violation");
  process.exitCode = violation === undefined ? 0 : 1;
} else {
  const begin = performance.now();
  const violations = await runCampaign({ kinds, states, seed, ways, print });
  print(`took ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  for (const violation of violations) print(`\n${violation}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
