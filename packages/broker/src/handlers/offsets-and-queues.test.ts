import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queueOffset } from "@orbitmq/host";
import {
  newTopicConfig,
  parseFastjson,
  parseKvTable,
  parseTopicConfigSerializeWrapper,
  parseTopicStatsTable,
} from "@orbitmq/wire";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { cleanExpiredConsumeQueue } from "./clean-expired-consumequeue.ts";
import { deleteExpiredCommitLog } from "./delete-expired-commitlog.ts";
import { getAllTopicConfig } from "./get-all-topic-config.ts";
import { getBrokerRuntimeInfo } from "./get-broker-runtime-info.ts";
import { getMaxOffset } from "./get-max-offset.ts";
import { getMinOffset } from "./get-min-offset.ts";
import { getTopicStatsInfo } from "./get-topic-stats-info.ts";
import { queryConsumerOffset } from "./query-consumer-offset.ts";
import { searchOffsetByTimestamp } from "./search-offset-by-timestamp.ts";
import { updateConsumerOffset } from "./update-consumer-offset.ts";

/** A room with a topic of four queues and `count` messages in its first. */
function roomWith(count: number): BrokerRoom {
  const room = brokerRoom();
  room.topics.topics.apply({
    kind: "topic-put",
    topic: newTopicConfig("orders", { readQueueNums: 4, writeQueueNums: 4 }),
    atMs: 0,
  });
  const host = new Uint8Array(8);
  for (let i = 0; i < count; i++) {
    const message = {
      topic: "orders",
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: host,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from("x"),
      properties: "",
    };
    room.store.append(message, "flushed", { appendSettled: () => {} });
  }
  room.host.endTurn();
  return room;
}

const queue = { consumerGroup: "group", topic: "orders", queueId: 0 };

describe("query-consumer-offset", () => {
  const ask = (room: BrokerRoom, ext: Record<string, string | number | boolean> = {}) =>
    answerTo(room, queryConsumerOffset(room), { code: 14, ext: { ...queue, ...ext } });

  it("answers what the group committed", () => {
    const room = roomWith(3);
    room.offsets.commit("group", "orders", 0, 2, "test");
    assert.equal(ask(room).ext.get("offset"), "2");
  });

  it("answers 0 to a group without offset while the first message is in memory", () => {
    assert.equal(ask(roomWith(3)).ext.get("offset"), "0");
  });

  it("answers 22 when that is not so, or not wanted", () => {
    const onDisk = roomWith(3);
    onDisk.store.inMemory = false;
    assert.equal(ask(onDisk).code, 22);
    assert.equal(ask(roomWith(0)).code, 22);
    const cut = roomWith(3);
    cut.store.minOffset = () => queueOffset(1);
    assert.equal(ask(cut).code, 22);
    assert.equal(ask(roomWith(3), { setZeroIfNotFound: false }).code, 22);
  });
});

describe("update-consumer-offset", () => {
  const commit = (room: BrokerRoom, ext: Record<string, string | number> = {}) =>
    answerTo(room, updateConsumerOffset(room), { code: 15, ext: { ...queue, commitOffset: 2, ...ext } });

  it("keeps the offset", () => {
    const room = roomWith(3);
    room.groups.find("group");
    assert.equal(commit(room).code, 0);
    assert.equal(room.offsets.get("group", "orders", 0), 2);
  });

  it("keeps the queue's end for an offset beyond it, and nothing for a negative one", () => {
    const room = roomWith(3);
    room.groups.find("group");
    assert.equal(commit(room, { commitOffset: "9223372036854775807" }).code, 0);
    assert.equal(room.offsets.get("group", "orders", 0), 3);
    assert.equal(commit(room, { commitOffset: -1 }).code, 0);
    assert.equal(room.offsets.get("group", "orders", 0), 3);
  });

  it("refuses an unknown group, topic and queue: 26, 17, 29", () => {
    const room = roomWith(3);
    assert.equal(commit(room).code, 26);
    room.groups.find("group");
    assert.equal(commit(room, { topic: "nothing" }).code, 17);
    assert.equal(commit(room, { queueId: 4 }).code, 29);
    assert.equal(commit(room, { queueId: -1 }).code, 29);
  });
});

describe("queue queries", () => {
  it("answer the end and the beginning of a queue, 0 for one that is empty", () => {
    const room = roomWith(3);
    const ext = { topic: "orders", queueId: 0 };
    assert.equal(answerTo(room, getMaxOffset(room), { code: 30, ext }).ext.get("offset"), "3");
    assert.equal(answerTo(room, getMinOffset(room), { code: 31, ext }).ext.get("offset"), "0");
    const empty = { topic: "nothing", queueId: 9 };
    assert.equal(answerTo(room, getMaxOffset(room), { code: 30, ext: empty }).ext.get("offset"), "0");
  });

  it("answer the offset at a time, lower and upper", () => {
    const room = roomWith(3);
    const ask = (boundaryType?: string) =>
      answerTo(room, searchOffsetByTimestamp(room), {
        code: 29,
        ext: { topic: "orders", queueId: 0, timestamp: 1_800_000_000_000, boundaryType },
      }).ext.get("offset");
    assert.equal(ask(), "3");
    assert.equal(ask("LOWER"), "3");
    assert.equal(ask("UPPER"), "0");
  });

  it("show every queue of a topic", () => {
    const room = roomWith(3);
    const answer = answerTo(room, getTopicStatsInfo(room), { code: 202, ext: { topic: "orders" } });
    const { offsets } = parseTopicStatsTable(answer.body);
    assert.deepEqual(
      offsets.map(({ queue: { queueId }, minOffset, maxOffset, lastUpdateTimestamp }) => [
        queueId,
        minOffset,
        maxOffset,
        lastUpdateTimestamp,
      ]),
      [
        [0, 0, 3, 1_700_000_000_000],
        [1, 0, 0, 0],
        [2, 0, 0, 0],
        [3, 0, 0, 0],
      ],
    );
    assert.equal(answerTo(room, getTopicStatsInfo(room), { code: 202, ext: { topic: "nothing" } }).code, 17);
  });
});

describe("get-all-topic-config", () => {
  const ask = (room: BrokerRoom, ext = {}) => {
    const answer = answerTo(room, getAllTopicConfig(room), { code: 21, ext });
    return {
      total: Number(answer.ext.get("totalTopicNum")),
      ...parseTopicConfigSerializeWrapper(answer.body),
    };
  };

  it("answers all topics with their version", () => {
    const room = roomWith(0);
    const { total, topicConfigTable, dataVersion } = ask(room);
    assert.equal(topicConfigTable.get("orders")?.readQueueNums, 4);
    assert.equal(total, topicConfigTable.size);
    assert.deepEqual(dataVersion, room.topics.topics.dataVersion);
  });

  it("answers in pages that together are all topics", () => {
    const room = roomWith(0);
    const dataVersion = JSON.stringify(room.topics.topics.dataVersion);
    const seen = new Set<string>();
    for (let topicSeq = 0; topicSeq < ask(room).total; topicSeq += 5) {
      const { topicConfigTable } = ask(room, { topicSeq, maxTopicNum: 5, dataVersion });
      assert.ok(topicConfigTable.size <= 5);
      for (const topic of topicConfigTable.keys()) seen.add(topic);
    }
    assert.equal(seen.size, room.topics.topics.size);
  });

  it("begins again when the topics changed since the first page", () => {
    const room = roomWith(0);
    const old = JSON.stringify({ counter: 99, stateVersion: 0, timestamp: 1 });
    const first = ask(room, { topicSeq: 0, maxTopicNum: 2 });
    const again = ask(room, { topicSeq: 7, maxTopicNum: 2, dataVersion: old });
    assert.deepEqual([...again.topicConfigTable.keys()], [...first.topicConfigTable.keys()]);
  });
});

describe("get-broker-runtime-info", () => {
  it("gives mqadmin all it prints, as numbers where it parses numbers", () => {
    const room = roomWith(3);
    const table = parseKvTable(answerTo(room, getBrokerRuntimeInfo(room), { code: 28 }).body);
    assert.equal(table.get("brokerActive"), "true");
    assert.equal(table.get("brokerVersionDesc"), "V5_5_0");
    for (const name of ["putTps", "getTransferredTps"]) {
      assert.match(table.get(name) ?? "", /^[\d.]+ [\d.]+ [\d.]+$/);
    }
    for (const name of [
      "sendThreadPoolQueueSize",
      "pullThreadPoolQueueSize",
      "ackThreadPoolQueueSize",
      "sendThreadPoolQueueHeadWaitTimeMills",
      "pullThreadPoolQueueHeadWaitTimeMills",
      "ackThreadPoolQueueHeadWaitTimeMills",
      "pageCacheLockTimeMills",
      "earliestMessageTimeStamp",
      "commitLogDiskRatio",
      "timerReadBehind",
      "timerOffsetBehind",
      "timerCongestNum",
      "msgPutTotalTodayNow",
      "msgGetTotalTodayNow",
    ]) {
      assert.match(table.get(name) ?? "", /^\d+(\.\d+)?$/, name);
    }
    assert.deepEqual(
      ["commitLogBytes", "commitLogAllocatedBytes", "consumeQueueBytes", "indexFiles"].map((name) =>
        table.get(name),
      ),
      ["8", "4", "6", "1"],
    );
    room.store.state = "failed";
    const failed = answerTo(room, getBrokerRuntimeInfo(room), { code: 28 });
    assert.equal(parseKvTable(failed.body).get("brokerActive"), "false");
    assert.equal(typeof parseFastjson(failed.body), "object");
  });
});

describe("get-broker-runtime-info of a broker whose key index has fallen behind", () => {
  it("counts what the index has yet to read as not dispatched", () => {
    const room = roomWith(3);
    const behind = () =>
      parseKvTable(answerTo(room, getBrokerRuntimeInfo(room), { code: 28 }).body).get("dispatchBehindBytes");
    assert.equal(behind(), "0");
    room.store.keyIndexBehindBytes = 4_096;
    assert.equal(behind(), "4096");
  });
});

describe("cleaning by hand", () => {
  it("asks the store to remove expired segments (329) and queue files (306), and answers at once", () => {
    const room = roomWith(1);
    assert.equal(answerTo(room, deleteExpiredCommitLog(room), { code: 329 }).code, 0);
    assert.equal(answerTo(room, cleanExpiredConsumeQueue(room), { code: 306 }).code, 0);
    assert.deepEqual(room.store.cleanings, ["segments", "queues"]);
  });
});
