/** Committed offsets beside a real store that has lost the end of its log: no group skips what comes afterwards. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Logger, silentLogger } from "@orbitmq/host";
import { StateFile } from "@orbitmq/store";
import { CrashModel, type DiskImage, HOME, LOSE_ALL, message, StoreDriver } from "@orbitmq/store/testing";
import { OffsetRegistry } from "./offset-registry.ts";
import { Offsets } from "./offsets.ts";

const ASYNC = { flushDiskType: "ASYNC_FLUSH" } as const;
const GROUP = "g";
const TOPICS = ["orders", "%RETRY%g"];
const KEPT = 10;
const LOST = 7;

function registryOf(driver: StoreDriver, logger: Logger = silentLogger): OffsetRegistry {
  const { host, store } = driver;
  host.files.makeFolderSync(`${HOME}/config`);
  return new OffsetRegistry({
    clock: host.clock,
    timers: host.timers,
    logger,
    offsets: new Offsets(1, 0),
    store,
    file: new StateFile(host, `${HOME}/config/consumerOffset.json`, logger),
    flushConsumerOffsetInterval: 5_000,
  });
}

function send(driver: StoreDriver, count: number, name: string): void {
  for (const topic of TOPICS) {
    for (let index = 0; index < count; index += 1)
      driver.send(message(`${name}${index}`, { topic }), "written");
  }
  driver.host.settle();
}

function commit(driver: StoreDriver, offset: number): void {
  const registry = registryOf(driver);
  registry.load();
  for (const topic of TOPICS) registry.commit(GROUP, topic, 0, offset, "test");
  registry.stop();
}

/** A machine crash takes the log's end, which no sync has carried, and leaves the offsets, which one has. */
async function crashed(): Promise<DiskImage> {
  const driver = await StoreDriver.open(ASYNC);
  send(driver, KEPT, "kept");
  driver.host.advance(30_000);
  send(driver, LOST, "lost");
  commit(driver, KEPT + LOST);
  const model = new CrashModel();
  for (const operation of driver.host.files.operations) model.apply(operation);
  return model.crash(LOSE_ALL);
}

/** The log comes from a snapshot, the offsets from later. */
async function restored(): Promise<DiskImage> {
  const driver = await StoreDriver.open(ASYNC);
  send(driver, KEPT, "kept");
  driver.host.advance(30_000);
  const snapshot = driver.host.files.image();
  send(driver, LOST, "lost");
  commit(driver, KEPT + LOST);
  const files = new Map(snapshot.files);
  const { names } = driver.host.files;
  for (const [path, { bytes }] of names) if (path.includes("/config/")) files.set(path, Buffer.from(bytes));
  return { files, folders: new Set([...snapshot.folders, `${HOME}/config`]) };
}

describe("after", () => {
  for (const [what, make] of [
    ["an ASYNC_FLUSH crash", crashed],
    ["a restored snapshot", restored],
  ] as const) {
    it(`${what} a group's offset is at its queue's end before anything is appended, and stays there`, async () => {
      const said: Record<string, unknown>[] = [];
      const logger = { ...silentLogger, warn: (bindings: object) => void said.push({ ...bindings }) };
      const driver = await StoreDriver.open(ASYNC, await make());
      for (const topic of TOPICS) assert.equal(driver.store.readableEnd(topic, 0), KEPT);
      registryOf(driver, logger as unknown as Logger).load();
      assert.deepEqual(
        said.map(({ group, topic, queueId, count }) => [group, topic, queueId, count]),
        TOPICS.map((topic) => [GROUP, topic, 0, LOST]),
      );
      // The queue grows past the old offset within seconds, and the process is killed.
      send(driver, 2 * LOST, "new");
      const again = await driver.killed(ASYNC);
      const offsets = registryOf(again);
      offsets.load();
      for (const topic of TOPICS) {
        assert.equal(again.store.readableEnd(topic, 0), KEPT + 2 * LOST);
        assert.equal(offsets.get(GROUP, topic, 0), KEPT, "everything that is new is still to come");
      }
    });
  }
});
