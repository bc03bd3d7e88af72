import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBatchAckBody, newTopicConfig, parseReceiptHandle, RequestCode } from "@orbitmq/wire";
import type { Answer } from "../testing/fake-exchange.ts";
import { call } from "../testing/fake-exchange.ts";
import { GROUP, named, type Popped, PopRoom, RETRY_TOPIC, TOPIC } from "../testing/pop-room.ts";

/** What the broker keeps of its pops. */
function state(room: PopRoom): unknown {
  const { log } = room.room.popping;
  return { appended: room.room.store.appended.length, open: log.table.size, committed: room.committed() };
}

describe("ACK_MESSAGE", () => {
  it("ends a message for its group, once that is durable", () => {
    const room = new PopRoom();
    room.send(["a"]);
    const [popped] = room.pop({ invisibleTime: 5_000 });
    room.room.store.autoFlush = false;
    const exchange = call(room.handler(RequestCode.ACK_MESSAGE), {
      code: RequestCode.ACK_MESSAGE,
      ext: named(popped!),
    });
    room.room.host.endTurn();
    assert.equal(exchange.answer, undefined);
    room.room.store.flush();
    assert.equal(exchange.answer!.code, 0);
    room.room.store.autoFlush = true;
    room.advance(100_000);
    assert.deepEqual(room.bodies(), []);
    assert.equal(room.room.popping.log.table.size, 0);
  });

  it("ends one of several: the others come again", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"]);
    const popped = room.pop({ invisibleTime: 5_000 });
    assert.equal(room.ack(popped[1]!).code, 0);
    room.advance(5_000);
    assert.deepEqual(room.bodies(), ["a", "c"]);
  });

  it("holds for messages of a retry topic", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ invisibleTime: 1_000 });
    room.advance(1_000);
    const [again] = room.pop({ invisibleTime: 1_000 });
    assert.equal(room.ack(again!).code, 0);
    room.advance(100_000);
    assert.deepEqual(room.bodies(), []);
    // The metrics tell which of the two topics, and of acknowledgements of clients only.
    assert.deepEqual(
      [...room.room.stats.counted.allPops()].map(([group, topic, pops]) => [group, topic, { ...pops }]),
      [
        [GROUP, TOPIC, { checkPoints: 1, acknowledgements: 0, retries: 1 }],
        [GROUP, RETRY_TOPIC, { checkPoints: 1, acknowledgements: 1, retries: 0 }],
      ],
    );
  });

  it("is not durable on a store that fails, nor taken by one that takes nothing", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const popped = room.pop({ invisibleTime: 5_000 });
    room.room.store.refusal = { reason: "DISK_FULL", remark: "full" };
    assert.equal(room.ack(popped[0]!).code, 14);
    room.room.store.refusal = undefined;
    assert.equal(room.ack(popped[1]!).code, 0);
    room.advance(5_000);
    assert.deepEqual(room.bodies(), ["a"]);
    const [again] = room.pop({ consumerGroup: "other", maxMsgNums: 1 });
    room.room.store.autoFlush = false;
    const exchange = call(room.handler(RequestCode.ACK_MESSAGE), {
      code: RequestCode.ACK_MESSAGE,
      ext: { ...named(again!), consumerGroup: "other" },
    });
    room.room.store.fail();
    assert.equal(exchange.answer!.code, 14);
    assert.equal(exchange.answer!.ext.get("outcome"), "unknown");
  });

  it("repeated is as good as once, and too late it is none", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a, b] = room.pop({ invisibleTime: 5_000 });
    assert.deepEqual([room.ack(a!).code, room.ack(a!).code], [0, 0]);
    room.advance(5_000);
    assert.equal(room.ack(b!).code, 13);
    assert.deepEqual(room.bodies(), ["b"]);
  });

  it("with a handle that is forged, foreign or of something else changes nothing", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a] = room.pop();
    room.room.topics.put(newTopicConfig("other", { readQueueNums: 2, writeQueueNums: 2 }));
    const handle = parseReceiptHandle(a!.handle);
    const text = (changes: object): string => {
      const h = { ...handle, ...changes };
      return `${h.startOffset} ${h.popTime} ${h.invisibleTime} ${h.reviveQueueId} ${h.topicType} ${h.brokerName} ${h.queueId} ${h.offset}`;
    };
    const before = state(room);
    const forged: [number, Record<string, string | number>][] = [
      [13, { extraInfo: "" }],
      [13, { extraInfo: "garbage" }],
      [13, { extraInfo: "1 2 3 4 5 6 7 8" }],
      [13, { extraInfo: text({ popTime: handle.popTime + 1 }) }],
      [13, { extraInfo: text({ startOffset: 1 }) }],
      [13, { extraInfo: text({ brokerName: "broker-b" }) }],
      [13, { extraInfo: text({ topicType: 1 }) }],
      [13, { extraInfo: text({ queueId: 1 }) }],
      [13, { extraInfo: text({ offset: 1 }) }],
      [13, { extraInfo: text({ reviveQueueId: 999 }) }],
      [13, { extraInfo: text({ reviveQueueId: 999, offset: 1 }), offset: 1 }],
      [13, { consumerGroup: "other" }],
      [208, { topic: "other" }],
      [17, { topic: "none" }],
      [13, { queueId: 9 }],
      [13, { queueId: -1 }],
      [208, { offset: 2 }],
      [208, { offset: -1 }],
    ];
    for (const [code, fields] of forged)
      assert.equal(room.ack(a!, fields).code, code, JSON.stringify(fields));
    assert.deepEqual(state(room), before);
  });
});

describe("BATCH_ACK_MESSAGE", () => {
  function ackAll(room: PopRoom, popped: readonly Popped[], changes: object = {}): Answer {
    const acks = popped.map(({ handle, offset }) => {
      const { startOffset, popTime, invisibleTime, reviveQueueId, topicType, queueId } =
        parseReceiptHandle(handle);
      const offsets = [offset];
      const of = { consumerGroup: GROUP, topic: TOPIC, topicType, offsets };
      return { ...of, startOffset, popTime, invisibleTime, reviveQueueId, queueId, ...changes };
    });
    const body = encodeBatchAckBody({ brokerName: "broker-a", acks });
    return room.ask(RequestCode.BATCH_ACK_MESSAGE, {}, body);
  }

  it("ends messages of several pops, of the topic and of its retry topic", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ invisibleTime: 1_000 });
    room.advance(1_000);
    const again = room.pop({ invisibleTime: 5_000 });
    room.send(["b", "c", "d"]);
    const popped = room.pop({ invisibleTime: 5_000 });
    assert.equal(ackAll(room, [...again, popped[0]!, popped[2]!]).code, 0);
    room.advance(5_000);
    assert.deepEqual(room.bodies(), ["c"]);
  });

  it("takes several messages of one pop in one entry", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"]);
    const popped = room.pop({ invisibleTime: 5_000 });
    const count = room.room.store.appended.length;
    assert.equal(ackAll(room, popped.slice(0, 1), { offsets: [0, 2, 77] }).code, 0);
    assert.equal(room.room.store.appended.length, count + 1);
    room.advance(5_000);
    assert.deepEqual(room.bodies(), ["b"]);
  });

  it("of nothing that was popped is refused", () => {
    const room = new PopRoom();
    room.send(["a"]);
    const popped = room.pop();
    const before = state(room);
    assert.equal(ackAll(room, popped, { popTime: 5 }).code, 13);
    assert.equal(ackAll(room, popped, { reviveQueueId: 999 }).code, 13);
    assert.equal(ackAll(room, popped, { topic: "none" }).code, 13);
    assert.equal(ackAll(room, []).code, 208);
    assert.equal(room.ask(RequestCode.BATCH_ACK_MESSAGE, {}).code, 208);
    const foreign = encodeBatchAckBody({ brokerName: "broker-b", acks: [] });
    assert.equal(room.ask(RequestCode.BATCH_ACK_MESSAGE, {}, foreign).code, 208);
    assert.deepEqual(state(room), before);
  });
});

describe("CHANGE_MESSAGE_INVISIBLETIME", () => {
  /** The handle that counts from now, as a client builds it. */
  function changed(popped: Popped, answer: Answer): Popped {
    const { topicType } = parseReceiptHandle(popped.handle);
    const [popTime, time, queue] = ["popTime", "invisibleTime", "reviveQid"].map((name) =>
      answer.ext.get(name),
    );
    const { offset, queueId } = popped;
    return {
      ...popped,
      handle: `${offset} ${popTime} ${time} ${queue} ${topicType} broker-a ${queueId} ${offset}`,
    };
  }

  it("brings a message sooner", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a] = room.pop();
    assert.equal(room.change(a!, 1_000).code, 0);
    room.advance(1_000);
    assert.deepEqual(room.bodies(), ["a"]);
    room.advance(58_000);
    assert.deepEqual(room.bodies(), []);
    room.advance(1_000);
    assert.deepEqual(room.bodies(), ["b"]);
  });

  it("brings a message later, and its new handle acknowledges it", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a, b] = room.pop({ invisibleTime: 5_000 });
    const again = room.change(a!, 60_000);
    room.advance(50_000);
    assert.deepEqual(room.bodies(), ["b"]);
    assert.equal(room.ack(a!).code, 13, "the old handle is over");
    assert.equal(room.change(b!, 60_000).code, 13);
    const handle = changed(a!, again);
    assert.equal(room.ack(handle).code, 0);
    room.advance(100_000);
    assert.equal(room.room.store.queues.get(`${RETRY_TOPIC}@0`)!.length, 2, "b alone, twice");
  });

  it("can be asked for in the millisecond of the pop, and again and again", () => {
    const room = new PopRoom();
    room.send(["a"]);
    let [popped] = room.pop();
    for (let i = 0; i < 3; i++) popped = changed(popped!, room.change(popped!, 10_000));
    assert.equal(room.room.popping.log.table.size, 1);
    room.advance(9_999);
    assert.deepEqual(room.bodies(), []);
    room.advance(1);
    assert.deepEqual(room.bodies(), ["a"]);
  });

  it("that the store takes half of leaves the message as it was", () => {
    const room = new PopRoom();
    room.send(["a"]);
    const [a] = room.pop({ invisibleTime: 5_000 });
    const { store } = room.room;
    const append = store.append.bind(store);
    let appends = 0;
    store.append = (...args) => {
      store.refusal = ++appends === 2 ? { reason: "BUSY", remark: "busy" } : undefined;
      return append(...args);
    };
    assert.equal(room.change(a!, 60_000).code, 2);
    room.advance(5_000);
    assert.deepEqual(room.bodies(), ["a"]);
    room.advance(100_000);
    assert.equal(store.queues.get(`${RETRY_TOPIC}@0`)!.length, 2, "once after each pop");
  });

  it("is refused for what was not popped, what is acknowledged, and for odd times", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const [a, b] = room.pop();
    room.ack(b!);
    const before = state(room);
    assert.equal(room.change(a!, -1).code, 29);
    assert.equal(room.change(a!, 43_200_001).code, 29);
    assert.equal(room.change(b!, 1_000).code, 13);
    assert.equal(room.change(a!, 1_000, { extraInfo: "x" }).code, 13);
    assert.equal(room.change(a!, 1_000, { offset: 5 }).code, 208);
    room.room.store.refusal = { reason: "BUSY", remark: "busy" };
    assert.equal(room.change(a!, 1_000).code, 2);
    room.room.store.refusal = undefined;
    assert.deepEqual(state(room), before);
  });
});
