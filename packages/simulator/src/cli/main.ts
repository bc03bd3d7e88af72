/**
 * Runs seeds and prints what they came to. Exit code 0 when every seed kept the promise, 1 when one broke it,
 * 2 for a wrong command line.
 */
import { describe } from "../cluster/sim-node.ts";
import { type SimulationResult, simulate } from "../simulation.ts";
import { parseArguments, type SimArguments, USAGE, UsageError } from "./arguments.ts";
import { Statistics } from "./statistics.ts";

const PROGRESS_MS = 10_000;

/** A rejection nobody handled: the process it happened in would have died of it. */
const unhandled: unknown[] = [];

async function runSeed(seed: number, args: SimArguments): Promise<SimulationResult> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const result = await simulate(seed, {
    story: args.story ? print : undefined,
    traceLine: args.trace ? print : undefined,
  });
  // Node tells of unhandled rejections once the tick is over.
  await new Promise((resolve) => setImmediate(resolve));
  if (unhandled.length === 0) return result;
  const violations = unhandled.splice(0).map((error) => ({
    invariant: "no-crash" as const,
    atMs: result.virtualMs,
    detail: `unhandled rejection: ${describe(error)}`,
  }));
  return { ...result, violations: [...result.violations, ...violations] };
}

function printFailure(result: SimulationResult, args: SimArguments, replay: string): void {
  const { seed, violations, digest } = result;
  if (args.json) {
    console.log(JSON.stringify({ seed, digest, violations }));
    return;
  }
  console.log(`\nseed ${seed} FAILED (digest ${digest})`);
  for (const { invariant, atMs, detail } of violations) {
    console.log(`  ${invariant} at ${(atMs / 1000).toFixed(3)} s: ${detail}`);
  }
  console.log(`  replay: ${replay} --seed ${seed} --story`);
}

/** A seed that ended with an error of the simulator itself, or in code that runs outside every process. */
function printBroken(seed: number, error: unknown, args: SimArguments, replay: string): void {
  const violations = [{ invariant: "no-crash", detail: describe(error) }];
  if (args.json) console.log(JSON.stringify({ seed, violations }));
  else {
    console.log(`\nseed ${seed} FAILED\n  no-crash: ${describe(error)}`);
    console.log(`  replay: ${replay} --seed ${seed} --story`);
  }
}

async function main(list: readonly string[]): Promise<number> {
  const args = parseArguments(list, Date.now() % 1_000_000_000);
  // The command that was typed, for the replay line; set by run.mjs.
  const replay = process.env["ORBITMQ_SIM_COMMAND"] ?? "npm run sim --";
  const statistics = new Statistics();
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const endMs = args.minutes === undefined ? Number.POSITIVE_INFINITY : startMs + args.minutes * 60_000;
  let printedMs = startMs;
  process.on("unhandledRejection", (error) => unhandled.push(error));
  // Errors are made by the thousand here, and nobody reads their stacks but when one seed is replayed.
  if (args.from !== args.to) Error.stackTraceLimit = 0;
  for (let seed = args.from; seed <= args.to && performance.now() < endMs; seed++) {
    const seedMs = performance.now();
    let result: SimulationResult;
    try {
      result = await runSeed(seed, args);
    } catch (error) {
      statistics.broke();
      printBroken(seed, error, args, replay);
      if (!args.keepGoing) break;
      continue;
    }
    statistics.add(result, performance.now() - seedMs);
    if (args.from === args.to && !args.json) console.log(`seed ${seed} digest ${result.digest}`);
    if (result.violations.length > 0) {
      printFailure(result, args, replay);
      if (!args.keepGoing) break;
    }
    if (performance.now() - printedMs > PROGRESS_MS) {
      printedMs = performance.now();
      console.error(statistics.line(seconds()));
    }
  }
  if (args.json) console.log(JSON.stringify({ seeds: statistics.seeds, failed: statistics.failed }));
  else console.log(statistics.report(seconds(), cpuSeconds()));
  return statistics.failed === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? `${error.message}\n${USAGE}` : describe(error));
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
