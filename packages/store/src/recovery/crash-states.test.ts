/**
 * Every crash of a few representative runs: after each operation on the disk, with what was not synced kept,
 * lost and torn in several ways, the store is recovered and must hold what it promised. ORBITMQ_CRASH_STATES
 * raises how many ways are tried at each place (default 3).
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import type { RecordInput } from "@orbitmq/wire";
import type { StoreOptions } from "../store-options.ts";
import { type CrashChoice, CrashModel, KEEP_ALL, LOSE_ALL, seededRandom } from "../testing/crash-model.ts";
import type { DiskImage, DiskOperation } from "../testing/fake-disk.ts";
import { finish } from "../testing/fake-host.ts";
import { message, Outcome, StoreDriver } from "../testing/store-driver.ts";

const WAYS = Number(process.env["ORBITMQ_CRASH_STATES"] ?? 3);

/** What a run has promised by the time so many disk operations were done. */
interface Promise_ {
  readonly operation: number;
  readonly queueId: number;
  readonly offset: number;
  readonly body: string;
}

interface Run {
  readonly operations: readonly DiskOperation[];
  /** Acknowledged messages: must be there. */
  readonly acknowledged: Promise_[];
  /** Messages readers have seen: must be there too under SYNC_FLUSH. */
  readonly seen: Promise_[];
  /** Everything ever sent: nothing else may appear. */
  readonly sent: Map<string, string>;
  readonly options: Partial<StoreOptions>;
  /** Messages cut off on purpose, by the operation after which they must be gone. */
  readonly cut: Promise_[];
}

/** Messages whose body begins with "long" have properties that fill more than two sectors. */
function input(body: string, queueId: number): RecordInput {
  const properties = `TAGS\u0001tag\u0002LONG\u0001${body.slice(0, 8).repeat(150)}\u0002UNIQ_KEY\u0001${body.slice(0, 8)}\u0002`;
  return message(body, body.startsWith("long") ? { queueId, properties } : { queueId });
}

class Recorder {
  readonly driver: StoreDriver;
  readonly run: Run;

  constructor(driver: StoreDriver, options: Partial<StoreOptions>) {
    this.driver = driver;
    this.run = {
      operations: driver.host.files.operations,
      acknowledged: [],
      seen: [],
      sent: new Map(),
      options,
      cut: [],
    };
  }

  send(body: string, queueId = 0): void {
    const { result, waiter } = this.driver.send(input(body, queueId));
    this.run.sent.set(`${queueId}/${body}`, body);
    waiter.onSettled = (outcome) => {
      if (outcome === "reached") this.#note(this.run.acknowledged, queueId, result.queueOffset, body);
    };
  }

  sendBatch(bodies: readonly string[], queueId = 0): void {
    const waiter = new Outcome();
    const result = this.driver.store.appendBatch(
      bodies.map((body) => input(body, queueId)),
      "flushed",
      waiter,
    );
    assert.equal(result.status, "appended");
    if (result.status !== "appended") return;
    for (const body of bodies) this.run.sent.set(`${queueId}/${body}`, body);
    waiter.onSettled = (outcome) => {
      if (outcome !== "reached") return;
      bodies.forEach((body, index) => {
        this.#note(this.run.acknowledged, queueId, result.queueOffset + index, body);
      });
    };
  }

  /** Notes what can be read now. */
  look(): void {
    for (const queueId of this.driver.store.queuesOf("T")) {
      this.driver.bodies("T", queueId).forEach((body, offset) => {
        this.#note(this.run.seen, queueId, offset, body);
      });
    }
  }

  #note(list: Promise_[], queueId: number, offset: number, body: string): void {
    list.push({ operation: this.driver.host.files.operations.length, queueId, offset, body });
  }
}

/** Opens the crashed disk and checks every promise made before `operation`; returns the recovered store. */
async function check(run: Run, image: DiskImage, operation: number, what: string): Promise<StoreDriver> {
  const driver = await StoreDriver.open(run.options, image);
  const queues = new Map<number, string[]>();
  for (const queueId of driver.store.queuesOf("T")) {
    const records = driver.readAll("T", queueId);
    records.forEach((record, offset) => {
      const body = Buffer.from(record.body).toString();
      assert.equal(record.queueOffset, offset, `${what}: offsets have no gaps`);
      assert.equal(run.sent.get(`${queueId}/${body}`), body, `${what}: ${body.slice(0, 20)} was never sent`);
      assert.ok(
        record.properties.startsWith(input(body, queueId).properties),
        `${what}: properties of ${body.slice(0, 20)}`,
      );
    });
    queues.set(
      queueId,
      records.map((record) => Buffer.from(record.body).toString()),
    );
  }
  const gone = new Set(
    run.cut.filter((cut) => cut.operation <= operation).map((cut) => `${cut.queueId}/${cut.body}`),
  );
  for (const [list, name] of [
    [run.acknowledged, "acknowledged"],
    [run.seen, "seen"],
  ] as const) {
    for (const { operation: when, queueId, offset, body } of list) {
      if (when > operation || run.cut.some((cut) => cut.body === body)) continue;
      assert.equal(queues.get(queueId)?.[offset], body, `${what}: ${name} message ${queueId}/${offset}`);
    }
  }
  for (const [queueId, bodies] of queues) {
    for (const body of bodies)
      assert.ok(!gone.has(`${queueId}/${body}`), `${what}: ${body.slice(0, 20)} came back`);
  }
  return driver;
}

/** What is there must stay, and grow, when the recovered store is used and crashes once more. */
async function checkGrowth(
  run: Run,
  driver: StoreDriver,
  image: DiskImage,
  random: () => number,
  what: string,
): Promise<void> {
  const before = driver.bodies("T", 0);
  const [first, second] = [equal("after-1"), equal("after-2")];
  driver.send(message(first));
  driver.host.settle();
  driver.send(message(second));
  const model = new CrashModel(image);
  for (const operation of driver.host.files.operations) model.apply(operation);
  const again = await StoreDriver.open(
    run.options,
    model.crash({ keepData: random(), keepNames: random(), random }),
  );
  const after = again.bodies("T", 0);
  assert.ok(
    after.length <= before.length + 2 && [second, undefined].includes(after[before.length + 1]),
    `${what}: nothing came back`,
  );
  assert.deepEqual(after.slice(0, before.length + 1), [...before, first], `${what}: grown and crashed again`);
}

async function checkAll(run: Run, first = 0): Promise<number> {
  const model = new CrashModel();
  const random = seededRandom(run.operations.length);
  let states = 0;
  for (let operation = 0; operation <= run.operations.length; operation += 1) {
    if (operation > 0) model.apply(run.operations[operation - 1]!);
    if (operation < first) continue;
    const choices: CrashChoice[] = [LOSE_ALL, KEEP_ALL];
    for (let way = 0; way < WAYS; way += 1) {
      choices.push({ keepData: random(), keepNames: way % 2 === 0 ? 1 : random(), random });
    }
    for (const [way, choice] of choices.entries()) {
      const what = `operation ${operation} (${run.operations[operation - 1]?.kind}), way ${way}`;
      const image = model.crash(choice);
      const driver = await check(run, image, operation, what);
      states += 1;
      if (random() < 0.2) {
        // Crashing during recovery, and recovering again.
        const recovery = new CrashModel(image);
        const stopAt = Math.floor(random() * (driver.host.files.operations.length + 1));
        for (const done of driver.host.files.operations.slice(0, stopAt)) recovery.apply(done);
        await check(
          run,
          recovery.crash({ keepData: random(), keepNames: random(), random }),
          operation,
          `${what}, recovery stopped after ${stopAt}`,
        );
        states += 1;
      }
      if (random() < 0.2) await checkGrowth(run, driver, image, random, what);
    }
  }
  return states;
}

const body = (name: string, length: number) => `${name}-`.padEnd(length, name);

/** A body that makes every record equally long, so that one can take the place of another exactly. */
const equal = (name: string) => name.padEnd(128, "=");

describe("every crash state", () => {
  it("of appends that cross segments, with queues and mark saved now and then, keeps all promises", async () => {
    const recorder = new Recorder(await StoreDriver.open(), {});
    const { driver } = recorder;
    for (let round = 0; round < 12; round += 1) {
      recorder.send(body(`a${round}`, 30 + round * 90));
      recorder.send(body(`b${round}`, 200), 1);
      if (round % 3 === 0) recorder.sendBatch([body(`c${round}`, 700), body(`d${round}`, 1500)]);
      driver.host.settle();
      recorder.look();
      if (round % 4 === 1) driver.host.advance(11_000);
    }
    driver.send(message("never acknowledged", { queueId: 9 }));
    recorder.run.sent.set("9/never acknowledged", "never acknowledged");
    driver.host.turn();
    await driver.stop();
    const states = await checkAll(recorder.run);
    assert.ok(states > 500, `${states} states`);
  });

  it("of equally long records in large batches, where torn ones could be taken for new ones, keeps all promises", async () => {
    const recorder = new Recorder(await StoreDriver.open(), {});
    const { driver } = recorder;
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 2 + round; index += 1) recorder.send(equal(`r${round}-${index}`));
      if (round % 3 === 1) recorder.send(equal(`long${round}`));
      driver.host.settle();
      recorder.look();
    }
    const states = await checkAll(recorder.run);
    assert.ok(states > 200, `${states} states`);
  });

  it("after a failed sync, a restart of the process and what it then shows, keeps all promises", async () => {
    for (const fails of [1, 2]) {
      const recorder = new Recorder(await StoreDriver.open(), {});
      recorder.send(equal("before"));
      recorder.driver.host.settle();
      let left = fails;
      recorder.driver.host.files.fault = (what, path) =>
        what === "sync" && path.includes("commitlog") && --left === 0 ? "EIO" : undefined;
      for (let round = 0; round < 3; round += 1) {
        for (let index = 0; index < 4; index += 1) {
          if (recorder.driver.store.status().state === "running") recorder.send(equal(`m${round}-${index}`));
        }
        recorder.driver.host.settle();
      }
      assert.equal(recorder.driver.store.status().state, "failed");
      const restarted = recorder.driver.host.files.operations.length;

      const second = new Recorder(await StoreDriver.open({}, recorder.driver.host.files), {});
      second.run.acknowledged.push(...recorder.run.acknowledged);
      for (const [key, sent] of recorder.run.sent) second.run.sent.set(key, sent);
      assert.ok(second.driver.bodies().length > recorder.run.acknowledged.length, "the page cache had more");
      second.look();
      second.send(equal("on top"));
      second.driver.host.settle();
      second.look();
      await checkAll(second.run, restarted);
    }
  });

  it("of a truncation keeps what lies before it and never brings back what it cut", async () => {
    const recorder = new Recorder(await StoreDriver.open(), {});
    const { driver } = recorder;
    const places: number[] = [];
    for (let index = 0; index < 60; index += 1) {
      recorder.send(equal(`t${index}`), index % 2);
      places.push(driver.store.status().flushedOffset);
      driver.host.settle();
    }
    driver.host.advance(11_000);
    const [kept, cut] = [recorder.run.acknowledged.slice(0, 37), recorder.run.acknowledged.slice(37)];
    recorder.run.acknowledged.splice(0, Number.POSITIVE_INFINITY, ...kept);
    const started = driver.host.files.operations.length;
    await finish(driver.host, driver.store.truncateTo(physicalOffset(places[37]!)));
    const operation = driver.host.files.operations.length;
    recorder.run.cut.push(...cut.map((promise) => ({ ...promise, operation })));
    recorder.look();
    assert.deepEqual([driver.bodies("T", 0).length, driver.bodies("T", 1).length], [19, 18]);
    for (let index = 0; index < 9; index += 1) recorder.send(equal(`u${index}`), index % 2);
    driver.host.settle();
    recorder.look();
    driver.host.advance(11_000);
    await checkAll(recorder.run, started);
  });

  it("of an ASYNC_FLUSH store leaves a store without gaps that holds what was flushed", async () => {
    const options = { flushDiskType: "ASYNC_FLUSH" } as const;
    const recorder = new Recorder(await StoreDriver.open(options), options);
    const { driver } = recorder;
    for (let round = 0; round < 8; round += 1) {
      for (let index = 0; index < 6; index += 1) {
        const text = equal(`s${round}-${index}`);
        driver.send(message(text), "written");
        recorder.run.sent.set(`0/${text}`, text);
      }
      driver.host.settle();
      if (round % 3 === 2) recorder.send(equal(`flushed${round}`));
      driver.host.settle();
      if (round % 3 === 1) driver.host.advance(11_000);
    }
    await checkAll(recorder.run);
  });
});
