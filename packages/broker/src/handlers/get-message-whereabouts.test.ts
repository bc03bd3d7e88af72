import assert from "node:assert/strict";
import { test } from "node:test";
import { newSubscriptionData, newTopicConfig, parseWhereabouts, RequestCode } from "@orbitmq/wire";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { getMessageWhereabouts } from "./get-message-whereabouts.ts";

const HOST = Uint8Array.of(10, 0, 0, 1, 0, 0, 42, 159);

function append(room: BrokerRoom, topic: string, properties = "", queueId = 0): number {
  const result = room.store.append(
    {
      topic,
      queueId,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      bornHost: HOST,
      storeHost: HOST,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from("x"),
      properties,
    },
    "flushed",
    { appendSettled: () => undefined },
  );
  assert.ok(result.status === "appended");
  room.host.endTurn();
  return result.physicalOffset;
}

function stage() {
  const room = brokerRoom();
  room.topics.put(newTopicConfig("orders", {}));
  const handler = getMessageWhereabouts(room);
  const ask = (positions: string) =>
    answerTo(room, handler, { code: RequestCode.GET_MESSAGE_WHEREABOUTS, ext: { positions } });
  const tell = (...positions: number[]) => parseWhereabouts(ask(positions.join(",")).body).messages;
  return { room, ask, tell };
}

test("a stored message has a file, a size, a queue, and is on disk once it is flushed", () => {
  const { room, tell } = stage();
  const position = append(room, "orders");
  const [message] = tell(position);
  assert.deepEqual(
    [
      message?.state,
      message?.file?.length,
      message?.flushed,
      message?.queueMinOffset,
      message?.queueMaxOffset,
    ],
    ["whole", 20, true, 0, 1],
  );
  room.store.autoFlush = false;
  assert.deepEqual(
    tell(99_999).map(({ state, reason }) => [state, reason]),
    [["absent", "it does not lie in the log"]],
  );
});

test("no positions are allowed and tell of log and index; too many, and what is no offset, is refused", () => {
  const { ask } = stage();
  const body = parseWhereabouts(ask("").body);
  assert.deepEqual([body.messages, body.keyIndex.enabled, body.log.state], [[], true, "running"]);
  for (const positions of ["x", "1,,2", "-1", "9".repeat(16), Array(65).fill("1").join(",")])
    assert.equal(ask(positions).code, 29, positions);
});

test("as many places as are allowed are told in their order, in several turns", () => {
  const { room, tell } = stage();
  const positions = Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? 1 : append(room, "orders")));
  assert.deepEqual(
    tell(...positions).map(({ position, state }) => [position, state]),
    positions.map((position) => [position, position === 1 ? "absent" : "whole"]),
  );
});

test("a message of a delay level says when it is due", () => {
  const { room, tell } = stage();
  const position = append(
    room,
    "SCHEDULE_TOPIC_XXXX",
    "REAL_TOPIC\u0001orders\u0002REAL_QID\u00010\u0002",
    2,
  );
  const [message] = tell(position);
  assert.deepEqual(message?.delay, { dueMs: room.store.nowMs() + 10_000, delivered: false });
});

test("groups online that do not want a message are told, by tag and by SQL92", () => {
  const { room, tell } = stage();
  const beat = (groupName: string, expression: string, type?: string) => {
    const subscriptionDataSet = [newSubscriptionData("orders", expression, 1, type)];
    const consumer = {
      groupName,
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "",
      subscriptionDataSet,
      unitMode: false,
    };
    const beaten = { peer: new FakePeer(), clientId: groupName, consumer, fingerprint: 0, withoutSub: false };
    room.consumers.heartbeat(beaten, 0);
    room.filters.register(groupName, subscriptionDataSet);
  };
  beat("all", "*");
  beat("reds", "red || blue");
  beat("greens", "green");
  beat("dear", "price > 5", "SQL92");
  beat("cheap", "price < 5", "SQL92");
  const [message] = tell(append(room, "orders", "TAGS\u0001red\u0002price\u00017\u0002"));
  assert.deepEqual(message?.filters.map(({ group, wanted }) => [group, wanted]).sort(), [
    ["cheap", false],
    ["dear", true],
    ["greens", false],
    ["reds", true],
  ]);
});

test("a queue popped in order holds its messages", () => {
  const { room, tell } = stage();
  const position = append(room, "orders");
  room.offsets.commit("g", "orders", 0, 0, "pop");
  const popTime = room.clock.wallMs();
  room.popping.orders.popped("g", "orders", 0, {
    popTime,
    attemptId: undefined,
    invisibleTime: 30_000,
    offsets: [0],
  });
  const [pop] = tell(position)[0]!.pops;
  assert.deepEqual(
    [pop?.group, pop?.state, pop?.inOrder, pop?.visibleAtMs],
    ["g", "open", true, popTime + 30_000],
  );
});
