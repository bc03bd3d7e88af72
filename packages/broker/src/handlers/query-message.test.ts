import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { KeyQuery } from "@orbitmq/store";
import { decodeCommand, RequestCode } from "@orbitmq/wire";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { queryMessage } from "./query-message.ts";
import { viewMessageById } from "./view-message-by-id.ts";

function roomWith(keys: readonly string[]): BrokerRoom {
  const room = brokerRoom();
  const host = new Uint8Array(8);
  for (const [index, key] of keys.entries()) {
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
      body: Buffer.from(`m${index}`),
      properties: `KEYS\u0001${key}\u0002UNIQ_KEY\u0001id${index}\u0002`,
    };
    room.store.append(message, "flushed", { appendSettled: () => {} });
  }
  room.host.endTurn();
  return room;
}

const QUERY = {
  topic: "orders",
  key: "a",
  maxNum: 64,
  beginTimestamp: 0,
  endTimestamp: "9223372036854775807",
};

describe("query-message", () => {
  const ask = (room: BrokerRoom, ext: Record<string, string | number> = {}) =>
    answerTo(room, queryMessage(room), { code: RequestCode.QUERY_MESSAGE, ext: { ...QUERY, ...ext } });

  /** What the store is asked for. */
  function asked(room: BrokerRoom, ext: Record<string, string | number>): KeyQuery {
    let seen: KeyQuery | undefined;
    const { queryByKey } = room.store;
    room.store.queryByKey = (query, done) => {
      seen = query;
      queryByKey.call(room.store, query, done);
    };
    ask(room, ext);
    return seen!;
  }

  it("answers with the records, one behind the other, and how far the index has come", () => {
    const room = roomWith(["a", "b", "a b"]);
    const { code, body, ext } = ask(room);
    assert.deepEqual([code, body.toString()], [0, "<m0><m2>"]);
    assert.equal(ext.get("indexLastUpdateTimestamp"), "1700000000000");
    assert.ok(Number(ext.get("indexLastUpdatePhyoffset")) > 0);
    assert.equal(room.store.released, 1);
  });

  it("answers 22 when there is none, with RocketMQ's remark", () => {
    const { code, remark, body } = ask(roomWith(["b"]));
    assert.deepEqual(
      [code, remark, body.length],
      [22, "can not find message, maybe time range not correct", 0],
    );
  });

  it("answers 1, not 22, when something could not be read, and says so beside what was found", () => {
    const room = roomWith(["a"]);
    const { queryByKey } = room.store;
    room.store.queryByKey = (query, done) =>
      queryByKey.call(room.store, query, (result) => done({ ...result, complete: false }));
    const none = ask(room, { key: "b" });
    assert.deepEqual([none.code, none.body.length], [1, 0]);
    assert.match(none.remark ?? "", /cannot be read/);
    const some = ask(room);
    assert.deepEqual([some.code, some.body.toString()], [0, "<m0>"]);
    assert.match(some.remark ?? "", /cannot be read/);
  });

  it("asks for defaultQueryMaxNum when a unique key is meant, as old and new clients say it", () => {
    const room = roomWith(["a"]);
    assert.deepEqual(asked(room, { key: "id0", maxNum: 2, _UNIQUE_KEY_QUERY: "true" }), {
      topic: "orders",
      key: "id0",
      indexType: "U",
      messagesMax: 32,
      beginMs: 0,
      endMs: Number.MAX_SAFE_INTEGER,
    });
    const types = [
      { indexType: "T" },
      { indexType: "K" },
      {},
      { indexType: "?" },
      { _UNIQUE_KEY_QUERY: "false" },
    ];
    assert.deepEqual(
      types.map((ext) => asked(room, ext as Record<string, string>).indexType),
      ["T", "K", "K", "K", "K"],
    );
  });

  it("refuses a request without a key or with a number that is none", () => {
    const room = roomWith([]);
    const { key, ...without } = QUERY;
    assert.equal(answerTo(room, queryMessage(room), { code: 12, ext: without }).code, 1, key);
    assert.equal(ask(room, { maxNum: "many" }).code, 1);
  });

  it("understands what Java clients of all kinds send", () => {
    for (const client of [
      "client-4.9.8-json",
      "client-4.9.8-rocketmq",
      "client-5.5.0-json",
      "client-5.5.0-rocketmq",
    ]) {
      const file = new URL(
        `../../../wire/testdata/frames/${client}/12-query-message.request.bin`,
        import.meta.url,
      );
      const { ext } = decodeCommand(readFileSync(file));
      const fields: Record<string, string> = {};
      ext.forEach((name, value) => {
        fields[name] = value;
      });
      const query = asked(roomWith([]), fields);
      assert.deepEqual([query.key, query.messagesMax, query.indexType], ["key-2", 8, "K"], client);
    }
  });
});

describe("view-message-by-id", () => {
  const ask = (room: BrokerRoom, offset: string) =>
    answerTo(room, viewMessageById(room), {
      code: RequestCode.VIEW_MESSAGE_BY_ID,
      ext: { topic: "t", offset },
    });

  it("answers with the record at the offset, or 1 where none begins", () => {
    const room = roomWith([]);
    room.store.recordAt = (offset, done) => done(offset === 77 ? Buffer.from("record") : undefined, false);
    assert.deepEqual([ask(room, "77").code, ask(room, "77").body.toString()], [0, "record"]);
    const missing = ask(room, "78");
    assert.deepEqual([missing.code, missing.remark], [1, "can not find message by the offset, 78"]);
    assert.equal(ask(room, "-1").code, 1);
  });
});
