/**
 * Explores kinds of runs seed by seed until enough distinct disk images were judged, and tells in tables what was
 * looked at. What fails can be run again alone: `kind:seed:operation:way`, with as many ways as it failed with.
 */
import { explore, Tally } from "./explore.ts";
import type { RunKind } from "./runs.ts";

/** Of one run; a long one is looked at here and there, and elsewhere with the next seed. */
const MOMENTS = 200;

export interface Campaign {
  readonly kinds: Readonly<Record<string, RunKind>>;
  /** Distinct images, at least. */
  readonly states: number;
  /** The first seed; every kind is run with each seed. */
  readonly seed: number;
  /** Images per moment, at most. */
  readonly ways: number;
  print(line: string): void;
}

interface Row {
  readonly kind: string;
  runs: number;
  operations: number;
  images: number;
  recoveries: number;
  interrupted: number;
  grown: number;
  violations: number;
}

/** Returns the violations, each as a line with the way to see it again. */
export async function runCampaign({ kinds, states, seed, ways, print }: Campaign): Promise<string[]> {
  const tally = new Tally();
  const rows = Object.keys(kinds).map(
    (kind): Row => ({
      kind,
      runs: 0,
      operations: 0,
      images: 0,
      recoveries: 0,
      interrupted: 0,
      grown: 0,
      violations: 0,
    }),
  );
  const found: string[] = [];
  for (let round = 0; tally.images.size < states; round += 1) {
    for (const row of rows) {
      const before = { images: tally.images.size, violations: tally.violations.length };
      const { recoveries, interrupted, grown } = tally;
      const run = await kinds[row.kind]!(seed + round);
      await explore(run, { ways, seed: seed + round, moments: MOMENTS }, tally);
      row.runs += 1;
      row.operations += run.operations.length - run.first;
      row.images += tally.images.size - before.images;
      row.recoveries += tally.recoveries - recoveries;
      row.interrupted += tally.interrupted - interrupted;
      row.grown += tally.grown - grown;
      for (const { operation, way, message } of tally.violations.slice(before.violations)) {
        const replay = `npm run crash-states -- --ways ${ways} --replay "${row.kind}:${seed + round}:${operation}:${way}"`;
        found.push(
          `${row.kind}, seed ${seed + round}, operation ${operation}, way ${way}: ${message}\n  ${replay}`,
        );
        row.violations += 1;
      }
    }
  }
  printTables(rows, tally, print);
  return found;
}

/** One state once more; the violation it shows, if any. */
export async function replay(
  kinds: Campaign["kinds"],
  state: string,
  ways: number,
): Promise<string | undefined> {
  const [kind = "", seed, operation, way] = state.split(":");
  const record = kinds[kind];
  if (record === undefined) throw new Error(`there is no run "${kind}": ${Object.keys(kinds).join(", ")}`);
  const tally = new Tally();
  const only = { operation: Number(operation), way: Number(way) };
  await explore(await record(Number(seed)), { ways, seed: Number(seed), only }, tally);
  if (tally.recoveries === 0) throw new Error(`${state} is no state with ${ways} ways`);
  return tally.violations[0]?.message;
}

function printTables(rows: readonly Row[], tally: Tally, print: Campaign["print"]): void {
  const heads = [
    "run",
    "runs",
    "operations",
    "images",
    "recoveries",
    "interrupted",
    "used again",
    "violations",
  ];
  print(line(heads));
  for (const row of rows) {
    const { kind, runs, operations, images, recoveries, interrupted, grown, violations } = row;
    print(line([kind, runs, operations, images, recoveries, interrupted, grown, violations]));
  }
  print("");
  print(line(["crashed after", "images"]));
  for (const [kind, images] of [...tally.byOperation].sort(([, a], [, b]) => b - a))
    print(line([kind, images]));
  print("");
  print(
    `${tally.images.size} distinct disk images, ${tally.recoveries} recoveries, ${tally.violations.length} violations`,
  );
}

function line([first, ...numbers]: readonly (string | number)[]): string {
  return String(first).padEnd(26) + numbers.map((number) => String(number).padStart(12)).join("");
}
