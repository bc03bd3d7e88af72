import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Logger } from "@orbitmq/host";
import { silentLogger } from "@orbitmq/host";
import { encodeHeartbeatData, newSubscriptionData, type SubscriptionData } from "@orbitmq/wire";
import { heartBeat } from "../handlers/heart-beat.ts";
import { answerTo, type BrokerRoom, brokerRoom, type RoomOptions } from "../testing/broker-room.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { subscriptionText } from "./subscription-differences.ts";

const sub = (topic: string, expression: string, type?: string): SubscriptionData =>
  newSubscriptionData(topic, expression, 1, type);

function beat(
  room: BrokerRoom,
  peer: FakePeer,
  clientID: string,
  subscriptionDataSet: readonly SubscriptionData[],
  groupName = "group",
): number {
  const consumer = {
    groupName,
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
    subscriptionDataSet,
    unitMode: false,
  };
  const body = encodeHeartbeatData({
    clientID,
    producerGroups: [],
    consumerDataSet: [consumer],
    heartbeatFingerprint: 0,
    withoutSub: false,
  });
  return answerTo(room, heartBeat(room), { code: 34, peer, body }).code;
}

function logged(options: RoomOptions = {}): { room: BrokerRoom; lines: object[] } {
  const lines: object[] = [];
  const logger = { ...silentLogger, warn: (line: object) => void lines.push(line) } as Logger;
  return { room: brokerRoom({ ...options, logger }), lines };
}

describe("subscriptionText", () => {
  it("is the same for the same, in whatever order", () => {
    const one = [sub("a", "x || y"), sub("b", "*"), sub("%RETRY%group", "*")];
    assert.equal(subscriptionText(one), subscriptionText([sub("b", ""), sub("a", "y||x")]));
    assert.notEqual(subscriptionText(one), subscriptionText([sub("a", "x"), sub("b", "*")]));
    assert.notEqual(subscriptionText([sub("a", "x = 1", "SQL92")]), subscriptionText([sub("a", "x = 1")]));
  });
});

describe("members that subscribe differently", () => {
  it("are reported once, counted, and forgotten when they agree again or leave", () => {
    const { room, lines } = logged();
    const [first, second] = [new FakePeer(), new FakePeer()];
    for (let i = 0; i < 3; i++) {
      assert.equal(beat(room, first, "a", [sub("orders", "x")]), 0);
      assert.equal(beat(room, second, "b", [sub("orders", "y")]), 0);
    }
    assert.equal(lines.length, 1);
    const { group, clientId, subscribesTo, othersTo } = lines[0] as Record<string, string>;
    assert.deepEqual([group, clientId, subscribesTo, othersTo], ["group", "b", "orders y", "orders x"]);
    assert.equal(room.stats.differingSubscriptions, 1);
    assert.deepEqual(room.consumers.differing(), ["group"]);
    assert.equal(beat(room, second, "b", [sub("orders", "x")]), 0);
    assert.deepEqual(room.consumers.differing(), []);
    beat(room, second, "b", [sub("orders", "z")]);
    room.consumers.peerClosed(first);
    assert.deepEqual(room.consumers.differing(), []);
  });

  it("are kept out when the broker is strict, until the others are gone or agree", () => {
    const { room } = logged({ tuning: { strictSubscription: true } });
    const [first, second] = [new FakePeer(), new FakePeer()];
    assert.equal(beat(room, first, "a", [sub("orders", "x")]), 0);
    assert.equal(beat(room, second, "b", [sub("orders", "y")]), 29);
    assert.deepEqual(room.consumers.clientIds("group"), ["a"]);
    assert.equal(room.consumers.subscription("group", "orders")?.subString, "x");
    assert.equal(beat(room, first, "a", [sub("orders", "x || y")]), 0, "alone, one may change its mind");
    assert.equal(beat(room, second, "b", [sub("orders", "y || x")]), 0);
    assert.equal(beat(room, first, "a", [sub("orders", "z")]), 29, "not any more");
    assert.equal(room.consumers.get("group")?.members.size, 2);
    assert.equal(
      beat(room, second, "c", [sub("orders", "y")], "other"),
      0,
      "another group is another matter",
    );
  });
});
