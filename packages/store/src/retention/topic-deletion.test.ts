/** Topics that are deleted: at once, after every crash, after what builds queues again, and made anew. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CrashModel, KEEP_ALL, LOSE_ALL, seededRandom } from "../testing/crash-model.ts";
import { finish } from "../testing/fake-host.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

function send(driver: StoreDriver, topic: string, count: number, queueId = 0): void {
  for (let i = 0; i < count; i += 1) driver.sendNow(message(`${topic}-${i}`, { topic, queueId }));
}

const deleteNow = (driver: StoreDriver, ...topics: string[]) =>
  finish(
    driver.host,
    new Promise<void>((resolve, reject) => {
      driver.store.deleteTopics(topics, (error) => (error === undefined ? resolve() : reject(error)));
    }),
  );

const range = ({ store }: StoreDriver, topic: string, queueId = 0) => [
  store.minOffset(topic, queueId),
  store.readableEnd(topic, queueId),
];

describe("a topic that is deleted", () => {
  it("has no messages by queue or by key; others keep theirs, and its offsets go on", async () => {
    const driver = await StoreDriver.open();
    send(driver, "gone", 30);
    send(driver, "gone", 3, 1);
    send(driver, "kept", 30);
    await deleteNow(driver, "gone");
    assert.deepEqual(
      [range(driver, "gone"), range(driver, "gone", 1), range(driver, "kept")],
      [
        [30, 30],
        [3, 3],
        [0, 30],
      ],
    );
    assert.equal(driver.read(0, { topic: "gone" }).result.status, "OFFSET_TOO_SMALL");
    assert.equal(driver.query("key-gone-1", { topic: "gone" }).length, 0);
    assert.equal(driver.query("key-kept-1", { topic: "kept" }).length, 1);
    assert.deepEqual(driver.store.topics(), ["kept"]);
    assert.equal(driver.store.status().messageCount, 30);
    send(driver, "gone", 2);
    assert.deepEqual(driver.read(30, { topic: "gone" }).bodies, ["gone-0", "gone-1"]);
    assert.equal(driver.query("key-gone-1", { topic: "gone" }).length, 1);
    assert.deepEqual(driver.store.topics().toSorted(), ["gone", "kept"]);
    await driver.stop();
  });

  it("stays so after a stop, without the queue table, and when its queues are built again", async () => {
    const driver = await StoreDriver.open();
    send(driver, "gone", 30);
    send(driver, "kept", 5);
    await deleteNow(driver, "gone");
    send(driver, "gone", 1);
    await driver.stop();
    for (const lost of [[], ["orbitmq-queues.json", "orbitmq-queues.json.bak"], "all"] as const) {
      const { files, folders } = driver.host.files.image();
      const image = { files: new Map(files), folders };
      for (const path of files.keys()) {
        const isQueue = path.startsWith(`${HOME}/consumequeue`) || path.includes("orbitmq-queues.json");
        if (lost === "all" ? isQueue : lost.some((name) => path.endsWith(name))) image.files.delete(path);
      }
      const again = await StoreDriver.open({}, image);
      assert.deepEqual(
        [range(again, "gone"), range(again, "kept")],
        [
          [30, 31],
          [0, 5],
        ],
        String(lost),
      );
      assert.deepEqual(again.read(30, { topic: "gone" }).bodies, ["gone-0"]);
      await again.stop();
    }
  });

  it("is deleted once more after it was made anew", async () => {
    const driver = await StoreDriver.open();
    send(driver, "gone", 2);
    await deleteNow(driver, "gone");
    send(driver, "gone", 2);
    await deleteNow(driver, "gone", "never");
    assert.deepEqual(range(driver, "gone"), [4, 4]);
    await driver.stop();
  });

  it("is not deleted when that cannot be written, and the store goes on", async () => {
    const driver = await StoreDriver.open();
    send(driver, "gone", 2);
    driver.host.files.fault = (_what, path) => (path.includes("deleted-topics") ? "EIO" : undefined);
    await assert.rejects(deleteNow(driver, "gone"), /what is deleted cannot be written/);
    driver.host.files.fault = () => undefined;
    assert.deepEqual(range(driver, "gone"), [0, 2]);
    send(driver, "gone", 1);
    assert.deepEqual(range(driver, "gone"), [0, 3]);
    await driver.stop();
  });

  it("is wholly there or wholly gone after a crash at any moment, and no other loses anything", async () => {
    const driver = await StoreDriver.open();
    send(driver, "gone", 12);
    send(driver, "kept", 3);
    const { operations } = driver.host.files;
    const from = operations.length;
    await deleteNow(driver, "gone");
    const answered = operations.length;
    send(driver, "gone", 2);
    send(driver, "kept", 2);
    await driver.stop();
    const model = new CrashModel();
    const random = seededRandom(7);
    for (const [index, operation] of operations.entries()) {
      model.apply(operation);
      // The moments of the deletion itself; of what follows, some.
      if (index < from || (index > answered && index % 16 !== 0)) continue;
      const some = { keepData: random(), keepNames: random(), random };
      for (const choice of index % 2 === 0 ? [LOSE_ALL, some] : [KEEP_ALL]) {
        const again = await StoreDriver.open({}, model.crash(choice));
        const what = `operation ${index} of ${from} to ${operations.length}`;
        const [min = -1, end = -1] = range(again, "gone");
        assert.ok(min === 12 || (min === 0 && index < answered), `${what}: begins at ${min}`);
        const bodies = again.readAll("gone", 0).map(({ queueOffset }) => queueOffset);
        assert.deepEqual(
          bodies,
          Array.from({ length: end - min }, (_, i) => min + i),
          what,
        );
        const kept = again.readAll("kept", 0).length;
        assert.ok(kept >= 3 && again.store.minOffset("kept", 0) === 0, what);
        // What is sent now is not taken for deleted, nor by the start after this one.
        const { queueOffset } = again.sendNow(message("new", { topic: "gone" }));
        await again.stop();
        const third = await StoreDriver.open({}, again.host.files.image());
        assert.deepEqual(third.read(queueOffset, { topic: "gone" }).bodies, ["new"], what);
        await third.stop();
      }
    }
  });

  it("does not take what is appended anew with it when the log was cut below the deletion", async () => {
    const driver = await StoreDriver.open();
    send(driver, "gone", 2);
    const { physicalOffset } = driver.sendNow(message("cut", { topic: "gone" }));
    await deleteNow(driver, "gone");
    await finish(driver.host, driver.store.truncateTo(physicalOffset));
    send(driver, "gone", 3);
    const image = driver.host.files.image();
    for (const each of [driver, await StoreDriver.open({}, image)]) {
      assert.deepEqual(each.read(3, { topic: "gone" }).bodies, ["gone-0", "gone-1", "gone-2"]);
      assert.deepEqual(range(each, "gone"), [3, 6]);
      await each.stop();
    }
  });
});
