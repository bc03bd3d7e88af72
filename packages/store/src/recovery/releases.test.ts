/** Stores that releases have left, in testdata/stores: every later version opens all of them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { plainCrc32 } from "@orbitmq/wire";
import {
  LONG_TOPIC,
  makeReleaseStore,
  type PackedStore,
  skippedIn,
  unpack,
} from "../testing/release-store.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { verifyStore } from "../tools/verify-store.ts";

const folder = join(import.meta.dirname, "../../testdata/stores");
const names = readdirSync(folder).filter((name) => name.endsWith(".json.gz"));
const load = (name: string) =>
  JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as PackedStore;

function bodiesOf(driver: StoreDriver, topic: string, queueId: number): Record<number, number> {
  const bodies: Record<number, number> = {};
  let offset: number = driver.store.minOffset(topic, queueId);
  const end = driver.store.readableEnd(topic, queueId);
  while (offset < end) {
    const { result, records } = driver.read(offset, { topic, queueId });
    for (const record of records) bodies[record.queueOffset] = plainCrc32(record.body);
    assert.ok(result.nextBeginOffset > offset, `${topic}/${queueId} goes on at ${offset}`);
    offset = result.nextBeginOffset;
  }
  return bodies;
}

async function open({ options, queues, how }: PackedStore, image: ReturnType<typeof unpack>): Promise<void> {
  const driver = await StoreDriver.open(options, image);
  for (const { topic, queueId, end, bodies } of queues) {
    assert.equal(driver.store.readableEnd(topic, queueId), end, `${topic}/${queueId}`);
    assert.deepEqual(bodiesOf(driver, topic, queueId), bodies, `${topic}/${queueId}`);
  }
  assert.equal(driver.store.status().integrity.wrongUnits, 0);
  const { result } = driver.send(message("by this version"));
  driver.host.settle();
  assert.deepEqual(driver.read(result.queueOffset).bodies, ["by this version"]);
  let found = 0;
  const query = { topic: "T", key: "k7", messagesMax: 10, beginMs: 0, endMs: 2 ** 42 };
  driver.store.queryByKey(query, (answer) => {
    found = answer.messageCount;
    answer.release();
  });
  driver.host.settle();
  assert.equal(found, 1, how);
  await driver.stop();
  const damaged = verifyStore(driver.host.files, { home: HOME }).findings;
  assert.deepEqual(
    damaged.map(({ kind }) => kind),
    ["record"],
    "the one that was given up",
  );
}

describe("the stores of releases", () => {
  it("include one of this version, stopped and killed", () => {
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../../../package.json"), "utf8"),
    ) as { version: string };
    for (const how of ["stopped", "killed"]) assert.ok(names.includes(`${version}-${how}.json.gz`));
  });

  for (const name of names) {
    it(`open and are continued: ${name}`, async () => {
      const packed = load(name);
      const image = unpack(packed);
      assert.equal(skippedIn(image), 1);
      await open(packed, image);
    });

    it(`open without what can be made again: ${name}`, async () => {
      const packed = load(name);
      const { files, folders } = unpack(packed);
      const derived = /orbitmq-(?!skips)|\/consumequeue\/|\/index\/|checkpoint/;
      const kept = new Map([...files].filter(([path]) => !derived.test(path)));
      await open(packed, { files: kept, folders });
    });
  }

  it("hold topics with long names, as this version writes them", async () => {
    const made = await makeReleaseStore("next", "stopped");
    assert.ok(made.queues.some(({ topic }) => topic === LONG_TOPIC));
    await open(made, unpack(made));
  });
});
