/**
 * Every handler against requests of random fields and bodies, many at once, over connections that come and go:
 * nothing but a refusal may be thrown, every request is answered once (parked pulls in the end), what the store
 * lends comes back, and nothing that asks for what is not built yet is stored. ORBITMQ_FUZZ_RUNS is the number of
 * requests.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeBatchBody,
  encodeHeartbeatData,
  encodeLockBatchBody,
  encodeQueryAssignmentBody,
  newSubscriptionData,
  newTopicConfig,
  parseProperties,
  RequestCode,
} from "@orbitmq/wire";
import { notSupported } from "./handlers/not-supported.ts";
import { requestHandlers } from "./request-handlers.ts";
import { dueMessage } from "./schedule/scheduled-message.ts";
import { brokerRoom } from "./testing/broker-room.ts";
import { call, type FakeExchange, type FakeRequest } from "./testing/fake-exchange.ts";
import { FakePeer } from "./testing/fake-peer.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 15_000);

/** xorshift32: the same requests on every machine. */
class Chance {
  #state = 0x9e3779b9;

  int(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }
}

const INTEGERS = [
  "0",
  "1",
  "2",
  "3",
  "4",
  "-1",
  "7",
  "31",
  "255",
  "2147483647",
  "-2147483648",
  "9223372036854775807",
];
const NAMES = [
  "orders",
  "payments",
  "group",
  "TBW102",
  "%RETRY%group",
  "DefaultCluster",
  "SCHEDULE_TOPIC_XXXX",
  "",
];
const ODD = [
  "\u0001",
  "x".repeat(300),
  "käse",
  "true",
  "false",
  "NaN",
  "1e9",
  " ",
  "*",
  "a || b",
  "||",
  "null",
];
const PROPERTIES = [
  "",
  "TAGS\u0001a\u0002",
  "DELAY\u00013\u0002",
  "WAIT\u0001false\u0002",
  "\u0002\u0001",
  "UNIQ_KEY\u0001K",
  "TRAN_MSG\u0001true\u0002PGROUP\u0001group\u0002",
];

/** Field names of all headers, and what is likely to pass in each. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  a: NAMES,
  b: NAMES,
  c: NAMES,
  d: INTEGERS,
  e: INTEGERS,
  f: ["0", "0", "1", "4", "128"],
  g: INTEGERS,
  h: INTEGERS,
  i: PROPERTIES,
  j: INTEGERS,
  k: ["true", "false"],
  m: ["true", "false", "false"],
  producerGroup: NAMES,
  topic: NAMES,
  defaultTopic: NAMES,
  defaultTopicQueueNums: INTEGERS,
  queueId: INTEGERS,
  sysFlag: ["0", "2", "4", "6", "7", "15", "31"],
  bornTimestamp: INTEGERS,
  flag: INTEGERS,
  properties: PROPERTIES,
  consumerGroup: NAMES,
  queueOffset: INTEGERS,
  maxMsgNums: INTEGERS,
  commitOffset: INTEGERS,
  suspendTimeoutMillis: INTEGERS,
  subscription: [...ODD, "a > 5", "TAGS = 'a' OR NOT (k IN ('x'))"],
  subVersion: INTEGERS,
  expressionType: ["TAG", "SQL92", ""],
  maxMsgBytes: INTEGERS,
  invisibleTime: ["0", "1", "1000", "60000", "43200001", "-1"],
  pollTime: ["0", "1", "5000", "9223372036854775807"],
  bornTime: INTEGERS,
  initMode: INTEGERS,
  expType: ["TAG", "SQL92", ""],
  exp: ["*", "a", "a || b", "||", "a > 5", "TAGS = 'a'"],
  attemptId: ["", "one", "two"],
  extraInfo: [
    "",
    "0 1 2",
    ...["0", "1", "7"].map((start) => `${start} 1700000001000 1000 0 0 broker-a 0 0`),
    "0 1700000001000 1000 999 0 broker-a 1 0",
    "0 1700000001000 1000 999 1 broker-b 1 0",
    "-1 x 1000 999 1 broker-b 1 0",
  ],
  tranStateTableOffset: ["0", "1", "2", "3", "-1"],
  commitLogOffset: ["0", "105", "210", "1000", "9223372036854775807"],
  commitOrRollback: ["8", "12", "0", "4", "-1"],
  fromTransactionCheck: ["true", "false"],
  clientID: NAMES,
  timestamp: INTEGERS,
  boundaryType: ["lower", "UPPER", "x"],
  readQueueNums: INTEGERS,
  writeQueueNums: INTEGERS,
  perm: INTEGERS,
  topicFilterType: ODD,
  order: ["true", "x"],
  attributes: ["", "+message.type=FIFO", "-x", "+queue.type=BatchCQ"],
  setZeroIfNotFound: ["true", "false"],
  topicSeq: INTEGERS,
  dataVersion: ["", "{}", '{"counter":1}', "["],
  maxTopicNum: INTEGERS,
  group: NAMES,
  groupName: NAMES,
  srcGroup: NAMES,
  destGroup: NAMES,
  clientId: NAMES,
  clientAddr: ["", ...NAMES],
  msgId: ["7F00000100002A9F0000000000000000", "7F00000100002A9F00000000000000FF", "x"],
  topicList: ["", "orders;unknown", ";;"],
  statsName: ["TOPIC_PUT_NUMS", "GROUP_GET_NUMS", "x"],
  statsKey: NAMES,
  isForce: ["true", "false"],
  isOrder: ["true", "false"],
  offline: ["true", "false"],
  readable: ["true", "false", ""],
  cleanOffset: ["true", "false"],
  groupSeq: INTEGERS,
  index: INTEGERS,
  count: INTEGERS,
  maxGroupNum: INTEGERS,
  offset: INTEGERS,
  delayLevel: ["0", "0", "3", "-1", "99"],
  maxReconsumeTimes: INTEGERS,
  reconsumeTimes: INTEGERS,
  l: INTEGERS,
  positions: ["", "0", "105,210", "0,0,105,9223372036854775807", "x", ",", "1,".repeat(70)],
};

function fieldsOf(chance: Chance): Record<string, string> {
  const ext: Record<string, string> = {};
  for (const [name, likely] of Object.entries(FIELDS)) {
    const what = chance.int(40);
    if (what === 0) continue;
    ext[name] = what === 1 ? chance.pick(ODD) : chance.pick(likely);
  }
  return ext;
}

function bodyOf(chance: Chance): Uint8Array {
  const consumer = {
    groupName: chance.pick(NAMES),
    consumeType: "CONSUME_PASSIVELY",
    messageModel: chance.pick(["CLUSTERING", "BROADCASTING", "?"]),
    consumeFromWhere: "",
    subscriptionDataSet: [newSubscriptionData(chance.pick(NAMES), chance.pick(["*", "a"]), chance.int(9))],
    unitMode: chance.int(2) === 0,
  };
  const bodies = [
    new Uint8Array(),
    Buffer.from("hello"),
    encodeBatchBody(
      [1, 2].map((flag) => ({ flag, body: Buffer.from("b"), properties: chance.pick(PROPERTIES) })),
    ),
    encodeHeartbeatData({
      clientID: chance.pick(NAMES),
      producerGroups: [chance.pick(NAMES)],
      consumerDataSet: [consumer],
      heartbeatFingerprint: chance.int(3),
      withoutSub: chance.int(2) === 0,
    }),
    encodeLockBatchBody({
      consumerGroup: chance.pick(NAMES),
      clientId: chance.pick(NAMES),
      queues: [{ topic: chance.pick(NAMES), brokerName: "broker-a", queueId: chance.int(3) }],
      onlyThisBroker: false,
    }),
    Buffer.from(
      `{"acks":[{"b":"Bw==","c":"group","it":1000,"pt":1700000001000,"q":0,"r":"${chance.int(4)}","rq":${chance.pick([0, 3, 999])},"so":${chance.int(4)},"t":"orders"}]}`,
    ),
    encodeQueryAssignmentBody({
      ...{ topic: chance.pick(NAMES), consumerGroup: chance.pick(NAMES), clientId: chance.pick(NAMES) },
      ...{ strategyName: chance.pick(["AVG", "?"]), messageModel: chance.pick(["CLUSTERING", "?"]) },
    }),
    Buffer.from(`{"cleanOffset":true,"groupNameList":[${JSON.stringify(chance.pick(NAMES))}]}`),
    Buffer.from(
      `{"topicConfigList":[{"topicName":${JSON.stringify(chance.pick(NAMES))},"readQueueNums":${chance.int(9)}}]}`,
    ),
    Buffer.from(`{"groupName":${JSON.stringify(chance.pick(NAMES))},"retryQueueNums":${chance.int(3)}}`),
  ];
  const body = Uint8Array.from(chance.pick(bodies));
  if (body.length > 0 && chance.int(5) === 0) body[chance.int(body.length)] = chance.int(256);
  return chance.int(20) === 0 ? body.subarray(0, chance.int(body.length + 1)) : body;
}

/** What a record has and a message to be stored has not. */
const NO_PLACE = { totalSize: 0, magic: 0, bodyCrc: 0, queueOffset: 0, physicalOffset: 0, storeTimestamp: 0 };

describe("request handlers", () => {
  it("answer every request once, whatever it says", () => {
    const chance = new Chance();
    const room = brokerRoom({ tuning: { parkedPullsMax: 50, topicsMax: 40, groupsMax: 30 } });
    room.topics.put(newTopicConfig("orders", { readQueueNums: 4, writeQueueNums: 4 }));
    const handlers = requestHandlers({
      ...room,
      files: {
        spaceSync: () => ({ freeBytes: 1, totalBytes: 2 }),
        readWholeSync: () => new Uint8Array(56),
      } as never,
      storePath: "/store",
    });
    const refused = new Set(notSupported().map(([code]) => code));
    const codes = [...handlers.keys()].filter((code) => !refused.has(code));
    const weighted = [
      ...codes,
      RequestCode.SEND_MESSAGE_V2,
      RequestCode.PULL_MESSAGE,
      RequestCode.PULL_MESSAGE,
      RequestCode.PULL_MESSAGE,
      RequestCode.PULL_MESSAGE,
      RequestCode.POP_MESSAGE,
      RequestCode.POP_MESSAGE,
      RequestCode.POP_MESSAGE,
    ];
    room.store.realRecords = true;
    const peers = Array.from({ length: 6 }, () => new FakePeer());
    const exchanges: FakeExchange[] = [];
    const answers = new Map<number, number>();
    let handlersSeen = 0;
    for (let run = 0; run < RUNS; run++) {
      const code = chance.pick(weighted);
      const peer = chance.pick(peers);
      const request: FakeRequest = { code, peer, ext: fieldsOf(chance), body: bodyOf(chance) };
      try {
        exchanges.push(call(handlers.get(code)!, request));
      } catch (error) {
        throw new Error(`request ${run}: ${JSON.stringify(request.ext)}`, { cause: error });
      }
      if (chance.int(4) === 0) room.host.endTurn();
      if (chance.int(200) === 0) {
        peer.close();
        room.consumers.peerClosed(peer);
        room.producers.peerClosed(peer);
        peers[peers.indexOf(peer)] = new FakePeer();
      }
      if (chance.int(500) === 0) room.host.advance(chance.int(5_000));
      if (chance.int(2_000) === 0) room.store.state = chance.pick(["running", "failed"]);
    }
    room.host.advance(200_000);
    for (const exchange of exchanges) {
      if (exchange.peer.closed && !exchange.isAnswered) continue;
      assert.ok(exchange.answer !== undefined, `code ${exchange.code} was not answered`);
      answers.set(exchange.answer.code, (answers.get(exchange.answer.code) ?? 0) + 1);
      if (exchange.answer.code === 0) handlersSeen++;
    }
    assert.equal(room.longPoll.size, 0);
    assert.equal(room.popping.pops.size + room.popping.notifications.size, 0);
    assert.equal(room.store.released, room.store.gets);
    for (const { message } of room.store.appended) {
      const properties = parseProperties(message.properties);
      assert.equal(Number(properties.get("DELAY") ?? 0) > 0, message.topic === "SCHEDULE_TOPIC_XXXX");
      const isCommitted = message.preparedTransactionOffset > 0 || (message.sysFlag & 0xc) === 8;
      assert.equal(message.sysFlag & 0x8c, isCommitted ? 8 : 0);
      const { topic, queueId } = dueMessage({ ...message, ...NO_PLACE }, message.storeHost) ?? message;
      assert.notEqual(topic, "SCHEDULE_TOPIC_XXXX");
      assert.ok(queueId >= 0 && queueId < (room.topics.get(topic)?.writeQueueNums ?? 0) + 16_384);
    }
    for (const { topic, queueId, offset } of room.offsets.offsets.entries()) {
      assert.ok(offset <= room.store.readableEnd(topic, queueId));
    }
    // The input is good enough to get through, not only to be refused.
    assert.ok(handlersSeen > RUNS / 20, `${handlersSeen} of ${RUNS} succeeded`);
    for (const code of [0, 1, 13, 16, 17, 19, 29])
      assert.ok(answers.has(code), `nothing was answered ${code}`);
  });
});
