import assert from "node:assert/strict";
import { test } from "node:test";
import { TestWorld } from "../testing/test-world.ts";
import { AsyncRoom } from "./async-room.ts";

function stage(messagesMax: number, bytesMax: number) {
  const w = new TestWorld();
  const room = new AsyncRoom(w.host, { messagesMax, bytesMax });
  const log: string[] = [];
  const enter = (name: string, bytes: number, timeoutMs = 1_000) =>
    room.enter(
      bytes,
      timeoutMs,
      () => log.push(name),
      (why) => log.push(`${name} ${why}`),
    );
  return { w, room, log, enter };
}

test("sends wait for room in messages and in bytes, and go in their order", () => {
  const { room, log, enter } = stage(2, 100);
  enter("a", 60);
  enter("b", 60);
  enter("c", 10);
  assert.deepEqual(log, ["a"]);
  room.leave(60);
  assert.deepEqual(log, ["a", "b", "c"]);
  enter("d", 1);
  room.leave(60);
  assert.deepEqual(log, ["a", "b", "c", "d"]);
  assert.equal(room.waiting, 0);
});

test("a message larger than all room goes alone", () => {
  const { room, log, enter } = stage(10, 100);
  enter("large", 500);
  enter("small", 1);
  assert.deepEqual(log, ["large"]);
  room.leave(500);
  assert.deepEqual(log, ["large", "small"]);
});

test("one that waits for too long gives up and lets those behind it pass", async () => {
  const { w, room, log, enter } = stage(10, 100);
  enter("a", 60);
  enter("b", 90, 50);
  enter("c", 30);
  await w.run(100);
  assert.deepEqual(log, ["a", "b timeout", "c"]);
  room.leave(60);
  room.leave(30);
  assert.equal(room.hasRoom, true);
});

test("whoever waits is refused when the producer ends", () => {
  const { room, log, enter } = stage(10, 100);
  enter("a", 100);
  enter("b", 1);
  room.close();
  room.leave(100);
  assert.deepEqual(log, ["a", "b closed"]);
});

test("room is told of when it is there", async () => {
  const { w, room, enter } = stage(10, 100);
  enter("a", 100);
  let told = false;
  const told2 = room.room().then(() => {
    told = true;
  });
  await w.run(10);
  assert.equal(told, false);
  room.leave(100);
  await told2;
});
