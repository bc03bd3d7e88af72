/** An index that the disk refuses until it stalls, and what becomes of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import { finish } from "../testing/fake-host.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const OPTIONS = { indexStallItems: 30, maxIndexNum: 100, maxHashSlotNum: 50, hotTailBytes: 4096 };

function send(driver: StoreDriver, from: number, to: number): void {
  for (let index = from; index < to; index += 1) {
    const properties = `UNIQ_KEY\u0001id-${index}\u0002KEYS\u0001all k${index % 3}\u0002`;
    driver.sendNow(message(`m${index}`, { properties }));
    driver.host.advance(300);
  }
}

function ask(driver: StoreDriver, key: string): { bodies: string[]; complete: boolean } {
  let complete: boolean | undefined;
  const query = { topic: "T", key, messagesMax: 1, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER };
  driver.store.queryByKey(query, (result) => {
    ({ complete } = result);
    result.release();
  });
  driver.host.settle();
  const bodies = driver.query(key).map((record) => Buffer.from(record.body).toString());
  return { bodies, complete: complete! };
}

function checkAll(driver: StoreDriver, count: number, what: string): void {
  for (let index = 0; index < count; index += 1) {
    assert.deepEqual(
      ask(driver, `id-${index}`),
      { bodies: [`m${index}`], complete: true },
      `${what}: ${index}`,
    );
  }
  const all = Array.from({ length: count }, (_, index) => `m${index}`);
  assert.deepEqual(ask(driver, "all").bodies, all.slice(-64), what);
}

const refuse = (driver: StoreDriver, code: "ENOSPC" | "EIO"): void => {
  driver.host.files.fault = (what, path) =>
    what === "write" && path.startsWith(`${HOME}/index/`) ? code : undefined;
};

async function stalled(code: "ENOSPC" | "EIO" = "ENOSPC", log?: string[]): Promise<StoreDriver> {
  const note = (_: object, text: string) => void log?.push(text);
  const silent = { trace() {}, debug() {}, warn() {}, fatal() {} };
  const driver = await StoreDriver.open(OPTIONS, undefined, { ...silent, info: note, error: note } as never);
  send(driver, 0, 5);
  refuse(driver, code);
  send(driver, 5, 40);
  assert.equal(driver.store.status().keyIndex.stalls, 1);
  assert.ok(driver.store.status().keyIndex.behindBytes > 0);
  return driver;
}

describe("an index that the disk refuses", () => {
  for (const code of ["ENOSPC", "EIO"] as const) {
    it(`stalls, says so, and catches up by itself when the disk takes it again (${code})`, async () => {
      const log: string[] = [];
      const driver = await stalled(code, log);
      assert.deepEqual(ask(driver, "id-3"), { bodies: ["m3"], complete: false });
      assert.deepEqual(ask(driver, "id-39"), { bodies: [], complete: false });
      driver.host.advance(60_000);
      assert.deepEqual(ask(driver, "id-39").bodies, []);
      driver.host.files.fault = () => undefined;
      driver.host.advance(11_000);
      checkAll(driver, 40, "caught up");
      assert.deepEqual(driver.store.status().keyIndex, { behindBytes: 0, stalls: 1 });
      send(driver, 40, 70);
      checkAll(driver, 70, "goes on");
      checkAll(await driver.killed(OPTIONS), 70, "after a kill");
      await driver.stop();
      checkAll(await driver.killed(OPTIONS), 70, "after a stop");
      assert.equal(log.filter((text) => text.includes("found by key when it can be again")).length, 1);
      assert.equal(log.filter((text) => text.includes("has caught up")).length, 1);
    });
  }

  it("catches up while messages keep coming, whatever is not flushed yet, each once", async () => {
    const driver = await stalled();
    driver.host.files.fault = () => undefined;
    driver.host.advance(9_500);
    let next = 40;
    for (let turn = 0; turn < 150; turn += 1) {
      for (let each = turn % 3; each > 0; each -= 1) {
        const properties = `UNIQ_KEY\u0001id-${next}\u0002KEYS\u0001all k${next % 3}\u0002`;
        driver.send(message(`m${next}`, { properties }));
        next += 1;
      }
      driver.host.turn();
      if (turn % 20 === 0) driver.host.advance(100);
    }
    driver.host.advance(11_000);
    checkAll(driver, next, "amid sends");
    checkAll(await driver.killed(OPTIONS), next, "then killed");
    await driver.stop();
    const { files } = driver.host.files.image();
    let items = 0;
    for (const [path, bytes] of files)
      if (path.startsWith(`${HOME}/index/`)) items += bytes.readInt32BE(36) - 1;
    assert.equal(items, 3 * next, "no key is there twice");
  });

  it("that stalls again while it catches up does so later", async () => {
    const driver = await stalled();
    driver.host.files.fault = () => undefined;
    driver.host.advance(11_000);
    refuse(driver, "EIO");
    send(driver, 40, 80);
    assert.equal(driver.store.status().keyIndex.stalls, 2);
    driver.host.files.fault = () => undefined;
    driver.host.advance(11_000);
    checkAll(driver, 80, "twice");
  });

  it("is completed by the next start when nothing else has", async () => {
    const driver = await stalled();
    checkAll(await driver.killed(OPTIONS), 40, "killed");
    driver.host.files.fault = () => undefined;
    await driver.stop();
    checkAll(await driver.killed(OPTIONS), 40, "stopped");
  });

  it("goes on right when the log is cut before, or behind, where it stalled", async () => {
    for (const kept of [3, 10, 30]) {
      const driver = await stalled();
      const { physicalOffset: position } = driver.readAll()[kept]!;
      driver.host.files.fault = () => undefined;
      await finish(driver.host, driver.store.truncateTo(physicalOffset(position)));
      send(driver, kept, 50);
      driver.host.advance(11_000);
      checkAll(driver, 50, `cut to ${kept}`);
      checkAll(await driver.killed(OPTIONS), 50, `cut to ${kept}, then killed`);
    }
  });

  it("that was built again past a record it could not read never claims to be complete, until it is built anew", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    send(driver, 0, 40);
    const { physicalOffset: position } = driver.readAll()[20]!;
    await driver.stop();
    const { files, folders } = driver.host.files.image();
    const damaged = new Map([...files].filter(([path]) => !path.startsWith(`${HOME}/index/`)));
    const log = Buffer.from(damaged.get(`${HOME}/commitlog/00000000000000000000`)!);
    log[position + 90]! ^= 1;
    damaged.set(`${HOME}/commitlog/00000000000000000000`, log);
    const again = await StoreDriver.open(OPTIONS, { files: damaged, folders });
    assert.deepEqual(ask(again, "id-10"), { bodies: ["m10"], complete: false });
    assert.equal(ask(again, "id-30").complete, false);
    send(again, 40, 50);
    assert.deepEqual(ask(again, "id-45"), { bodies: ["m45"], complete: false });
    await again.stop();
    const later = again.host.files.image();
    assert.equal(ask(await StoreDriver.open(OPTIONS, later), "id-30").complete, false, "after another start");
    const whole = new Map([...later.files].filter(([path]) => !path.startsWith(`${HOME}/index/`)));
    const mended = Buffer.from(whole.get(`${HOME}/commitlog/00000000000000000000`)!);
    mended[position + 90]! ^= 1;
    whole.set(`${HOME}/commitlog/00000000000000000000`, mended);
    checkAll(await StoreDriver.open(OPTIONS, { files: whole, folders: later.folders }), 50, "built anew");
  });

  it("does not claim to be complete when the start met a damaged record before it was indexed, held or given up", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    for (let index = 0; index < 40; index += 1)
      driver.sendNow(message(`m${index}`, { properties: `UNIQ_KEY\u0001id-${index}\u0002` }));
    const { files: early } = driver.host.files.image();
    driver.host.advance(15_000);
    const { files: late, folders } = driver.host.files.image();
    const { physicalOffset: position, totalSize } = driver.readAll()[20]!;
    const log = `${HOME}/commitlog/00000000000000000000`;
    const damaged = Buffer.from(late.get(log)!);
    damaged[position + 90]! ^= 1;
    const skipped = [
      {
        offset: position,
        end: position + totalSize,
        reason: "bits",
        skippedMs: 1,
        topic: "T",
        queueId: 0,
        queueOffset: 20,
      },
    ];
    const skips = Buffer.from(JSON.stringify({ version: 1, skipped }));
    // A crash amid a round of flushing: some files are new, the others are those of the round before.
    const crashed = (isNew: (path: string) => boolean): Map<string, Buffer> => {
      const files = new Map([...early, ...[...late].filter(([path]) => isNew(path))] as [string, Buffer][]);
      return files.set(log, damaged);
    };
    const queues = (path: string): boolean => path.startsWith(`${HOME}/consumequeue/`);
    for (const more of [[], [[`${HOME}/orbitmq-skips.json`, skips] as const]]) {
      const again = await StoreDriver.open(OPTIONS, {
        files: new Map([...crashed(queues), ...more]),
        folders,
      });
      assert.deepEqual(ask(again, "id-20"), { bodies: [], complete: false });
      assert.deepEqual(ask(again, "id-30"), { bodies: ["m30"], complete: false });
      again.host.advance(15_000);
      await again.stop();
      const later = await StoreDriver.open(OPTIONS, again.host.files.image());
      assert.deepEqual(ask(later, "id-20"), { bodies: [], complete: false }, "after another start");
    }
    const files = crashed((path) => queues(path) || path.includes("index"));
    const indexed = await StoreDriver.open(OPTIONS, { files, folders });
    assert.deepEqual(ask(indexed, "id-20"), { bodies: [], complete: false }, "its record cannot be read");
    assert.deepEqual(ask(indexed, "id-30"), { bodies: ["m30"], complete: true }, "all are indexed");
  });
});
