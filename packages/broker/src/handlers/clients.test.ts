import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ConsumerData,
  encodeHeartbeatData,
  type HeartbeatData,
  newSubscriptionData,
  newTopicConfig,
  parseConsumerList,
} from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { newSubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import type { Answer } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { getConsumerListByGroup } from "./get-consumer-list-by-group.ts";
import { heartBeat } from "./heart-beat.ts";
import { unregisterClient } from "./unregister-client.ts";

function consumer(overrides: Partial<ConsumerData> = {}): ConsumerData {
  return {
    groupName: "group",
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
    subscriptionDataSet: [newSubscriptionData("orders", "*", 1)],
    unitMode: false,
    ...overrides,
  };
}

class Room {
  readonly room: BrokerRoom;

  constructor(tuning: Partial<BrokerTuning> = {}) {
    this.room = brokerRoom({ tuning });
  }

  beat(peer: FakePeer, overrides: Partial<HeartbeatData> = {}): Answer {
    const data: HeartbeatData = {
      clientID: `client-${peer.id}`,
      producerGroups: [],
      consumerDataSet: [consumer()],
      heartbeatFingerprint: 0,
      withoutSub: false,
      ...overrides,
    };
    return answerTo(this.room, heartBeat(this.room), { code: 34, body: encodeHeartbeatData(data), peer });
  }

  members(group = "group"): string[] {
    const handler = getConsumerListByGroup(this.room);
    const answer = answerTo(this.room, handler, { code: 38, ext: { consumerGroup: group } });
    return answer.code === 0 ? parseConsumerList(answer.body) : [];
  }

  leave(peer: FakePeer, ext: Record<string, string>): void {
    const request = { code: 35, ext: { clientID: `client-${peer.id}`, ...ext }, peer };
    assert.equal(answerTo(this.room, unregisterClient(this.room), request).code, 0);
  }
}

/** How often each peer was told that the group changed. */
const told = (...peers: FakePeer[]) => peers.map((peer) => peer.oneways.length);

describe("heart-beat", () => {
  it("makes the client a member and tells the whole group once", () => {
    const at = new Room();
    const [a, b] = [new FakePeer(), new FakePeer()];
    at.beat(a);
    assert.deepEqual(at.members(), [`client-${a.id}`]);
    assert.deepEqual(told(a), [1]);
    at.beat(b);
    assert.deepEqual(at.members(), [`client-${a.id}`, `client-${b.id}`]);
    assert.deepEqual(told(a, b), [2, 1]);
    assert.deepEqual(a.oneways[0]?.code, 40);
    assert.equal(a.oneways[0]?.ext.get("consumerGroup"), "group");
    at.beat(a);
    at.beat(b);
    assert.deepEqual(told(a, b), [2, 1]);
  });

  it("tells a group once for all that changed in one turn", () => {
    const at = new Room();
    const peers = Array.from({ length: 10 }, () => new FakePeer());
    for (const peer of peers) {
      const beat = { peer, clientId: `c${peer.id}`, consumer: consumer(), fingerprint: 0, withoutSub: false };
      at.room.consumers.heartbeat(beat, 0);
      at.room.notifier.groupChanged("group");
    }
    at.room.host.endTurn();
    assert.deepEqual(told(...peers), Array(10).fill(1));
  });

  it("tells a large group again only after a pause, and then of all that changed meanwhile", () => {
    const at = new Room();
    const peers = Array.from({ length: 100 }, () => new FakePeer());
    const join = (peer: FakePeer) => {
      const beat = { peer, clientId: `c${peer.id}`, consumer: consumer(), fingerprint: 0, withoutSub: false };
      at.room.consumers.heartbeat(beat, 0);
      at.room.notifier.groupChanged("group");
    };
    for (const peer of peers) join(peer);
    at.room.host.endTurn();
    const late = Array.from({ length: 5 }, () => new FakePeer());
    for (const peer of late) {
      join(peer);
      at.room.host.endTurn();
    }
    assert.deepEqual(new Set(told(...peers)), new Set([1]));
    at.room.host.advance(9);
    assert.deepEqual(told(...late), Array(5).fill(0));
    at.room.host.advance(1);
    assert.deepEqual(told(...peers, ...late), [...Array(100).fill(2), ...Array(5).fill(1)]);
    at.room.host.advance(1_000);
    assert.deepEqual(new Set(told(...peers)), new Set([2]), "nothing changed since");
  });

  it("answers what version 1 clients expect", () => {
    const answer = new Room().beat(new FakePeer());
    assert.deepEqual(Object.fromEntries(answer.ext), {
      IS_SUPPORT_HEART_BEAT_V2: "true",
      IS_SUB_CHANGE: "true",
    });
  });

  it("asks version 2 clients for their subscriptions only when it lacks them", () => {
    const at = new Room();
    const peer = new FakePeer();
    const subChange = (overrides: Partial<HeartbeatData>) =>
      at.beat(peer, overrides).ext.get("IS_SUB_CHANGE");
    assert.equal(subChange({ heartbeatFingerprint: 7 }), "false");
    const short = { withoutSub: true, consumerDataSet: [consumer({ subscriptionDataSet: [] })] };
    assert.equal(subChange({ heartbeatFingerprint: 7, ...short }), "false");
    assert.notEqual(at.room.consumers.subscription("group", "orders"), undefined);
    assert.equal(subChange({ heartbeatFingerprint: 8, ...short }), "true");
    const restarted = new Room();
    assert.equal(
      restarted.beat(peer, { heartbeatFingerprint: 7, ...short }).ext.get("IS_SUB_CHANGE"),
      "true",
    );
  });

  it("makes the group and its retry topic", () => {
    const at = new Room();
    at.room.groups.put({ ...newSubscriptionGroupConfig("group"), retryQueueNums: 3 });
    at.beat(new FakePeer(), {
      consumerDataSet: [consumer(), consumer({ groupName: "other", unitMode: true })],
    });
    const retry = at.room.topics.get("%RETRY%group")!;
    assert.deepEqual([retry.readQueueNums, retry.writeQueueNums, retry.perm, retry.order], [3, 3, 6, false]);
    assert.equal(at.room.topics.get("%RETRY%other")!.topicSysFlag, 2);
    assert.notEqual(at.room.groups.get("other"), undefined);
  });

  it("makes the retry topic of an ordered topic's group ordered", () => {
    const at = new Room();
    at.room.topics.put(newTopicConfig("orders", { order: true }));
    at.beat(new FakePeer());
    assert.equal(at.room.topics.get("%RETRY%group")!.order, true);
  });

  it("passes over a group that may not exist", () => {
    const at = new Room({ autoCreateSubscriptionGroup: false });
    assert.equal(at.beat(new FakePeer()).code, 0);
    assert.deepEqual(at.members(), []);
    assert.equal(at.room.topics.get("%RETRY%group"), undefined);
  });

  it("replaces a subscription by a newer one and drops topics that are gone", () => {
    const at = new Room();
    const peer = new FakePeer();
    const subscribe = (...subscriptionDataSet: ReturnType<typeof newSubscriptionData>[]) =>
      at.beat(peer, { consumerDataSet: [consumer({ subscriptionDataSet })] });
    subscribe(newSubscriptionData("a", "x", 5), newSubscriptionData("b", "y", 5));
    subscribe(newSubscriptionData("a", "old", 4), newSubscriptionData("b", "new", 6));
    const expression = (topic: string) => at.room.consumers.subscription("group", topic)?.subString;
    assert.deepEqual([expression("a"), expression("b")], ["x", "new"]);
    const before = told(peer)[0]!;
    subscribe(newSubscriptionData("b", "new", 6));
    assert.deepEqual([expression("a"), expression("b")], [undefined, "new"]);
    assert.equal(told(peer)[0], before + 1);
  });

  it("does not tell members of a broadcasting group, nor where telling is switched off", () => {
    const broadcast = new Room();
    const peer = new FakePeer();
    broadcast.beat(peer, { consumerDataSet: [consumer({ messageModel: "BROADCASTING" })] });
    const off = new Room({ notifyConsumerIdsChangedEnable: false });
    off.beat(peer);
    const groupOff = new Room();
    groupOff.room.groups.put({
      ...newSubscriptionGroupConfig("group"),
      notifyConsumerIdsChangedEnable: false,
    });
    groupOff.beat(peer);
    assert.deepEqual(told(peer), [0]);
  });

  it("takes producers in", () => {
    const at = new Room();
    const peer = new FakePeer();
    at.beat(peer, { consumerDataSet: [], producerGroups: ["p1", "p2"] });
    assert.deepEqual(at.room.producers.members("p1")[0]?.clientId, `client-${peer.id}`);
    assert.equal(at.room.producers.size, 2);
  });

  it("passes over producer groups beyond its limit, and makes room when others leave", () => {
    const at = new Room({ producerGroupsMax: 2 });
    const peer = new FakePeer();
    const produce = (...producerGroups: string[]) => at.beat(peer, { consumerDataSet: [], producerGroups });
    produce("p1", "p2", "p3");
    assert.deepEqual([at.room.producers.size, at.room.producers.members("p3").length], [2, 0]);
    at.leave(peer, { producerGroup: "p1" });
    produce("p2", "p3");
    assert.equal(at.room.producers.members("p3").length, 1);
  });

  it("keeps an ordered retry topic when a heartbeat leaves the subscriptions out", () => {
    const at = new Room();
    const peer = new FakePeer();
    at.room.topics.put(newTopicConfig("orders", { order: true }));
    at.beat(peer, { heartbeatFingerprint: 7 });
    const short = [consumer({ subscriptionDataSet: [] })];
    at.beat(peer, { heartbeatFingerprint: 7, withoutSub: true, consumerDataSet: short });
    assert.equal(at.room.topics.get("%RETRY%group")!.order, true);
  });

  it("answers 1 to a body that is no heartbeat", () => {
    const at = new Room();
    assert.equal(answerTo(at.room, heartBeat(at.room), { code: 34, body: "{" }).code, 1);
    assert.equal(answerTo(at.room, heartBeat(at.room), { code: 34 }).code, 1);
  });
});

describe("get-consumer-list-by-group", () => {
  it("names a client once that has two connections", () => {
    const at = new Room();
    at.beat(new FakePeer(), { clientID: "same" });
    at.beat(new FakePeer(), { clientID: "same" });
    assert.deepEqual(at.members(), ["same"]);
  });

  it("answers 1 for a group nobody is in", () => {
    const at = new Room();
    const answer = answerTo(at.room, getConsumerListByGroup(at.room), {
      code: 38,
      ext: { consumerGroup: "group" },
    });
    assert.equal(answer.code, 1);
  });
});

describe("unregister-client", () => {
  it("takes the client out of its groups and tells the others", () => {
    const at = new Room();
    const [a, b] = [new FakePeer(), new FakePeer()];
    at.beat(a, { producerGroups: ["p"] });
    at.beat(b);
    const before = told(b)[0]!;
    at.leave(a, { consumerGroup: "group", producerGroup: "p" });
    assert.deepEqual(at.members(), [`client-${b.id}`]);
    assert.equal(told(b)[0], before + 1);
    assert.equal(at.room.producers.size, 0);
    at.leave(b, { consumerGroup: "group" });
    assert.equal(at.room.consumers.size, 0);
    at.leave(b, { consumerGroup: "group" });
  });
});

describe("members that vanish", () => {
  it("leave with their connection", () => {
    const at = new Room();
    const [a, b] = [new FakePeer(), new FakePeer()];
    at.beat(a, { consumerDataSet: [consumer(), consumer({ groupName: "other" })], producerGroups: ["p"] });
    at.beat(b);
    const groups = at.room.consumers.peerClosed(a).map((group) => group.name);
    at.room.producers.peerClosed(a);
    assert.deepEqual(groups, ["group"]);
    assert.deepEqual(at.members(), [`client-${b.id}`]);
    assert.deepEqual(at.members("other"), []);
    assert.equal(at.room.producers.size, 0);
  });

  it("leave when they are silent for longer than two minutes", () => {
    const at = new Room();
    const [a, b] = [new FakePeer(), new FakePeer()];
    at.beat(a, { producerGroups: ["p"] });
    at.room.host.advance(60_000);
    at.beat(b);
    at.room.host.advance(60_000);
    const now = () => at.room.clock.monotonicMs();
    assert.equal(at.room.consumers.expire(now(), 120_000).gone.length, 0);
    at.room.host.advance(1);
    const { gone, groups } = at.room.consumers.expire(now(), 120_000);
    assert.deepEqual([gone.map(({ peer }) => peer), groups.map(({ name }) => name)], [[a], ["group"]]);
    assert.deepEqual(at.members(), [`client-${b.id}`]);
    assert.deepEqual(
      at.room.producers.expire(now(), 120_000).map(({ peer }) => peer),
      [a],
    );
  });
});
