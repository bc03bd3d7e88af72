/**
 * Crashes a recorded run everywhere: after each disk operation, in the ways of crash-choices.ts. Each image that
 * was not judged yet at this stage of the run is recovered and judged; some recoveries are crashed themselves,
 * and recovered again, twice; some recovered stores are used, and crashed once more. All of it follows from the
 * seed, the operation and the way.
 */
import { createHash } from "node:crypto";
import { type CrashChoice, CrashModel, seededRandom } from "../crash-model.ts";
import type { DiskImage } from "../fake-disk.ts";
import { message, StoreDriver } from "../store-driver.ts";
import { crashChoices } from "./crash-choices.ts";
import type { Message } from "./history.ts";
import { fail, judge, type Served, Violation } from "./judge.ts";
import type { Recording } from "./recorder.ts";

/** Counts over all runs. */
export class Tally {
  /** Hashes of the images judged so far. */
  readonly images = new Set<string>();
  readonly violations: Found[] = [];
  /** Distinct images by the kind of the operation they come after. */
  readonly byOperation = new Map<string, number>();
  recoveries = 0;
  interrupted = 0;
  grown = 0;
}

export interface Found {
  readonly operation: number;
  readonly way: number;
  readonly message: string;
}

export interface Exploration {
  /** Images per moment, at most. */
  readonly ways: number;
  /** Moments of the run, evenly chosen by the seed; default all. */
  readonly moments?: number;
  readonly seed: number;
  /** Only this one. */
  readonly only?: { readonly operation: number; readonly way: number };
}

const INTERRUPTED_SHARE = 0.15;
const GROWN_SHARE = 0.15;

export async function explore(
  run: Recording,
  { ways, seed, moments, only }: Exploration,
  tally: Tally,
): Promise<void> {
  const model = new CrashModel(run.start);
  const stages = new Map<string, number>();
  const step = Math.max(1, (run.operations.length - run.first) / (moments ?? Number.POSITIVE_INFINITY));
  let next = run.first + (seed % Math.ceil(step));
  for (let operation = 0; operation <= run.operations.length; operation += 1) {
    if (operation > 0) model.apply(run.operations[operation - 1]!);
    if (operation < run.first || (only !== undefined && operation !== only.operation)) continue;
    if (only === undefined && operation < Math.floor(next)) continue;
    next += step;
    const kind = run.operations[operation - 1]?.kind ?? "start";
    const stage = run.history.stage(operation);
    const choices = crashChoices(model, ways, seed * 65_537 + operation);
    for (const [way, choice] of choices.entries()) {
      if (only !== undefined && way !== only.way) continue;
      const image = model.crash(choice);
      const hash = hashOf(image);
      if (stages.get(hash) === stage) continue;
      stages.set(hash, stage);
      count(tally, kind, hash);
      const random = seededRandom(seed * 16_777_619 + operation * 257 + way);
      try {
        await new Case(run, operation, random, tally, kind).check(image);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        tally.violations.push({ operation, way, message: error.message });
        // One of a kind is enough of a run.
        return;
      }
    }
  }
}

function count(tally: Tally, kind: string, hash: string): void {
  if (tally.images.has(hash)) return;
  tally.images.add(hash);
  tally.byOperation.set(kind, (tally.byOperation.get(kind) ?? 0) + 1);
}

/** One crash and what comes after it. */
class Case {
  readonly #run: Recording;
  readonly #operation: number;
  readonly #random: () => number;
  readonly #tally: Tally;
  readonly #kind: string;

  constructor(run: Recording, operation: number, random: () => number, tally: Tally, kind: string) {
    this.#run = run;
    this.#operation = operation;
    this.#random = random;
    this.#tally = tally;
    this.#kind = kind;
  }

  async check(image: DiskImage): Promise<void> {
    const served = await this.#judge(image);
    if (this.#random() < INTERRUPTED_SHARE) await this.#interrupt(image, served.driver);
    if (this.#random() < GROWN_SHARE) await this.#grow(image, served);
  }

  #judge(image: DiskImage): Promise<Served> {
    this.#tally.recoveries += 1;
    return judge(this.#run, image, this.#operation, this.#random);
  }

  /** Crashes the recovery, and the recovery from that. */
  async #interrupt(image: DiskImage, recovered: StoreDriver): Promise<void> {
    let before = image;
    let driver = recovered;
    for (let time = 1; time <= 2; time += 1) {
      const { operations } = driver.host.files;
      const stop = Math.floor(this.#random() * (operations.length + 1));
      before = crashedAt(before, driver, stop, this.#choice());
      count(this.#tally, `${this.#kind}, recovery`, hashOf(before));
      this.#tally.interrupted += 1;
      try {
        driver = (await this.#judge(before)).driver;
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        fail(`recovery crashed ${time}×, after ${stop} operations: ${error.message}`);
      }
    }
  }

  /** The store is used and crashes once more: what was there stays, what was acknowledged since is there, too. */
  async #grow(image: DiskImage, { driver, queues }: Served): Promise<void> {
    this.#tally.grown += 1;
    const before = [...queues].map(([key, messages]) => [key, messages] as const);
    const chosen = before[Math.floor(this.#random() * before.length)];
    const topic = chosen?.[0].slice(0, chosen[0].lastIndexOf("/")) ?? "T";
    const queueId = Number(chosen?.[0].slice(chosen[0].lastIndexOf("/") + 1) ?? 0);
    const bodies = ["grown-1", "grown-2"].map((name) => name.padEnd(128, "="));
    const input = { topic, queueId };
    const first = driver.sendNow(message(bodies[0]!, input)).queueOffset;
    const queueOffset = (chosen?.[1][0]?.queueOffset ?? 0) + (chosen?.[1].length ?? 0);
    if (chosen !== undefined && chosen[1].length > 0 && first !== queueOffset) {
      fail(`an append after recovery got queue offset ${first} instead of ${queueOffset}`);
    }
    driver.send(message(bodies[1]!, input));
    driver.host.turn();
    const again = crashedAt(image, driver, driver.host.files.operations.length, this.#choice());
    count(this.#tally, `${this.#kind}, used again`, hashOf(again));
    const reopened = await reopen(this.#run, again);
    for (const [key, messages] of before) {
      const at = key.lastIndexOf("/");
      const grown = key === `${topic}/${queueId}`;
      const found = reopened.bodies(key.slice(0, at), Number(key.slice(at + 1)));
      checkGrown(key, messages, found, grown ? bodies : []);
    }
    if (chosen === undefined) checkGrown(`${topic}/${queueId}`, [], reopened.bodies(topic, queueId), bodies);
  }

  #choice(): CrashChoice {
    const random = this.#random;
    return { keepData: random(), keepNames: random(), random };
  }
}

/** `found` is what was there before, the first of `more`, and perhaps the second. */
function checkGrown(
  key: string,
  before: readonly Message[],
  found: readonly string[],
  more: readonly string[],
): void {
  for (const [index, message] of before.entries()) {
    if (found[index] !== message.body)
      fail(`${key}: after another crash, message ${index} is ${found[index]}`);
  }
  const rest = found.slice(before.length);
  const isRight = more.length === 0 ? rest.length === 0 : rest[0] === more[0] && rest.length <= 2;
  if (!isRight || (rest[1] !== undefined && rest[1] !== more[1])) {
    fail(
      `${key}: after another crash, ${rest.length} messages follow: ${rest.map((body) => body.slice(0, 12))}`,
    );
  }
}

async function reopen(run: Recording, image: DiskImage): Promise<StoreDriver> {
  try {
    return await StoreDriver.open(run.options, image);
  } catch (error) {
    return fail(`the store does not start once more: ${String(error)}`);
  }
}

/** The disk that `driver` found as `image`, crashed after so many of its operations. */
function crashedAt(
  image: DiskImage,
  driver: StoreDriver,
  operations: number,
  choice: CrashChoice,
): DiskImage {
  const model = new CrashModel(image);
  for (const operation of driver.host.files.operations.slice(0, operations)) model.apply(operation);
  return model.crash(choice);
}

const contentHashes = new WeakMap<Buffer, string>();

/** Identifies names and contents. */
function hashOf({ files, folders }: DiskImage): string {
  const hash = createHash("sha1");
  for (const folder of [...folders].sort()) hash.update(`${folder}\n`);
  for (const path of [...files.keys()].sort()) {
    const bytes = files.get(path)!;
    let content = contentHashes.get(bytes);
    if (content === undefined) {
      content = createHash("sha1").update(bytes).digest("base64");
      contentHashes.set(bytes, content);
    }
    hash.update(`${path} ${content}\n`);
  }
  return hash.digest("base64");
}
