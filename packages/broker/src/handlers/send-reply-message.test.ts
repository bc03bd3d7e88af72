import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeOffsetMessageId, encodeHeartbeatData, parseProperties } from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { requestHandlers } from "../request-handlers.ts";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import type { FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";

const TOPIC = "DefaultCluster_REPLY_TOPIC";
const PROPERTIES = "CORRELATION_ID\u0001c-1\u0002REPLY_TO_CLIENT\u0001asker\u0002MSG_TYPE\u0001reply\u0002";

class Room {
  readonly room: BrokerRoom;
  readonly #handlers: ReturnType<typeof requestHandlers>;

  constructor(tuning: Partial<BrokerTuning> = {}) {
    this.room = brokerRoom({ tuning });
    this.#handlers = requestHandlers(this.room);
  }

  /** The client that waits for a reply. */
  asker(clientID = "asker"): FakePeer {
    const peer = new FakePeer();
    peer.answers = () => ({ code: 0 });
    const body = encodeHeartbeatData({
      clientID,
      producerGroups: ["askers"],
      consumerDataSet: [],
      heartbeatFingerprint: 0,
      withoutSub: false,
    });
    answerTo(this.room, this.#handlers.get(34)!, { code: 34, peer, body });
    return peer;
  }

  reply(fields: NonNullable<FakeRequest["ext"]> = {}, more: Partial<FakeRequest> = {}) {
    const ext = {
      a: "repliers",
      b: TOPIC,
      c: "TBW102",
      d: 4,
      e: 0,
      f: 0,
      g: 5,
      h: 7,
      i: PROPERTIES,
      ...fields,
    };
    return answerTo(this.room, this.#handlers.get(325)!, { code: 325, ext, body: "pong", ...more });
  }

  replyV1(ext: NonNullable<FakeRequest["ext"]>) {
    return answerTo(this.room, this.#handlers.get(324)!, { code: 324, ext, body: "pong" });
  }
}

describe("send-reply-message", () => {
  it("pushes the reply to the client that waits, and stores it", () => {
    const at = new Room();
    const asker = at.asker();
    const replier = new FakePeer();
    const answer = at.reply({}, { peer: replier });
    assert.equal(answer.code, 0);
    assert.equal(answer.ext.get("MSG_REGION"), "DefaultRegion");
    const [pushed] = asker.requests;
    assert.deepEqual([pushed!.code, pushed!.body.toString()], [326, "pong"]);
    const { ext } = pushed!;
    assert.deepEqual(
      [
        ext.get("topic"),
        ext.get("flag"),
        ext.get("bornHost"),
        ext.get("storeHost"),
        ext.get("producerGroup"),
      ],
      [TOPIC, "7", replier.address, "10.0.0.1:10911", "repliers"],
    );
    const properties = parseProperties(ext.get("properties")!);
    assert.equal(properties.get("CORRELATION_ID"), "c-1");
    assert.equal(properties.get("PUSH_REPLY_TIME"), String(at.room.clock.wallMs()));
    const [stored] = at.room.store.appended;
    assert.deepEqual([stored!.message.topic, stored!.body], [TOPIC, "pong"]);
    assert.equal(decodeOffsetMessageId(answer.ext.get("msgId")!).physicalOffset, stored!.physicalOffset);
  });

  it("takes the long names, too", () => {
    const at = new Room();
    const asker = at.asker();
    const names = {
      producerGroup: "repliers",
      topic: TOPIC,
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
    };
    const rest = { queueId: 0, sysFlag: 0, bornTimestamp: 5, flag: 0, properties: PROPERTIES };
    assert.equal(at.replyV1({ ...names, ...rest }).code, 0);
    assert.equal(asker.requests.length, 1);
  });

  it("stores nothing where it shall not, and what cannot be stored is still a reply", () => {
    const quiet = new Room({ storeReplyMessageEnable: false });
    quiet.asker();
    assert.equal(quiet.reply().ext.get("msgId"), "0");
    assert.equal(quiet.room.store.appended.length, 0);
    const full = new Room();
    full.asker();
    full.room.store.refusal = { reason: "DISK_FULL", remark: "full" };
    assert.equal(full.reply().code, 0);
  });

  it("says so when the client is not there, or does not take it, and stores nothing", () => {
    const at = new Room();
    assert.match(at.reply().remark ?? "", /channel of <asker> not found/);
    const asker = at.asker();
    for (const outcome of [{ code: 1 }, "REQUEST_TIMEOUT", "CONNECTION_CLOSED"] as const) {
      asker.answers = () => outcome;
      assert.match(at.reply().remark ?? "", /push reply message to asker fail/);
    }
    assert.match(at.reply({ i: "CORRELATION_ID\u0001c\u0002" }).remark ?? "", /REPLY_TO_CLIENT/);
    at.room.producers.peerClosed(asker);
    assert.equal(at.reply().code, 1);
    assert.equal(at.room.store.appended.length, 0);
  });

  it("finds a client that came back by its new connection", () => {
    const at = new Room();
    const [old, fresh] = [at.asker(), at.asker()];
    at.room.producers.peerClosed(old);
    assert.equal(at.reply().code, 0);
    assert.deepEqual([old.requests.length, fresh.requests.length], [0, 1]);
  });

  it("refuses as a send is refused", () => {
    const at = new Room();
    at.asker();
    assert.equal(at.reply({ b: "unknown" }).code, 17);
    assert.equal(at.reply({ b: "bad topic" }).code, 29);
    assert.equal(at.reply({ b: "SCHEDULE_TOPIC_XXXX" }).code, 16);
    assert.equal(at.reply({ e: 9 }).code, 29);
    assert.equal(at.reply({}, { body: "" }).code, 13);
    assert.equal(at.reply({ e: "x" }).code, 1);
    assert.equal(at.room.store.appended.length, 0);
  });
});
