import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { javaHash, readRecords } from "@orbitmq/wire";
import type { GetResult } from "../message-store.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { StoredMessages } from "./get-result.ts";

/** A store of a hundred messages in queue 0 and one in queue 1, reopened with the one at `offset` of queue 0 damaged; `errors` is what its log says. */
async function withDamaged(offset: number) {
  const errors: object[] = [];
  const { driver, bodies } = await long(100);
  driver.sendNow(message("other", { queueId: 1 }));
  driver.host.advance(15_000);
  await driver.stop();
  const image = driver.host.files.image();
  const path = `${HOME}/commitlog/00000000000000000000`;
  const bytes = Buffer.from(image.files.get(path)!);
  bytes[bytes.indexOf(`${offset}###`) + 50] = 0;
  const logger = { error: (bindings: object) => errors.push(bindings) };
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, fatal() {} };
  const damaged = await StoreDriver.open(
    {},
    { files: new Map(image.files).set(path, bytes), folders: image.folders },
    { ...silent, ...logger } as never,
  );
  return { damaged, bodies, errors, path };
}

/** `count` messages of about 700 bytes, the oldest of which have long left memory. */
async function long(count: number, options = {}): Promise<{ driver: StoreDriver; bodies: string[] }> {
  const driver = await StoreDriver.open(options);
  const bodies: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const body = `${index}`.padEnd(600, "#");
    bodies.push(body);
    driver.sendNow(message(body));
  }
  driver.host.advance(15_000);
  return { driver, bodies };
}

describe("a pull", () => {
  it("says as RocketMQ does where its offset lies", async () => {
    const driver = await StoreDriver.open();
    const said = (offset: number, queueId = 0) => {
      const { result } = driver.read(offset, { queueId });
      return `${result.status} ${result.nextBeginOffset} ${result.minOffset} ${result.maxOffset}`;
    };
    assert.equal(said(5), "NO_MATCHED_LOGIC_QUEUE 0 0 0");
    driver.host.files.held = true;
    driver.send(message("x"));
    assert.equal(said(5), "NO_MESSAGE_IN_QUEUE 0 0 0");
    driver.host.files.release();
    driver.host.settle();
    driver.sendNow(message("y"));
    assert.equal(said(0), "FOUND 2 0 2");
    assert.equal(said(2), "OFFSET_OVERFLOW_ONE 2 0 2");
    assert.equal(said(3), "OFFSET_OVERFLOW_BADLY 2 0 2");
    assert.equal(said(-1), "OFFSET_TOO_SMALL 0 0 2");
    assert.equal(said(0, 7), "NO_MATCHED_LOGIC_QUEUE 0 0 0");
  });

  it("is served from memory at the tail, without touching the disk", async () => {
    const { driver, bodies } = await long(100);
    const { reads } = driver.host.files;
    let result: GetResult | undefined;
    driver.store.get({ topic: "T", queueId: 0, offset: 90, messagesMax: 32, bytesMax: 1e6 }, (got) => {
      result = got;
    });
    assert.equal(result?.status, "FOUND", "at once");
    assert.equal(result?.messageCount, 10);
    result?.release();
    assert.equal(driver.host.files.reads, reads);
    assert.deepEqual(driver.read(95).bodies, bodies.slice(95));
  });

  it("leaves out records its filter does not want, from memory, from disk and across blocks", async () => {
    const { driver, bodies } = await long(100);
    const asked: number[] = [];
    const even = (bytes: Buffer, at: number, size: number) => {
      const [record] = readRecords(Buffer.from(bytes.subarray(at, at + size)), { checkCrc: true });
      asked.push(record!.queueOffset);
      return record!.queueOffset % 2 === 0;
    };
    const found: string[] = [];
    for (let offset = 0; offset < 100; ) {
      const { result, bodies: some } = driver.read(offset, { matchesRecord: even });
      found.push(...some);
      offset = result.nextBeginOffset;
    }
    assert.deepEqual(
      found,
      bodies.filter((_, index) => index % 2 === 0),
    );
    assert.deepEqual(new Set(asked).size, 100);
    const { result } = driver.read(3, { matchesRecord: () => false });
    assert.deepEqual(
      [result.status, result.nextBeginOffset, result.messageCount],
      ["NO_MATCHED_MESSAGE", 100, 0],
    );
  });

  it("makes one slice of neighbours", async () => {
    const driver = await StoreDriver.open();
    for (let index = 0; index < 8; index += 1) driver.sendNow(message(`s${index}`));
    const { result } = driver.read(0);
    assert.deepEqual([result.messageCount, result.slices.length], [8, 1]);
  });

  it("reads what has left memory from disk, record by record the same", async () => {
    const { driver, bodies } = await long(150);
    assert.deepEqual(driver.bodies(), bodies);
    const again = await driver.killed();
    assert.deepEqual(again.bodies(), bodies);
    const start = await StoreDriver.open(
      { coldBlockBytes: 4096, coldCacheBytes: 8192 },
      driver.host.files.image(),
    );
    for (const offset of [149, 0, 77, 12, 100, 3]) assert.equal(start.read(offset).bodies[0], bodies[offset]);
  });

  it("reads records longer than a block and across blocks", async () => {
    const driver = await StoreDriver.open({ mappedFileSizeCommitLog: 64 * 1024, coldBlockBytes: 4096 });
    const bodies = [3000, 4096, 4000, 100, 4090].map((length, index) => `${index}`.padEnd(length, "="));
    for (const body of bodies) driver.sendNow(message(body));
    const again = await driver.killed({ mappedFileSizeCommitLog: 64 * 1024, coldBlockBytes: 4096 });
    assert.deepEqual(again.bodies(), bodies);
  });

  it("keeps to its limits of messages and bytes, but always gives one message", async () => {
    const { driver } = await long(300);
    assert.equal(driver.read(55, { messagesMax: 3 }).result.messageCount, 3);
    assert.equal(driver.read(0, { messagesMax: 3 }).result.messageCount, 3);
    assert.equal(driver.read(55, { bytesMax: 10 }).result.messageCount, 1);
    assert.equal(driver.read(0, { bytesMax: 10 }).result.messageCount, 1);
    assert.equal(driver.read(0, { bytesMax: 1500 }).result.messageCount, 2);
    assert.equal(driver.read(0, { messagesMax: 1000 }).result.messageCount, 256);
    const small = await driver.killed({ accessMessageInMemoryMaxRatio: 1 });
    assert.equal(small.read(0, { messagesMax: 1000 }).result.messageCount, 256);
  });

  it("takes RocketMQ's smaller limits for what lies further back than the machine has memory", async () => {
    const driver = new StoreDriver();
    Object.assign(driver.host.process, { totalMemoryBytes: 20_000 });
    await driver.start();
    for (let index = 0; index < 60; index += 1) driver.sendNow(message(`${index}`.padEnd(500, "#")));
    assert.equal(driver.read(0, { messagesMax: 100 }).result.messageCount, 8);
    assert.equal(driver.read(0).result.suggestPullingFromSlave, true);
    assert.equal(driver.read(55).result.suggestPullingFromSlave, false);
    const matches = () => false;
    assert.equal(
      driver.read(55, { matches }).result.suggestPullingFromSlave,
      false,
      "nor when nothing matches",
    );

    assert.equal(driver.store.isInMemory("T", 0, 0), false);
    assert.equal(driver.store.isInMemory("T", 0, 59), true);
    assert.equal(driver.store.isInMemory("T", 0, 60), false);
  });

  it("ends before the first message it is told to stop at, in memory and on disk", async () => {
    const { driver, bodies } = await long(100);
    for (const offset of [90, 3]) {
      const asked: number[] = [];
      const { result, bodies: found } = driver.read(offset, {
        stopBefore: (at, tagsCode) => {
          asked.push(at);
          return at === offset + 2 && tagsCode === javaHash("tag");
        },
      });
      assert.deepEqual(found, bodies.slice(offset, offset + 2));
      assert.equal(result.nextBeginOffset, offset + 2);
      assert.deepEqual([...new Set(asked)], [offset, offset + 1, offset + 2]);
    }
    const { result } = driver.read(90, { stopBefore: () => true });
    assert.deepEqual([result.status, result.nextBeginOffset], ["NO_MATCHED_MESSAGE", 90]);
  });

  it("passes over what the filter does not match, and says how far it looked", async () => {
    const driver = await StoreDriver.open({ maxFilterMessageSize: 200 });
    const tagged = (index: number) => (index % 10 === 9 ? "hit" : "miss");
    for (let index = 0; index < 40; index += 1) {
      driver.sendNow(message(`f${index}`, { properties: `TAGS\u0001${tagged(index)}\u0002` }));
    }
    const matches = (tagsCode: number) => tagsCode === javaHash("hit");
    assert.deepEqual(driver.read(0, { matches, messagesMax: 2 }).bodies, ["f9"]);
    assert.equal(driver.read(0, { matches, messagesMax: 2 }).result.nextBeginOffset, 10);
    const none = driver.read(0, { matches: () => false, messagesMax: 2 }).result;
    assert.deepEqual([none.status, none.nextBeginOffset, none.messageCount], ["NO_MATCHED_MESSAGE", 10, 0]);
    assert.deepEqual(driver.read(0, { matches, messagesMax: 20 }).bodies, ["f9", "f19"]);
  });

  it("keeps its bytes unchanged until released, however much is appended", async () => {
    const driver = await StoreDriver.open({ hotTailBytes: 8192 });
    for (let index = 0; index < 10; index += 1) driver.sendNow(message(`${index}`.padEnd(600, "!")));
    let held: GetResult | undefined;
    driver.store.get({ topic: "T", queueId: 0, offset: 8, messagesMax: 2, bytesMax: 1e6 }, (result) => {
      held = result;
    });
    const before = Buffer.concat(held!.slices);
    for (let index = 0; index < 200; index += 1) driver.sendNow(message("?".repeat(600)));
    assert.deepEqual(Buffer.concat(held!.slices), before);
    held!.release();
    assert.throws(() => held!.release(), /released once/);
  });

  it("gets copies when readers hold on to too much memory", async () => {
    const driver = await StoreDriver.open({ hotTailBytes: 8192, pinnedBytesMax: 0 });
    const results: GetResult[] = [];
    const pull = (offset: number) =>
      driver.store.get({ topic: "T", queueId: 0, offset, messagesMax: 1, bytesMax: 1e6 }, (result) =>
        results.push(result),
      );
    for (let index = 0; index < 60; index += 1) {
      driver.sendNow(message(`${index}`.padEnd(600, "!")));
      pull(index);
    }
    const slabs = new Set(
      results.map(({ slices }) => slices[0]!.buffer).filter(({ byteLength }) => byteLength === 4096),
    );
    assert.ok(slabs.size >= 1 && slabs.size <= 4, `${slabs.size} slabs are held`);
    results.forEach((result, index) => {
      assert.ok(Buffer.from(result.slices[0]!).includes(`${index}`.padEnd(600, "!")));
      result.release();
    });
  });

  it("never serves a corrupt record, never passes over it, and leaves its neighbours alone", async () => {
    const { damaged, bodies, errors, path } = await withDamaged(5);
    assert.deepEqual(damaged.read(0).bodies, bodies.slice(0, 5));
    for (let again = 0; again < 3; again += 1) {
      const { result } = damaged.read(5);
      assert.deepEqual([result.status, result.nextBeginOffset], ["OFFSET_FOUND_NULL", 5]);
    }
    assert.deepEqual(damaged.read(6).bodies[0], bodies[6]);
    assert.deepEqual(damaged.bodies("T", 1), ["other"]);
    assert.equal(errors.length, 1, "said once");
    assert.deepEqual(
      { ...errors[0], reason: "" },
      {
        topic: "T",
        queueId: 0,
        queueOffset: 5,
        physicalOffset: (errors[0] as { physicalOffset: number }).physicalOffset,
        file: path,
        byte: (errors[0] as { physicalOffset: number }).physicalOffset,
        reason: "",
      },
    );
  });

  it("is served to who waits for the same block as one that is corrupt", async () => {
    const { damaged, bodies, errors } = await withDamaged(6);
    damaged.host.files.held = true;
    const results: string[] = [];
    for (const offset of [6, 7, 6, 8]) {
      damaged.store.get({ topic: "T", queueId: 0, offset, messagesMax: 1, bytesMax: 1e6 }, (result) => {
        const found = readRecords(Buffer.concat(result.slices)).map(({ body }) => body.toString());
        results.push(`${offset} ${result.status} ${found.join()}`);
        result.release();
      });
    }
    damaged.host.files.held = false;
    damaged.host.files.release();
    damaged.host.settle();
    const held = "6 OFFSET_FOUND_NULL ";
    assert.deepEqual(results.sort(), [held, held, `7 FOUND ${bodies[7]}`, `8 FOUND ${bodies[8]}`]);
    assert.equal(errors.length, 1);
  });

  it("waits its turn when many catch up at once, and all are served", async () => {
    const { driver, bodies } = await long(150);
    driver.host.files.held = true;
    const results = new Map<number, string>();
    for (let reader = 0; reader < 100; reader += 1) {
      const offset = reader % 50;
      driver.store.get({ topic: "T", queueId: 0, offset, messagesMax: 1, bytesMax: 1e6 }, (result) => {
        results.set(reader, Buffer.concat(result.slices).toString());
        result.release();
      });
    }
    driver.host.settle();
    assert.equal(results.size, 0);
    driver.host.files.release();
    driver.host.settle();
    assert.equal(results.size, 100);
    for (const [reader, text] of results) assert.ok(text.includes(bodies[reader % 50]!));
  });

  it("is answered emptily, at the same place, once the store has stopped", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("x"));
    await driver.stop();
    const { result } = driver.read(0);
    assert.ok(result instanceof StoredMessages);
    assert.deepEqual([result.status, result.nextBeginOffset], ["OFFSET_FOUND_NULL", 0]);
  });
});

describe("a lookup by time", () => {
  it("finds the first message at or after, and the last at or before, from memory and from disk", async () => {
    const driver = await StoreDriver.open();
    const base = driver.host.wall;
    // Two messages each at +0, +10, +20, …
    for (let index = 0; index < 120; index += 1) {
      driver.host.wall = base + Math.floor(index / 2) * 10;
      driver.sendNow(message(`${index}`.padEnd(300, "t")));
    }
    driver.host.advance(15_000);
    const find = (store: StoreDriver, at: number, boundary: "lower" | "upper") => {
      let found: number | undefined;
      store.store.offsetByTime("T", 0, base + at, boundary, (offset) => {
        found = offset;
      });
      store.host.settle();
      return found;
    };
    for (const store of [driver, await driver.killed()]) {
      assert.equal(find(store, 0, "lower"), 0);
      assert.equal(find(store, -5, "lower"), 0);
      assert.equal(find(store, -5, "upper"), 0);
      assert.equal(find(store, 0, "upper"), 1);
      assert.equal(find(store, 5, "lower"), 2);
      assert.equal(find(store, 5, "upper"), 1);
      assert.equal(find(store, 200, "lower"), 40);
      assert.equal(find(store, 200, "upper"), 41);
      assert.equal(find(store, 590, "lower"), 118);
      assert.equal(find(store, 591, "lower"), 120);
      assert.equal(find(store, 99_999, "upper"), 119);
    }
    let stored: number | undefined;
    driver.store.storeTimestampAt("T", 0, 3, (timestamp) => {
      stored = timestamp;
    });
    driver.host.settle();
    assert.equal(stored, base + 10);
    for (const [queueId, offset] of [
      [0, 120],
      [0, -1],
      [9, 0],
    ] as const) {
      driver.store.storeTimestampAt("T", queueId, offset, (timestamp) => {
        stored = timestamp;
      });
      driver.host.settle();
      assert.equal(stored, -1);
    }
  });
});
