/** Topics that are deleted: 215, 316, 5002. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreError } from "@orbitmq/store";
import { encodeDeleteTopicListBody, newTopicConfig } from "@orbitmq/wire";
import { requestHandlers } from "../request-handlers.ts";
import { answerTo, brokerRoom } from "../testing/broker-room.ts";
import { call, type FakeRequest } from "../testing/fake-exchange.ts";

type Ext = NonNullable<FakeRequest["ext"]>;

function filledRoom() {
  const room = brokerRoom();
  const handlers = requestHandlers(room);
  const ask = (code: number, ext: Ext = {}, more: Partial<FakeRequest> = {}) =>
    answerTo(room, handlers.get(code)!, { code, ext, ...more });
  const send = (topic: string) => {
    const ext = { a: "p", b: topic, c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0 };
    assert.equal(ask(310, ext, { body: "x" }).code, 0);
  };
  for (const topic of ["orders", "payments"]) {
    room.topics.put(newTopicConfig(topic, { readQueueNums: 2, writeQueueNums: 2 }));
    send(topic);
    room.groups.find("group");
    room.offsets.commit("group", topic, 0, 1, "test");
  }
  return { room, handlers, ask, send };
}

describe("a topic is deleted", () => {
  it("with messages, offsets and configuration; others stay, and it can be made again", () => {
    const { room, ask, send } = filledRoom();
    room.offsets.reset("group", "orders", 0, 0, "test");
    assert.equal(ask(215, { topic: "orders" }).code, 0);
    assert.equal(room.topics.get("orders"), undefined);
    assert.equal(room.offsets.get("group", "orders", 0), undefined);
    assert.equal(room.offsets.takeReset("group", "orders", 0), undefined);
    assert.equal(room.offsets.get("group", "payments", 0), 1);
    assert.deepEqual(room.store.topics(), ["payments"]);
    assert.equal(ask(215, { topic: "orders" }).code, 0);
    send("orders");
    assert.ok(room.topics.get("orders") !== undefined);
  });

  it("with the retry topics of groups that pop it, unless they may be another group's", () => {
    const { room, ask } = filledRoom();
    const retry = ["%RETRY%group+orders", "%RETRY%group_orders"];
    for (const topic of retry) room.topics.put(newTopicConfig(topic));
    ask(215, { topic: "orders" });
    assert.deepEqual(
      retry.map((topic) => room.topics.get(topic)),
      [undefined, undefined],
    );
    room.topics.put(newTopicConfig("%RETRY%group_payments"));
    room.groups.find("group_payments");
    ask(215, { topic: "payments" });
    assert.ok(room.topics.get("%RETRY%group_payments") !== undefined);
  });

  it("together with others, one request after the other", () => {
    const { room, handlers, ask } = filledRoom();
    const body = encodeDeleteTopicListBody(["orders", "payments", "orders"]);
    const first = call(handlers.get(5002)!, { code: 5002, body });
    const second = call(handlers.get(215)!, { code: 215, ext: { topic: "orders" } });
    for (let turns = 0; turns < 5; turns += 1) room.host.endTurn();
    assert.deepEqual([first.answer?.code, second.answer?.code], [0, 0]);
    assert.equal(room.topics.get("orders") ?? room.topics.get("payments"), undefined);
    assert.equal(ask(5002, {}, { body: encodeDeleteTopicListBody([]) }).code, 29);
  });

  it("is refused for the system's, for blank names, and when it cannot be written", () => {
    const { room, ask } = filledRoom();
    for (const topic of ["TBW102", "rmq_sys_wheel_timer", "broker-a", " "])
      assert.equal(ask(215, { topic }).code, 29, topic);
    const body = encodeDeleteTopicListBody(["orders", "TBW102"]);
    assert.equal(ask(5002, {}, { body }).code, 29);
    for (const [error, code] of [
      [new StoreError("STATE", "the log is being cut"), 2],
      [new StoreError("IO", "EIO"), 1],
    ] as const) {
      room.store.deletionFailure = error;
      const answer = ask(215, { topic: "orders" });
      assert.deepEqual([answer.code, answer.remark], [code, error.message]);
    }
    assert.ok(room.topics.get("orders") !== undefined);
    assert.equal(room.offsets.get("group", "orders", 0), 1);
  });
});

it("messages of topics that nobody knows are cleaned, the system's are not", () => {
  const { room, ask } = filledRoom();
  assert.equal(ask(316).code, 0);
  assert.deepEqual(room.store.topics().toSorted(), ["orders", "payments"]);
  room.topics.delete(["orders"]);
  room.store.queues.set("TBW102@0", []);
  assert.equal(ask(316).code, 0);
  assert.deepEqual(room.store.topics().toSorted(), ["TBW102", "payments"]);
});
