import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeHeartbeatData,
  encodeLockBatchBody,
  newSubscriptionData,
  type Peer,
  parseLockBatchResponse,
  RequestCode,
} from "@orbitmq/wire";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { heartBeat } from "./heart-beat.ts";
import { lockBatchMq } from "./lock-batch-mq.ts";
import { unlockBatchMq } from "./unlock-batch-mq.ts";
import { unregisterClient } from "./unregister-client.ts";

function body(clientId: string, queueIds: readonly number[], consumerGroup = "group") {
  const queues = queueIds.map((queueId) => ({ topic: "orders", brokerName: "broker-a", queueId }));
  return encodeLockBatchBody({ consumerGroup, clientId, queues, onlyThisBroker: false });
}

function lock(room: BrokerRoom, clientId: string, queueIds: readonly number[]): number[] {
  const answer = answerTo(room, lockBatchMq(room), {
    code: RequestCode.LOCK_BATCH_MQ,
    body: body(clientId, queueIds),
  });
  assert.equal(answer.code, 0);
  return parseLockBatchResponse(answer.body).map(({ queueId }) => queueId);
}

function unlock(room: BrokerRoom, clientId: string, queueIds: readonly number[]): void {
  const request = { code: RequestCode.UNLOCK_BATCH_MQ, body: body(clientId, queueIds) };
  assert.equal(answerTo(room, unlockBatchMq(room), request).code, 0);
}

/** A member of the group online; what it is told is kept. */
function member(room: BrokerRoom, clientID: string): FakePeer {
  const peer = new FakePeer();
  const consumer = {
    groupName: "group",
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
    subscriptionDataSet: [newSubscriptionData("orders", "*", 1)],
    unitMode: false,
  };
  const heartbeat = {
    clientID,
    producerGroups: [],
    consumerDataSet: [consumer],
    heartbeatFingerprint: 0,
    withoutSub: false,
  };
  answerTo(room, heartBeat(room), {
    code: RequestCode.HEART_BEAT,
    peer,
    body: encodeHeartbeatData(heartbeat),
  });
  peer.oneways.length = 0;
  return peer;
}

function leave(room: BrokerRoom, peer: Peer, clientID: string): void {
  answerTo(room, unregisterClient(room), {
    code: RequestCode.UNREGISTER_CLIENT,
    peer,
    ext: { clientID, consumerGroup: "group" },
  });
}

const toldOf = (peer: FakePeer): number => peer.oneways.length;

describe("lock-batch-mq", () => {
  it("tells which queues are the client's, and gives them to nobody else", () => {
    const room = brokerRoom();
    assert.deepEqual(lock(room, "a", [0, 1]), [0, 1]);
    assert.deepEqual(lock(room, "b", [1, 2]), [2]);
    unlock(room, "b", [1]);
    assert.deepEqual(lock(room, "b", [1]), []);
    unlock(room, "a", [1]);
    assert.deepEqual(lock(room, "b", [1]), [1]);
  });

  it("tells the group at once when a queue is free that somebody waits for", () => {
    const room = brokerRoom();
    const [holder, waiting] = [member(room, "a"), member(room, "b")];
    holder.oneways.length = 0;
    lock(room, "a", [0, 1]);
    lock(room, "b", [0]);
    unlock(room, "a", [1]);
    assert.equal(toldOf(waiting), 0, "nobody waits for that one");
    unlock(room, "a", [0]);
    assert.equal(toldOf(waiting), 1);
    assert.equal(waiting.oneways[0]!.code, RequestCode.NOTIFY_CONSUMER_IDS_CHANGED);
  });

  it("keeps the locks of a client whose connection is gone until they expire, and tells then", () => {
    const room = brokerRoom();
    const [holder, waiting] = [member(room, "a"), member(room, "b")];
    lock(room, "a", [0]);
    room.host.advance(10_000);
    holder.close();
    room.consumers.peerClosed(holder);
    assert.deepEqual(lock(room, "b", [0]), [], "it may still be consuming");
    room.host.advance(50_000);
    assert.equal(toldOf(waiting), 0);
    room.host.advance(10);
    assert.equal(toldOf(waiting), 1);
    assert.deepEqual(lock(room, "b", [0]), [0]);
    assert.equal(room.host.timerCount, 0);
  });

  it("frees the queues of a client that leaves, and of nobody who only says so", () => {
    const room = brokerRoom();
    const [holder, waiting] = [member(room, "a"), member(room, "b")];
    lock(room, "a", [0]);
    lock(room, "b", [0]);
    leave(room, waiting, "a");
    assert.deepEqual(lock(room, "b", [0]), []);
    leave(room, holder, "a");
    assert.deepEqual(lock(room, "b", [0]), [0]);
  });

  it("does not touch what is no name: 29, and what is no body: 1", () => {
    const room = brokerRoom();
    const code = (bytes: Uint8Array | string) =>
      answerTo(room, lockBatchMq(room), { code: 41, body: bytes }).code;
    assert.equal(code(body("a", [0], "gr oup")), 29);
    assert.equal(code(body("", [0])), 29);
    assert.equal(code(body("x".repeat(1_025), [0])), 29);
    const far = { topic: "orders", brokerName: "b".repeat(300), queueId: 0 };
    const strange = { consumerGroup: "g", clientId: "c", onlyThisBroker: false };
    assert.equal(code(encodeLockBatchBody({ ...strange, queues: [far] })), 29);
    assert.equal(code(encodeLockBatchBody({ ...strange, queues: [{ ...far, topic: "" }] })), 29);
    assert.equal(code("{"), 1);
    assert.equal(code('{"consumerGroup":"g"}'), 1);
    assert.equal(room.lockKeeper.locks.size, 0);
  });
});
