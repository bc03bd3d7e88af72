import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@orbitmq/host/sim";
import { type CachedMessage, ProcessQueue } from "./process-queue.ts";

test("the committable offset is the first message not done, whatever was done after it", () => {
  const queue = new ProcessQueue<string>(5);
  assert.equal(queue.committableOffset, 5);
  const [a, b, c] = [5, 6, 8].map((offset) => queue.add(offset, 10, "x")!);
  queue.done(b!);
  assert.equal(queue.committableOffset, 5);
  queue.done(a!);
  assert.equal(queue.committableOffset, 8);
  queue.done(c!);
  assert.equal(queue.committableOffset, 9);
});

test("offsets skipped by the filter are committable once everything before them is done", () => {
  const queue = new ProcessQueue<string>(0);
  const message = queue.add(3, 1, "x")!;
  queue.advanceTo(32);
  assert.equal(queue.committableOffset, 3);
  queue.done(message);
  assert.equal(queue.committableOffset, 32);
  queue.advanceTo(10);
  assert.equal(queue.nextOffset, 32);
});

test("an offset already pulled is not taken again", () => {
  const queue = new ProcessQueue<string>(0);
  queue.add(0, 1, "x");
  assert.equal(queue.add(0, 1, "again"), undefined);
  queue.advanceTo(5);
  assert.equal(queue.add(4, 1, "late"), undefined);
});

test("count, bytes and span follow what is held", () => {
  const queue = new ProcessQueue<string>(100);
  assert.deepEqual([queue.count, queue.bytes, queue.span], [0, 0, 0]);
  const first = queue.add(100, 7, "x")!;
  const second = queue.add(150, 5, "y")!;
  assert.deepEqual([queue.count, queue.bytes, queue.span], [2, 12, 50]);
  queue.done(first);
  assert.deepEqual([queue.count, queue.bytes, queue.span], [1, 5, 0]);
  assert.throws(() => queue.done(first), /done once/);
  queue.done(second);
  assert.deepEqual([queue.count, queue.bytes, queue.span], [0, 0, 0]);
});

test("a long random run agrees with a simple model", () => {
  const random = new SeededRandom(7, "process-queue");
  const queue = new ProcessQueue<number>(0);
  const held = new Map<number, CachedMessage<number>>();
  let next = 0;
  for (let step = 0; step < 20_000; step++) {
    if (random.int(2) === 0 && held.size < 3_000) {
      next += random.int(3);
      const message = queue.add(next, 1, next)!;
      held.set(next, message);
      next += 1;
    } else if (held.size > 0) {
      const keys = [...held.keys()];
      const key = keys[random.int(Math.min(keys.length, 40))]!;
      queue.done(held.get(key)!);
      held.delete(key);
    }
    const first = held.keys().next();
    assert.equal(queue.committableOffset, first.done === true ? next : first.value);
    assert.equal(queue.count, held.size);
  }
});
