/** The index as its users see it: queries by key, before and after restarts, crashes, losses and cuts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import type { MessageRecord, RecordInput } from "@orbitmq/wire";
import type { StoreOptions } from "../store-options.ts";
import { seededRandom } from "../testing/crash-model.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { finish } from "../testing/fake-host.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const INDEX = `${HOME}/index`;

const bodies = (records: readonly MessageRecord[]): string[] =>
  records.map((record) => Buffer.from(record.body).toString());

function keyed(body: string, keys: string, more: Partial<RecordInput> = {}): RecordInput {
  const properties = `UNIQ_KEY\u0001id-${body}\u0002KEYS\u0001${keys}\u0002TAGS\u0001tag-${body.length % 3}\u0002`;
  return message(body, { properties, ...more });
}

const filesOf = (image: DiskImage): string[] =>
  [...image.files.keys()].filter((path) => path.startsWith(`${INDEX}/`)).sort();

describe("a query by key", () => {
  it("finds by KEYS, UNIQ_KEY and, asked for it, by TAGS, in the order of the log", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(keyed("one", "a b"));
    driver.sendNow(keyed("two", "b c", { queueId: 3 }));
    driver.sendNow(keyed("other", "b", { topic: "U" }));
    assert.deepEqual(bodies(driver.query("b")), ["one", "two"]);
    assert.deepEqual(bodies(driver.query("c")), ["two"]);
    assert.deepEqual(bodies(driver.query("id-one", { indexType: "U" })), ["one"]);
    assert.deepEqual(bodies(driver.query("tag-0", { indexType: "T" })), ["one", "two"]);
    assert.deepEqual(bodies(driver.query("b", { topic: "U" })), ["other"]);
    for (const key of ["tag-0", "d", "a b", ""]) assert.deepEqual(bodies(driver.query(key)), [], key);
  });

  it("returns the newest when there are more than asked for, and at most maxMsgsNumBatch", async () => {
    const driver = await StoreDriver.open({ maxMsgsNumBatch: 10 });
    for (let index = 0; index < 40; index += 1) driver.sendNow(keyed(`m${index}`, "k"));
    assert.deepEqual(bodies(driver.query("k", { messagesMax: 3 })), ["m37", "m38", "m39"]);
    assert.equal(driver.query("k").length, 10);
    assert.equal(driver.query("k", { messagesMax: 0 }).length, 0);
  });

  it("takes both ends of its time range exactly, within a second and across files", async () => {
    const driver = await StoreDriver.open();
    const times: number[] = [];
    for (let index = 0; index < 60; index += 1) {
      times.push(driver.sendNow(keyed(`m${index}`, "k")).storeTimestamp);
      driver.host.wall += 300;
    }
    for (const [from, to] of [
      [0, 0],
      [7, 9],
      [20, 50],
      [59, 59],
    ] as const) {
      const found = driver.query("k", { beginMs: times[from]!, endMs: times[to]! });
      assert.deepEqual(
        bodies(found),
        times.slice(from, to + 1).map((_, index) => `m${from + index}`),
      );
    }
    assert.deepEqual(driver.query("k", { beginMs: times[59]! + 1 }), []);
    assert.deepEqual(driver.query("k", { beginMs: 5, endMs: 4 }), []);
  });

  it("tells keys with the same hash apart", async () => {
    const driver = await StoreDriver.open();
    // "Aa" and "BB" have one hash in Java.
    driver.sendNow(keyed("one", "Aa"));
    driver.sendNow(keyed("two", "BB"));
    assert.deepEqual(bodies(driver.query("Aa")), ["one"]);
    assert.deepEqual(bodies(driver.query("BB")), ["two"]);
  });

  it("sees nothing that is not flushed", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(keyed("flushed", "k"));
    driver.host.files.held = true;
    driver.send(keyed("written", "k"));
    for (let turns = 0; turns < 10; turns += 1) driver.host.turn();
    assert.deepEqual(bodies(driver.query("k")), ["flushed"]);
    driver.host.files.release();
    driver.host.settle();
    assert.deepEqual(bodies(driver.query("k")), ["flushed", "written"]);
  });

  it("finds half messages, but not the marks of rollbacks", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(keyed("half", "k", { sysFlag: 4 }));
    driver.sendNow(keyed("rolled back", "k", { sysFlag: 12 }));
    driver.sendNow(keyed("committed", "k", { sysFlag: 8 }));
    assert.deepEqual(bodies(driver.query("k")), ["half", "committed"]);
  });

  it("reads the log when an IndexFile cannot be read, and says that something may be missing when a record cannot", async () => {
    const before = await StoreDriver.open();
    before.sendNow(keyed("old", "k"));
    for (let index = 0; index < 80; index += 1) before.sendNow(keyed(`m${index}${"x".repeat(900)}`, "other"));
    await before.stop();
    for (const folder of ["/index/", "/commitlog/"]) {
      const driver = await before.killed();
      const ask = (key: string) => {
        let answer: unknown;
        const query = { topic: "T", key, messagesMax: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER };
        driver.store.queryByKey(query, ({ messageCount, complete }) => {
          answer = [messageCount, complete];
        });
        driver.host.settle();
        return answer;
      };
      driver.host.files.fault = (kind, path) =>
        kind === "read" && path.includes(folder) ? "EIO" : undefined;
      assert.deepEqual(ask("k"), folder === "/index/" ? [1, true] : [0, false], folder);
      driver.host.files.fault = () => undefined;
      assert.deepEqual(
        [ask("k"), ask("never")],
        [
          [1, true],
          [0, true],
        ],
        folder,
      );
      await driver.stop();
      assert.deepEqual(ask("k"), [0, false], "closed");
    }
  });

  it("finds nothing, and no files appear, when messageIndexEnable is false", async () => {
    const driver = await StoreDriver.open({ messageIndexEnable: false });
    driver.sendNow(keyed("one", "k"));
    assert.deepEqual(driver.query("k"), []);
    await driver.stop();
    assert.deepEqual(filesOf(driver.host.files.image()), []);
    const again = await StoreDriver.open({}, driver.host.files.image());
    assert.deepEqual(bodies(again.query("k")), ["one"]);
  });
});

describe("the index", () => {
  async function filled(options: Partial<StoreOptions> = {}): Promise<StoreDriver> {
    const driver = await StoreDriver.open(options);
    for (let index = 0; index < 50; index += 1) {
      driver.sendNow(keyed(`m${index}`, `k${index} all`));
      if (index % 9 === 8) driver.host.advance(11_000);
    }
    return driver;
  }
  const everything = Array.from({ length: 50 }, (_, index) => `m${index}`);

  for (const how of ["an orderly stop", "a kill"]) {
    it(`is complete again after ${how} and the loss of any of its files`, async () => {
      const driver = await filled();
      if (how === "an orderly stop") await driver.stop();
      const image = driver.host.files.image();
      const paths = filesOf(image);
      assert.ok(paths.length >= 4, `${paths.length} files`);
      for (const lost of [
        [],
        ...paths.map((path) => [path]),
        paths,
        [`${HOME}/orbitmq-index`],
        paths.slice(0, 2),
      ]) {
        const files = new Map([...image.files].filter(([path]) => !lost.includes(path)));
        const again = await StoreDriver.open({}, { files, folders: image.folders });
        assert.deepEqual(bodies(again.query("all")), everything, `without ${lost.join(", ")}`);
        again.sendNow(keyed("more", "all"));
        assert.deepEqual(bodies(again.query("all")), [...everything, "more"], `without ${lost.join(", ")}`);
      }
    });
  }

  it("is built again for other sizes", async () => {
    const driver = await filled();
    await driver.stop();
    const again = await StoreDriver.open({ maxIndexNum: 1000, maxHashSlotNum: 7 }, driver.host.files.image());
    assert.deepEqual(bodies(again.query("all")), everything);
    await again.stop();
    assert.equal(filesOf(again.host.files.image()).length, 1);
  });

  it("forgets what a truncation cuts off, for good", async () => {
    for (const keep of [0, 3, 10, 25, 49]) {
      const driver = await filled();
      const place = driver.query(`k${keep}`)[0]!.physicalOffset;
      await finish(driver.host, driver.store.truncateTo(physicalOffset(place)));
      const expected = everything.slice(0, keep);
      assert.deepEqual(bodies(driver.query("all")), expected);
      driver.sendNow(keyed("instead", "all"));
      assert.deepEqual(bodies(driver.query("all")), [...expected, "instead"]);
      const killed = await driver.killed();
      assert.deepEqual(bodies(killed.query("all")), [...expected, "instead"], `cut to ${keep}, killed`);
      await driver.stop();
      const stopped = await driver.killed();
      assert.deepEqual(bodies(stopped.query("all")), [...expected, "instead"], `cut to ${keep}, stopped`);
    }
  });

  it("is written again until the disk takes it, and messages do not wait for that", async () => {
    for (const what of ["sync", "write", "create"]) {
      const driver = await StoreDriver.open();
      let failing = true;
      driver.host.files.fault = (kind, path) =>
        failing && kind === what && path.includes("/index") ? "EIO" : undefined;
      for (let index = 0; index < 50; index += 1) driver.sendNow(keyed(`m${index}`, "all"));
      driver.host.advance(30_000);
      assert.deepEqual(bodies(driver.query("all")), everything);
      const killed = await driver.killed();
      assert.deepEqual(bodies(killed.query("all")), everything, `${what} failed, killed`);
      failing = false;
      driver.sendNow(keyed("more", "all"));
      driver.host.advance(30_000);
      await driver.stop();
      const again = await driver.killed();
      assert.deepEqual(bodies(again.query("all")), [...everything, "more"], `${what} failed for a while`);
    }
  });

  it("agrees with a list of all messages, through random lives", async () => {
    for (let seed = 1; seed <= 6; seed += 1) await randomLife(seed);
  });
});

/** Appends, queries, restarts, cuts, losses, checked against a plain list. */
async function randomLife(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const pick = (bound: number): number => Math.floor(random() * bound);
  const options = { maxHashSlotNum: 1 + pick(40), maxIndexNum: 4 + pick(60) };
  let driver = await StoreDriver.open(options);
  let model: { body: string; keys: string[]; position: number; time: number }[] = [];
  for (let round = 0; round < 120; round += 1) {
    const what = `seed ${seed}, round ${round}`;
    const action = pick(20);
    if (action < 14) {
      const body = `m${round}`;
      const keys = Array.from({ length: 1 + pick(4) }, () => `k${pick(9)}`);
      const { physicalOffset: position, storeTimestamp: time } = driver.sendNow(keyed(body, keys.join(" ")));
      model.push({ body, keys: [...keys, `id-${body}`], position, time });
      driver.host.wall += pick(900);
    } else if (action === 14) driver.host.advance(12_000 + pick(80_000));
    else if (action === 15) {
      if (pick(2) === 0) await driver.stop();
      driver = await StoreDriver.open(options, driver.host.files.image());
    } else if (action === 16 && model.length > 0) {
      const kept = pick(model.length);
      await finish(driver.host, driver.store.truncateTo(physicalOffset(model[kept]!.position)));
      model = model.slice(0, kept);
    } else if (action === 17) {
      const image = driver.host.files.image();
      const files = new Map(image.files);
      for (const path of filesOf(image)) if (pick(3) === 0) files.delete(path);
      driver = await StoreDriver.open(options, { files, folders: image.folders });
    }
    const key = pick(4) === 0 ? `id-m${pick(round + 1)}` : `k${pick(9)}`;
    const beginMs = model[pick(model.length)]?.time ?? 0;
    const endMs = beginMs + pick(20_000);
    const expected = model
      .filter(({ keys, time }) => keys.includes(key) && time >= beginMs && time <= endMs)
      .map(({ body }) => body);
    assert.deepEqual(bodies(driver.query(key, { beginMs, endMs })), expected, `${what}: ${key}`);
    const all = model.filter(({ keys }) => keys.includes(key)).map(({ body }) => body);
    assert.deepEqual(bodies(driver.query(key)), all.slice(-64), `${what}: ${key} of all times`);
  }
}
