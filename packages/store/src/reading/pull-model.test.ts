/**
 * Pulls of any offset, size and tag from stores of any shape, against plain lists of what was sent: what comes is
 * whole, in order, and matches; what matches is never left out; limits hold; and all of it again after a restart.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { javaHash } from "@orbitmq/wire";
import { seededRandom } from "../testing/crash-model.ts";
import { message, StoreDriver } from "../testing/store-driver.ts";

const SEEDS = 6;
const PULLS = 60;
const TAGS = ["red", "green", "blue"];

interface Sent {
  readonly body: string;
  readonly tag: string;
}

function checkPull(
  driver: StoreDriver,
  queue: readonly Sent[],
  queueId: number,
  below: (n: number) => number,
): void {
  const end = queue.length;
  const offset = below(end + 4) - 1;
  const tag = below(3) === 0 ? TAGS[below(TAGS.length)] : undefined;
  const messagesMax = 1 + below(40);
  const bytesMax = 200 + below(20_000);
  const more = { queueId, messagesMax, bytesMax };
  const matches = tag === undefined ? {} : { matches: (code: number) => code === javaHash(tag) };
  const { result, records, bodies } = driver.read(offset, { ...more, ...matches });
  const { status, nextBeginOffset } = result;
  const what = `${queueId}@${offset} of ${end}, tag ${tag}: ${status}, next ${nextBeginOffset}`;
  if (end === 0) {
    assert.ok(["NO_MATCHED_LOGIC_QUEUE", "NO_MESSAGE_IN_QUEUE"].includes(status), what);
  } else if (offset < 0) assert.deepEqual([status, nextBeginOffset], ["OFFSET_TOO_SMALL", 0], what);
  else if (offset === end) assert.deepEqual([status, nextBeginOffset], ["OFFSET_OVERFLOW_ONE", end], what);
  else if (offset > end) assert.deepEqual([status, nextBeginOffset], ["OFFSET_OVERFLOW_BADLY", end], what);
  else {
    assert.equal(status, records.length > 0 ? "FOUND" : "NO_MATCHED_MESSAGE", what);
    assert.ok(nextBeginOffset > offset && nextBeginOffset <= end, what);
    // All that matches of what was passed over, and nothing else.
    const expected = queue
      .slice(offset, nextBeginOffset)
      .filter((one) => tag === undefined || one.tag === tag);
    assert.deepEqual(
      bodies,
      expected.map(({ body }) => body),
      what,
    );
    assert.ok(records.length <= messagesMax, what);
    assert.ok(records.length === 1 || result.byteCount <= bytesMax, what);
  }
}

it(`pulls bring what a plain list would, in memory, from disk, and after restarts (${SEEDS} seeds)`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const below = (bound: number) => Math.floor(random() * bound);
    const options = { hotTailBytes: below(2) === 0 ? 4096 : 65_536, coldCacheBytes: 4096 * (1 + below(8)) };
    let driver = await StoreDriver.open(options);
    const queues: Sent[][] = [[], [], []];
    for (let phase = 0; phase < 3; phase += 1) {
      for (let count = below(90); count > 0; count -= 1) {
        const queueId = below(below(2) === 0 ? 3 : 2);
        const queue = queues[queueId]!;
        const [tag, length] = [TAGS[below(TAGS.length)]!, below(10) === 0 ? 3000 : 20 + below(300)];
        const body = `${queueId}/${queue.length}/`.padEnd(length, "p");
        driver.send(message(body, { queueId, properties: `TAGS\u0001${tag}\u0002` }));
        queue.push({ body, tag });
        if (below(8) === 0) driver.host.settle();
      }
      driver.host.settle();
      if (below(2) === 0) driver.host.advance(11_000);
      for (let pull = 0; pull < PULLS; pull += 1) {
        const queueId = below(3);
        checkPull(driver, queues[queueId]!, queueId, below);
      }
      if (below(2) === 0) await driver.stop();
      driver = await driver.killed(options);
    }
  }
});
