/** The command line of the simulator. */

export interface SimArguments {
  /** First and last seed; the last is Infinity when time decides. */
  readonly from: number;
  readonly to: number;
  readonly minutes: number | undefined;
  readonly trace: boolean;
  readonly story: boolean;
  /** Go on after a failing seed. */
  readonly keepGoing: boolean;
  readonly json: boolean;
}

export const USAGE = `usage: npm run sim -- [what] [how]
  --seed N          one seed
  --seeds A..B      every seed from A to B
  --minutes M       fresh seeds for M minutes (default 0.2)
  --first N         where fresh seeds begin (default: drawn from the clock)
  --patch FILE      apply a unified diff to a temporary copy of packages/ and run that
  --story           print what happens: processes, faults, logs, what the checker sees
  --trace           print every event of the machine room, too
  --keep-going      do not stop at the first seed that fails
  --json            one line of JSON for each seed that fails, and one at the end`;

export class UsageError extends Error {}

export function parseArguments(list: readonly string[], freshSeed: number): SimArguments {
  let from: number | undefined;
  let to = Number.POSITIVE_INFINITY;
  let minutes: number | undefined;
  const flags = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const name = list[i] as string;
    const value = () => {
      const next = list[++i];
      if (next === undefined) throw new UsageError(`${name} needs a value`);
      return next;
    };
    if (name === "--seed") {
      from = wholeNumber(value());
      to = from;
    } else if (name === "--seeds") {
      const match = /^(\d+)\.\.(\d+)$/.exec(value());
      if (match === null) throw new UsageError("--seeds needs A..B");
      from = wholeNumber(match[1] as string);
      to = wholeNumber(match[2] as string);
    } else if (name === "--minutes") minutes = Number(value());
    else if (name === "--first") from = wholeNumber(value());
    else if (["--trace", "--story", "--keep-going", "--json"].includes(name)) flags.add(name);
    else throw new UsageError(`unknown argument ${name}`);
  }
  if (minutes !== undefined && !(minutes > 0)) throw new UsageError("--minutes needs a positive number");
  if (minutes === undefined && to === Number.POSITIVE_INFINITY) minutes = 0.2;
  return {
    from: from ?? freshSeed,
    to,
    minutes,
    trace: flags.has("--trace"),
    story: flags.has("--story") || flags.has("--trace"),
    keepGoing: flags.has("--keep-going"),
    json: flags.has("--json"),
  };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`${text} is not a seed`);
  return value;
}
