/**
 * Every crash of runs that remove old segments and queue files: after each operation on the disk, with names and
 * data that were not synced kept or lost, the store opens, begins no later than it was announced, and holds all
 * that is left. ORBITMQ_CRASH_STATES raises how many ways are tried at each place (default 3).
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readInt64 } from "@orbitmq/wire";
import type { StoreOptions } from "../store-options.ts";
import { type CrashChoice, CrashModel, KEEP_ALL, LOSE_ALL, seededRandom } from "../testing/crash-model.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const WAYS = Number(process.env["ORBITMQ_CRASH_STATES"] ?? 3);
const HOUR = 3_600_000;

const OPTIONS: Partial<StoreOptions> = {
  cleanResourceInterval: 10_000,
  fileReservedTime: 3,
  deleteWhen: Array.from({ length: 24 }, (_, hour) => `${hour}`).join(";"),
  deleteFileBatchMax: 3,
};

/** A queue by `topic/id`, at some moment of the run. */
interface Moment {
  readonly operation: number;
  /** Acknowledged so far. */
  readonly ends: ReadonlyMap<string, number>;
  /** Announced for removal: nothing before may be missed, nothing behind it may be missing. */
  readonly mins: ReadonlyMap<string, number>;
}

const body = (topic: string, queueId: number, offset: number) =>
  `${topic}/${queueId}/${offset}`.padEnd(700, "-");

class Run {
  readonly driver: StoreDriver;
  readonly options: Partial<StoreOptions>;
  readonly moments: Moment[] = [];
  readonly #ends = new Map<string, number>();
  readonly #mins = new Map<string, number>();
  firstRemoval = Number.POSITIVE_INFINITY;

  constructor(driver: StoreDriver, options: Partial<StoreOptions>) {
    this.driver = driver;
    this.options = options;
    driver.store.onRemoval({
      messagesRemoved: (removed) => {
        this.firstRemoval = Math.min(this.firstRemoval, this.#operation);
        for (const { topic, queueId, to } of removed) this.#mins.set(`${topic}/${queueId}`, to);
        this.#note();
      },
    });
  }

  get #operation(): number {
    return this.driver.host.files.operations.length;
  }

  send(topic: string, queueId: number): void {
    const key = `${topic}/${queueId}`;
    const offset = this.#ends.get(key) ?? 0;
    this.driver.sendNow(message(body(topic, queueId, offset), { topic, queueId }));
    this.#ends.set(key, offset + 1);
    this.#note();
  }

  /** The promises that hold once so many operations were done. */
  at(operation: number): Moment | undefined {
    return this.moments.findLast((moment) => moment.operation <= operation);
  }

  #note(): void {
    this.moments.push({ operation: this.#operation, ends: new Map(this.#ends), mins: new Map(this.#mins) });
  }
}

async function check(run: Run, image: DiskImage, operation: number, what: string): Promise<StoreDriver> {
  const driver = await StoreDriver.open(run.options, image);
  const promised = run.at(operation);
  for (const [key, end] of promised?.ends ?? []) {
    const [topic, queueId] = [key.split("/")[0]!, Number(key.split("/")[1])];
    const { store } = driver;
    assert.ok(
      store.readableEnd(topic, queueId) >= end,
      `${what}: ${key} ends at ${store.readableEnd(topic, queueId)}`,
    );
    const min = store.minOffset(topic, queueId);
    assert.ok(min <= (promised?.mins.get(key) ?? 0), `${what}: ${key} begins at ${min}`);
    driver.readAll(topic, queueId).forEach((record, index) => {
      assert.equal(record.queueOffset, min + index, `${what}: ${key} has no gaps`);
      assert.equal(Buffer.from(record.body).toString(), body(topic, queueId, min + index), what);
    });
    checkKeys(driver, topic, queueId, what);
  }
  checkIndexFiles(driver, what);
  return driver;
}

/** The oldest and the newest message of a queue are found by key, and what went is not. */
function checkKeys(driver: StoreDriver, topic: string, queueId: number, what: string): void {
  const min = driver.store.minOffset(topic, queueId);
  const end = driver.store.readableEnd(topic, queueId);
  for (const offset of [min - 1, min, end - 1]) {
    if (offset < 0 || offset >= end) continue;
    const key = `key-${body(topic, queueId, offset).slice(0, 8)}`;
    const found = driver.query(key, { topic }).filter((record) => record.queueId === queueId);
    const offsets = found.map((record) => record.queueOffset);
    const place = `${what}: ${topic}/${queueId}/${offset} by key`;
    assert.ok(offsets.every((at) => at >= min) && offsets.includes(offset) === offset >= min, place);
  }
}

/** No IndexFile but the newest is left of messages that went. */
function checkIndexFiles(driver: StoreDriver, what: string): void {
  const { files } = driver.host.files.image();
  const paths = [...files.keys()].filter((path) => path.startsWith(`${HOME}/index/`)).sort();
  const { minOffset } = driver.store.status();
  for (const path of paths.slice(0, -1)) {
    const newest = readInt64(files.get(path)!, 24);
    assert.ok(newest >= minOffset, `${what}: ${path} ends at ${newest}, the log begins at ${minOffset}`);
  }
  const known = paths.map((path) => path.slice(HOME.length + "/index/".length));
  const sums = [...files.keys()].filter((path) => path.includes("/orbitmq-checksums/index/"));
  for (const path of sums)
    assert.ok(known.includes(path.slice(path.lastIndexOf("/") + 1)), `${what}: ${path} is left`);
}

async function checkAll(run: Run): Promise<number> {
  const { operations } = run.driver.host.files;
  const model = new CrashModel();
  const random = seededRandom(operations.length);
  let states = 0;
  for (let operation = 1; operation <= operations.length; operation += 1) {
    model.apply(operations[operation - 1]!);
    if (operation < run.firstRemoval) continue;
    const choices: CrashChoice[] = [LOSE_ALL, KEEP_ALL];
    for (let way = 0; way < WAYS; way += 1) {
      choices.push({ keepData: random(), keepNames: way % 2 === 0 ? 0.5 : random(), random });
    }
    for (const [way, choice] of choices.entries()) {
      const what = `operation ${operation} (${operations[operation - 1]?.kind}), way ${way}`;
      const image = model.crash(choice);
      const driver = await check(run, image, operation, what);
      states += 1;
      if (random() < 0.15) {
        // The removal goes on, and is crashed once more.
        driver.host.wall = run.driver.host.wall;
        driver.store.deleteExpiredFiles();
        driver.host.advance(2_000);
        const again = new CrashModel(image);
        const stopAt = Math.floor(random() * (driver.host.files.operations.length + 1));
        for (const done of driver.host.files.operations.slice(0, stopAt)) again.apply(done);
        const second = await StoreDriver.open(
          run.options,
          again.crash({ keepData: random(), keepNames: random(), random }),
        );
        for (const [key, end] of run.at(operation)?.ends ?? []) {
          const [topic, queueId] = [key.split("/")[0]!, Number(key.split("/")[1])];
          assert.ok(second.store.readableEnd(topic, queueId) >= end, `${what}, crashed again: ${key}`);
          second.readAll(topic, queueId);
        }
        states += 1;
      }
    }
  }
  return states;
}

async function recorded(options: Partial<StoreOptions>): Promise<Run> {
  const run = new Run(await StoreDriver.open(options), options);
  const { host } = run.driver;
  for (let index = 0; index < 22; index += 1) run.send("Silent", 0);
  for (let index = 0; index < 70; index += 1) run.send("T", index % 2);
  host.advance(30_000);
  host.advance(2 * HOUR);
  for (let index = 0; index < 40; index += 1) run.send("T", index % 2);
  host.advance(30_000);
  // What was stored first expires; messages come in between the steps of its removal.
  host.advance(HOUR);
  for (let index = 0; index < 6; index += 1) {
    host.advance(20);
    run.send("T", index % 2);
  }
  host.advance(60_000);
  checkIndexFiles(run.driver, "while it runs");
  await run.driver.stop();
  assert.equal(run.driver.store.status().minOffset >= 4 * 16_384, true);
  return run;
}

/** Nothing is kept for any time: removal follows the head of the log as closely as recovery lets it. */
async function hasty(): Promise<Run> {
  const options = {
    ...OPTIONS,
    fileReservedTime: 0,
    cleanResourceInterval: 0,
    deleteCommitLogFilesInterval: 0,
  };
  const run = new Run(await StoreDriver.open(options), options);
  const { host, store } = run.driver;
  for (let index = 0; index < 150; index += 1) {
    run.send(index % 20 === 0 ? "Rare" : "T", index % 2);
    if (index % 5 === 0) store.deleteExpiredFiles();
    if (index % 23 === 0) host.advance(index * 50);
    host.settle();
  }
  assert.equal(store.status().minOffset >= 4 * 16_384, true);
  return run;
}

describe("every crash state of a removal", () => {
  it("of segments and queue files keeps what is left, without gaps, and every queue's end", async () => {
    const states = await checkAll(await recorded(OPTIONS));
    assert.equal(states > 400, true, `${states} states`);
  });

  it("of segments in several folders does the same", async () => {
    const states = await checkAll(
      await recorded({
        ...OPTIONS,
        storePathCommitLog: "/disk1/log,/disk2/log",
        deleteCommitLogFilesInterval: 0,
      }),
    );
    assert.equal(states > 400, true, `${states} states`);
  });

  it("that follows the head of the log closely does the same", async () => {
    const states = await checkAll(await hasty());
    assert.equal(states > 1000, true, `${states} states`);
  });
});
