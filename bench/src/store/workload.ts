/**
 * What a measurement of the store is: a name to select it by, and lines of figures. A figure that a goal is set for
 * says whether it was reached, by the ratio that the goal is about.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "@orbitmq/host";
import { silentLogger } from "@orbitmq/host";
import { type FileMessageStore, openMessageStore, type StoreOptions } from "@orbitmq/store";

export interface StoreWorkload {
  readonly id: string;
  readonly about: string;
  /** About how long it takes. */
  readonly seconds: number;
  run(bench: StoreBench): Promise<void>;
}

export interface Goal {
  readonly is: "at least" | "at most";
  readonly bound: number;
  /** What was measured, in the goal's unit; `undefined` where the machine is not one that the goal speaks of. */
  readonly measured: number | undefined;
  readonly unit: string;
}

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly beside: string;
  readonly goal: (Goal & { readonly verdict: Verdict; readonly ratio: number | undefined }) | undefined;
}

export type Verdict = "reached" | "falls short" | "not asked here";

export class StoreBench {
  readonly host: Host;
  readonly folder: string;
  readonly seconds: number;
  readonly messages: number;
  readonly figures: Figure[] = [];
  readonly #said: (line: string) => void;

  constructor(
    host: Host,
    options: { readonly folder: string; readonly seconds: number; readonly messages: number },
    said: (line: string) => void,
  ) {
    this.host = host;
    this.folder = options.folder;
    this.seconds = options.seconds;
    this.messages = options.messages;
    this.#said = said;
  }

  /** Notes and prints one figure, and how it stands to `goal`. */
  tell(what: string, value: number, unit: string, beside = "", goal?: Goal): void {
    const judged = goal === undefined ? undefined : judge(goal);
    this.figures.push({ what, value, unit, beside, goal: judged });
    this.#said(`${what.padEnd(44)} ${shown(value).padStart(12)} ${unit.padEnd(12)} ${beside}`);
    if (judged === undefined) return;
    const { is, bound, measured, verdict, ratio } = judged;
    const figure = measured === undefined ? "" : `: ${shown(measured)} ${judged.unit}`;
    const times = ratio === undefined ? "" : ` (${ratio.toFixed(2)} of the goal)`;
    this.#said(`    goal ${is} ${shown(bound)} ${judged.unit}${figure}: ${verdict}${times}`);
  }

  /** A folder for `run`, removed afterwards. */
  async inFolder(run: (home: string) => Promise<void>): Promise<void> {
    const home = mkdtempSync(join(this.folder, "orbitmq-bench-"));
    try {
      await run(home);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  async opened(options: StoreOptions): Promise<FileMessageStore> {
    const store = openMessageStore(this.host, options, silentLogger);
    await store.start();
    return store;
  }
}

export function judge(goal: Goal): Figure["goal"] {
  const { is, bound, measured } = goal;
  if (measured === undefined) return { ...goal, verdict: "not asked here", ratio: undefined };
  const isReached = is === "at least" ? measured >= bound : measured <= bound;
  return { ...goal, verdict: isReached ? "reached" : "falls short", ratio: measured / bound };
}

function shown(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
}
