import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import { finish } from "../testing/fake-host.ts";
import { message, StoreDriver } from "../testing/store-driver.ts";

const BLOCK = 16 * 1024;
const OPTIONS = {
  mappedFileSizeCommitLog: 256 * 1024,
  mappedFileSizeConsumeQueue: 20_000,
  coldBlockBytes: BLOCK,
  coldCacheBytes: 8 * BLOCK,
};

/** A killed store with `count` messages of about 1 KiB in each of `queues` queues, all of them out of memory. */
async function cold(queues: number, count: number): Promise<StoreDriver> {
  const driver = await StoreDriver.open(OPTIONS);
  for (let index = 0; index < count; index += 1) {
    for (let queueId = 0; queueId < queues; queueId += 1) {
      driver.sendNow(message(`${index}`.padEnd(800, "r"), { queueId }));
    }
  }
  driver.host.advance(15_000);
  await driver.stop();
  return StoreDriver.open(OPTIONS, driver.host.files.image());
}

/** Sends small messages, a thousand at a time; returns where they lie. */
function sendMany(driver: StoreDriver, count: number, prefix: string): number[] {
  const places: number[] = [];
  for (let index = 0; index < count; index += 1) {
    places.push(driver.send(message(`${prefix}${index}`)).result.physicalOffset);
    if (index % 1_000 === 999) driver.host.settle();
  }
  driver.host.settle();
  return places;
}

/** Counts the reads of the log's blocks from now on, and how many of them wait for the disk at the most. */
function logReads(driver: StoreDriver): { count: number } {
  const counted = { count: 0 };
  driver.host.files.fault = (what, path) => {
    if (what === "read" && path.includes("/commitlog/")) counted.count += 1;
    return undefined;
  };
  return counted;
}

/** Pulls a queue to its end as a consumer does, the disk working between two pulls; says how many pulls had to wait. */
function catchUp(driver: StoreDriver, queueId: number): { pulls: number; waited: number; messages: number } {
  const seen = { pulls: 0, waited: 0, messages: 0 };
  const end = driver.store.readableEnd("T", queueId);
  for (let offset = 0; offset < end; seen.pulls += 1) {
    let next = -1;
    const request = { topic: "T", queueId, offset, messagesMax: 8, bytesMax: 1e6 };
    driver.store.get(request, (result) => {
      assert.equal(result.status, "FOUND");
      seen.messages += result.messageCount;
      next = result.nextBeginOffset;
      result.release();
    });
    if (next < 0) seen.waited += 1;
    driver.host.settle();
    assert.ok(next > offset, "the pull has come to an end");
    offset = next;
  }
  return seen;
}

describe("reading ahead", () => {
  it("reads each block of a queue once, before the pull that needs it comes", async () => {
    const driver = await cold(1, 240);
    const reads = logReads(driver);
    const { pulls, waited, messages } = catchUp(driver, 0);
    assert.equal(messages, 240);
    const blocks = Math.ceil(driver.store.status().writtenOffset / BLOCK);
    assert.ok(reads.count <= blocks + 1, `${reads.count} reads of ${blocks} blocks`);
    // The first pull waits, and one that comes to the end of the units that were read at once.
    assert.ok(waited <= 3, `${waited} of ${pulls} pulls waited`);
  });

  it("has the next block of a pull under way while it waits for the first", async () => {
    // As many units as make a block with a checksum: others are compared with their records first.
    const driver = await cold(4, 210);
    // The units come to memory with a pull elsewhere.
    driver.read(150, { queueId: 3, messagesMax: 1 });
    const { files } = driver.host;
    files.held = true;
    let answered = false;
    const request = { topic: "T", queueId: 3, offset: 0, messagesMax: 16, bytesMax: 1e6 };
    driver.store.get(request, (result) => {
      answered = result.messageCount === 16;
      result.release();
    });
    driver.host.settle();
    assert.equal(files.waiting, 2);
    files.release();
    driver.host.settle();
    assert.equal(answered, true);
  });

  it("lets readers of queues that lie in each other's blocks share what was read", async () => {
    const driver = await cold(4, 100);
    const reads = logReads(driver);
    const requests = Array.from({ length: 4 }, (_, queueId) => ({ queueId, next: 0 }));
    while (requests.some(({ next }) => next < 100)) {
      for (const request of requests) {
        if (request.next >= 100) continue;
        const { result } = driver.read(request.next, { queueId: request.queueId, messagesMax: 4 });
        request.next = result.nextBeginOffset;
      }
    }
    const blocks = Math.ceil(driver.store.status().writtenOffset / BLOCK);
    assert.ok(reads.count <= blocks * 1.2, `${reads.count} reads of ${blocks} blocks by four readers`);
  });

  it("does not read what the filter does not ask for", async () => {
    const driver = await cold(1, 240);
    const reads = logReads(driver);
    const { result } = driver.read(0, { matches: () => false, messagesMax: 240 });
    assert.deepEqual([result.status, result.nextBeginOffset], ["NO_MATCHED_MESSAGE", 240]);
    // Units without a checksum are compared with their records; nothing is read for its own sake.
    const unsure = reads.count;
    driver.read(0, { matches: () => false, messagesMax: 240 });
    assert.equal(reads.count, unsure);
  });

  it("has the units of a queue that is read through in memory before they are needed", async () => {
    const options = { ...OPTIONS, mappedFileSizeConsumeQueue: 6_000_000 };
    const driver = await StoreDriver.open(options);
    sendMany(driver, 9_000, "");
    driver.host.advance(15_000);
    await driver.stop();
    const again = await StoreDriver.open(options, driver.host.files.image());
    let unitReads = 0;
    again.host.files.fault = (what, path) => {
      if (what === "read" && path.includes("/consumequeue/T/") && !path.includes("checksums")) unitReads += 1;
      return undefined;
    };
    const { waited, messages } = catchUp(again, 0);
    assert.equal(messages, 9_000);
    assert.ok(unitReads <= 5, `${unitReads} reads of units`);
    // For its first block, and for the second and the third read of units, which are not far behind the first.
    assert.ok(waited <= 4, `${waited} pulls waited`);
  });

  it("forgets units that were being read ahead when the log is cut", async () => {
    const options = { ...OPTIONS, mappedFileSizeConsumeQueue: 6_000_000 };
    const driver = await StoreDriver.open(options);
    const places = sendMany(driver, 6_000, "");
    driver.host.advance(15_000);
    await driver.stop();
    const again = await StoreDriver.open(options, driver.host.files.image());
    const { files } = again.host;
    // The second read of units is under way to the third.
    for (let offset = 0; offset < 1_600; offset += 32) again.read(offset);
    files.held = true;
    again.store.get({ topic: "T", queueId: 0, offset: 1_640, messagesMax: 8, bytesMax: 1e6 }, (result) =>
      result.release(),
    );
    const cut = again.store.truncateTo(physicalOffset(places[3_000]!));
    again.host.settle();
    files.held = false;
    files.release();
    await finish(again.host, cut);
    sendMany(again, 3_000, "another ");
    again.host.advance(15_000);
    const bodies: string[] = [];
    for (let offset = 0; offset < 6_000; offset += 32) bodies.push(...again.read(offset).bodies);
    assert.equal(bodies.length, 6_000);
    assert.deepEqual([bodies[2_999], bodies[3_000], bodies[5_999]], ["2999", "another 0", "another 2999"]);
    assert.equal(again.store.status().integrity.corruptRecords, 0);
  });

  it("does not read what is in memory anyway", async () => {
    const driver = await StoreDriver.open({ ...OPTIONS, hotTailBytes: 512 * 1024 });
    for (let index = 0; index < 100; index += 1) driver.sendNow(message(`${index}`.padEnd(800, "r")));
    const reads = logReads(driver);
    assert.deepEqual(catchUp(driver, 0), { pulls: 13, waited: 0, messages: 100 });
    assert.equal(reads.count, 0);
  });
});
