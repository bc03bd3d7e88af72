import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseReceiptHandle, RequestCode } from "@orbitmq/wire";
import { type Popped, PopRoom, poppedOf, TOPIC } from "../testing/pop-room.ts";

const ORDER = { order: true, queueId: 0, invisibleTime: 10_000 } as const;

describe("popping in order", () => {
  it("gives the next batch when all of the one before is acknowledged", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"]);
    const popped = room.pop({ ...ORDER, maxMsgNums: 2 });
    assert.deepEqual(
      popped.map(({ body }) => body),
      ["a", "b"],
    );
    assert.equal(parseReceiptHandle(popped[0]!.handle).reviveQueueId, 999);
    assert.deepEqual(room.bodies(ORDER), []);
    assert.equal(room.ack(popped[1]!).code, 0);
    assert.equal(room.committed(), 0);
    assert.deepEqual(room.bodies(ORDER), []);
    assert.equal(room.ack(popped[0]!).code, 0);
    assert.equal(room.committed(), 2);
    assert.deepEqual(room.bodies(ORDER), ["c"]);
  });

  it("gives the same again when the time is over, in place and counting", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    room.pop(ORDER);
    room.advance(9_999);
    assert.deepEqual(room.bodies(ORDER), []);
    room.advance(1);
    const answer = room.answer({ ...ORDER, maxMsgNums: 1 });
    assert.deepEqual(
      poppedOf(answer).map(({ body }) => body),
      ["a"],
    );
    assert.equal(answer.ext.get("orderCountInfo"), "0 qo0%0 1;0 0 1");
    assert.equal(room.room.store.queues.get("%RETRY%billing_orders@0"), undefined);
  });

  it("gives the same again to the same attempt, without counting", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ ...ORDER, attemptId: "one" });
    assert.deepEqual(room.bodies({ ...ORDER, attemptId: "two" }), []);
    const answer = room.answer({ ...ORDER, attemptId: "one" });
    assert.deepEqual(
      poppedOf(answer).map(({ body }) => body),
      ["a"],
    );
    assert.equal(answer.ext.get("orderCountInfo"), "0 0 0");
  });

  it("wakes who waits when the queue opens: by an acknowledgement, or by itself", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a] = room.pop({ ...ORDER, maxMsgNums: 1 });
    const first = room.start({ ...ORDER, maxMsgNums: 1, pollTime: 15_000 });
    assert.equal(first.answer, undefined);
    room.ack(a!);
    assert.deepEqual(
      poppedOf(first.answer!).map(({ body }) => body),
      ["b"],
    );
    const second = room.start({ ...ORDER, pollTime: 15_000 });
    room.advance(10_000);
    assert.deepEqual(
      poppedOf(second.answer!).map(({ body }) => body),
      ["b"],
    );
  });

  it("opens a queue sooner or later when a message's time is changed", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a, b] = room.pop(ORDER);
    room.ack(b!);
    const answer = room.change(a!, 1_000);
    assert.equal(answer.code, 0);
    assert.equal(answer.ext.get("reviveQid"), "999");
    room.advance(1_000);
    const again = room.pop(ORDER);
    assert.equal(again[0]!.body, "a");
    room.change(again[0]!, 60_000);
    room.advance(59_999);
    assert.deepEqual(room.bodies(ORDER), []);
    room.advance(1);
    assert.equal(room.bodies(ORDER).length, 2);
  });

  it("cannot be led past a message by a handle of another pop or of none", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"]);
    const [a] = room.pop({ ...ORDER, maxMsgNums: 1 });
    const forged: Popped = { ...a!, offset: 2, handle: "0 1 1 999 0 broker-a 0 2" };
    assert.equal(room.ack(forged).code, 13);
    room.advance(10_000);
    room.pop({ ...ORDER, maxMsgNums: 1 });
    assert.equal(room.ack(a!).code, 13, "the time of this handle is over");
    assert.equal(room.change(a!, 1).code, 13);
    assert.equal(room.committed(), 0);
  });

  it("passes over what the tags do not match", () => {
    const room = new PopRoom();
    room.send(["x"], 0, "TAGS\u0001X\u0002");
    room.send(["a"], 0, "TAGS\u0001A\u0002");
    room.send(["x"], 0, "TAGS\u0001X\u0002");
    const [a] = room.pop({ ...ORDER, exp: "A" });
    room.ack(a!);
    assert.equal(room.committed(), 2);
    assert.equal(room.answer({ ...ORDER, exp: "A" }).code, 210);
    assert.equal(room.committed(), 3);
  });

  it("opens a queue whose offset an administrator has set", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    room.pop(ORDER);
    room.room.offsets.reset("billing", TOPIC, 0, 1, "admin");
    assert.deepEqual(room.bodies(ORDER), ["b"]);
  });

  it("tells a notification when a closed queue opens", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop(ORDER);
    const ext = { consumerGroup: "billing", topic: TOPIC, queueId: 0, bornTime: 0, order: true };
    const ask = (pollTime: number) =>
      room.ask(RequestCode.NOTIFICATION, { ...ext, pollTime }).ext.get("hasMsg");
    assert.equal(ask(0), "false");
    room.advance(10_000);
    assert.equal(ask(0), "true");
  });
});
