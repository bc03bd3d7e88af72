import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeMessageRequestMode,
  encodeQueryAssignmentBody,
  encodeTopicRouteData,
  type MessageRequestModeSetting,
  newTopicConfig,
  parseAssignments,
  parseMessageRequestModes,
  type RemotingCommand,
  RequestCode,
} from "@orbitmq/wire";
import { allocateForPop, averagely, averagelyByCircle } from "../assignment/allocate.ts";
import { TopicQueues } from "../assignment/topic-queues.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { PopRoom, TOPIC } from "../testing/pop-room.ts";

const QUERY = {
  topic: TOPIC,
  consumerGroup: "billing",
  clientId: "c1",
  strategyName: "AVG",
  messageModel: "CLUSTERING",
};

function join(room: PopRoom, ...clientIds: string[]): void {
  for (const clientId of clientIds) {
    room.room.consumers.heartbeat(
      {
        peer: new FakePeer(),
        clientId,
        consumer: {
          groupName: "billing",
          consumeType: "CONSUME_POP",
          messageModel: "CLUSTERING",
          consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
          subscriptionDataSet: [],
          unitMode: false,
        },
        fingerprint: 0,
        withoutSub: false,
      },
      0,
    );
  }
}

function assigned(room: PopRoom, query: Partial<typeof QUERY> = {}): string[] | undefined {
  const answer = room.ask(
    RequestCode.QUERY_ASSIGNMENT,
    {},
    encodeQueryAssignmentBody({ ...QUERY, ...query }),
  );
  assert.equal(answer.code, 0);
  return parseAssignments(answer.body)?.map(({ messageQueue, mode }) => `${mode} ${messageQueue.queueId}`);
}

function choose(room: PopRoom, setting: Partial<MessageRequestModeSetting> = {}): number {
  const body = {
    topic: TOPIC,
    consumerGroup: "billing",
    mode: "POP",
    popShareQueueNum: 0,
    ...setting,
  } as const;
  return room.ask(RequestCode.SET_MESSAGE_REQUEST_MODE, {}, encodeMessageRequestMode(body)).code;
}

describe("QUERY_ASSIGNMENT", () => {
  it("shares a topic's queues among the members online, to pull", () => {
    const room = new PopRoom();
    room.room.topics.put(newTopicConfig(TOPIC, { readQueueNums: 5, writeQueueNums: 5 }));
    join(room, "c2", "c1");
    assert.deepEqual(assigned(room), ["PULL 0", "PULL 1", "PULL 2"]);
    assert.deepEqual(assigned(room, { clientId: "c2" }), ["PULL 3", "PULL 4"]);
    assert.deepEqual(assigned(room, { strategyName: "AVG_BY_CIRCLE" }), ["PULL 0", "PULL 2", "PULL 4"]);
    assert.deepEqual(assigned(room, { clientId: "stranger" }), []);
    assert.deepEqual(assigned(room, { messageModel: "BROADCASTING" })!.length, 5);
  });

  it("lets a member keep what it has when there is no saying", () => {
    const room = new PopRoom();
    assert.equal(assigned(room), undefined);
    join(room, "c1");
    assert.equal(assigned(room, { topic: "none" }), undefined);
    assert.equal(assigned(room, { strategyName: "MINE" }), undefined);
  });

  it("lets everybody pop all queues, or those of some members", () => {
    const room = new PopRoom();
    room.room.topics.put(newTopicConfig(TOPIC, { readQueueNums: 4, writeQueueNums: 4 }));
    join(room, "c1", "c2", "c3", "c4");
    assert.equal(choose(room), 0);
    assert.deepEqual(assigned(room), ["POP -1"]);
    assert.equal(choose(room, { popShareQueueNum: 1 }), 0);
    assert.deepEqual(assigned(room), ["POP 0", "POP 1"]);
    assert.deepEqual(assigned(room, { clientId: "c4" }), ["POP 3", "POP 0"]);
    assert.deepEqual(assigned(room, { topic: "%RETRY%billing" }), undefined);
  });

  it("asks the NameServers for the queues of all brokers, once in a while", () => {
    const room = new PopRoom({ namesrvAddrs: ["ns1:9876", "ns2:9876"] } as never);
    const asked: string[] = [];
    const route = encodeTopicRouteData(
      {
        brokerDatas: [],
        filterServerTable: new Map(),
        queueDatas: ["broker-a", "broker-b"].map((brokerName) => ({
          ...{ brokerName, readQueueNums: 2, writeQueueNums: 2, perm: 6, topicSysFlag: 0 },
        })),
      },
      true,
    );
    const answers = [undefined, { code: 0, body: route }, undefined, undefined];
    const queues = new TopicQueues({
      ...room.room,
      client: {
        request: (address, _request, _timeoutMs, done) => {
          asked.push(address);
          const answer = answers.shift();
          done(new Error("no answer") as never, answer as unknown as RemotingCommand);
        },
      },
    });
    const count = (topic: string): number | undefined => {
      let found: number | undefined = -1;
      queues.of(topic, (all) => {
        found = all?.length;
      });
      return found;
    };
    assert.equal(count(TOPIC), 4);
    assert.equal(count(TOPIC), 4);
    assert.deepEqual(asked, ["ns1:9876", "ns2:9876"]);
    room.advance(10_000);
    assert.equal(count(TOPIC), 4, "nobody answers: what was known counts");
    assert.equal(asked.length, 4);
  });
});

describe("SET_MESSAGE_REQUEST_MODE", () => {
  it("refuses in RocketMQ's order", () => {
    const room = new PopRoom({ autoCreateSubscriptionGroup: false });
    assert.equal(choose(room, { topic: "%RETRY%billing" }), 16);
    assert.equal(choose(room, { topic: "none" }), 17);
    assert.equal(choose(room), 26);
  });

  it("is told with all the others by 402", () => {
    const room = new PopRoom();
    choose(room, { popShareQueueNum: 3 });
    const { body } = room.ask(RequestCode.GET_ALL_MESSAGE_REQUEST_MODE, {});
    assert.deepEqual(parseMessageRequestModes(body), [
      { topic: TOPIC, consumerGroup: "billing", mode: "POP", popShareQueueNum: 3 },
    ]);
  });
});

describe("allocations", () => {
  it("give every queue to exactly one member, whatever their numbers", () => {
    for (let count = 0; count < 9; count++) {
      const queues = Array.from({ length: count }, (_, queueId) => ({
        topic: "t",
        brokerName: "b",
        queueId,
      }));
      for (let members = 1; members < 9; members++) {
        for (const allocate of [averagely, averagelyByCircle]) {
          const all = Array.from({ length: members }, (_, index) => allocate(queues, members, index)).flat();
          assert.deepEqual(
            all.map(({ queueId }) => queueId).sort(),
            queues.map(({ queueId }) => queueId),
          );
        }
      }
    }
  });

  it("give every member of many a queue to pop", () => {
    const queues = [0, 1].map((queueId) => ({ topic: "t", brokerName: "b", queueId }));
    for (let index = 0; index < 5; index++) {
      const asked = { queues, memberCount: 5, index, popShareQueueNum: 1 };
      assert.equal(allocateForPop(averagely, asked)[0]!.queueId, index % 2);
    }
  });
});
