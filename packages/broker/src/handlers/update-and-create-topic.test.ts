import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostError } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import type { BrokerTuning } from "../broker-options.ts";
import { answerTo, type BrokerRoom, brokerRoom, type RoomOptions } from "../testing/broker-room.ts";
import { type Answer, call } from "../testing/fake-exchange.ts";
import { updateAndCreateTopic } from "./update-and-create-topic.ts";

const FIELDS = {
  topic: "orders",
  defaultTopic: "TBW102",
  readQueueNums: 8,
  writeQueueNums: 4,
  perm: 6,
  topicFilterType: "SINGLE_TAG",
  topicSysFlag: 0,
  order: false,
  attributes: "",
};

class Room {
  readonly room: BrokerRoom;

  constructor(tuning: Partial<BrokerTuning> = {}, options: RoomOptions = {}) {
    this.room = brokerRoom({ ...options, tuning });
  }

  update(fields: Partial<typeof FIELDS> = {}): Answer {
    return answerTo(this.room, updateAndCreateTopic(this.room), { code: 17, ext: { ...FIELDS, ...fields } });
  }
}

describe("update-and-create-topic", () => {
  it("creates a topic, changes it, and does nothing for what is so already", () => {
    const at = new Room();
    assert.equal(at.update({ attributes: "+message.type=FIFO" }).code, 0);
    assert.deepEqual(at.room.topics.get("orders"), {
      topicName: "orders",
      readQueueNums: 8,
      writeQueueNums: 4,
      perm: 6,
      topicFilterType: "SINGLE_TAG",
      topicSysFlag: 0,
      order: false,
      attributes: { "message.type": "FIFO" },
    });
    const { counter } = at.room.topics.topics.dataVersion;
    assert.equal(at.update().code, 0);
    assert.equal(at.room.topics.topics.dataVersion.counter, counter);
    assert.equal(
      at.update({ perm: 4, order: true, topicFilterType: "MULTI_TAG", attributes: "-message.type" }).code,
      0,
    );
    const changed = at.room.topics.get("orders")!;
    assert.deepEqual(
      [changed.perm, changed.order, changed.topicFilterType, changed.attributes],
      [4, true, "MULTI_TAG", {}],
    );
  });

  it("answers once topics.json holds the topic and the NameServers know it", () => {
    const saves: ((error?: HostError) => void)[] = [];
    const topicsFile = { save: (_text: string, done: (error?: HostError) => void) => saves.push(done) };
    const at = new Room({}, { topicsFile: topicsFile as unknown as StateFile });
    const registered: (() => void)[] = [];
    const handler = updateAndCreateTopic({ ...at.room, whenRegistered: (done) => registered.push(done) });
    const exchange = call(handler, { code: 17, ext: FIELDS });
    at.room.host.endTurn();
    assert.deepEqual([saves.length, registered.length, exchange.isAnswered], [1, 0, false]);
    saves[0]!();
    assert.deepEqual([registered.length, exchange.isAnswered], [1, false]);
    registered[0]!();
    assert.equal(exchange.answer?.code, 0);
    const second = call(handler, { code: 17, ext: { ...FIELDS, topic: "other" } });
    at.room.host.endTurn();
    saves[1]!(new HostError("EIO", "broken"));
    assert.equal(second.answer?.code, 1);
  });

  it("refuses with 29 what cannot be a topic", () => {
    for (const fields of [
      { topic: "bad name" },
      { topic: "x".repeat(128) },
      { topic: "BenchmarkTest" },
      { topic: "rmq_sys_mine" },
      { topic: "DefaultCluster" },
      { topic: "broker-a" },
      { readQueueNums: -1 },
      { writeQueueNums: 1_000_000 },
      { perm: 16 },
      { attributes: "message.type=FIFO" },
      { attributes: "+message.type=MIXED" },
      { attributes: "+queue.type=BatchCQ" },
      { attributes: "+cleanup.policy=COMPACTION" },
      { attributes: "+unknown=1" },
      { attributes: "-unknown" },
    ]) {
      const at = new Room();
      const answer = at.update(fields);
      assert.equal(answer.code, 29, JSON.stringify(fields));
      assert.equal(at.room.topics.get("orders"), undefined);
    }
    assert.equal(new Room().update({ attributes: "+queue.type=SimpleCQ,+cleanup.policy=DELETE" }).code, 0);
  });

  it("refuses with 1 another topic when there are too many, but changes those there are", () => {
    const at = new Room({ topicsMax: 14 });
    assert.equal(at.update().code, 0);
    assert.equal(at.update({ topic: "more" }).code, 1);
    assert.equal(at.update({ perm: 2 }).code, 0);
  });
});
