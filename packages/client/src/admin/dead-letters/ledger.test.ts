import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeOffsetMessageId, type MessageRecord, parseProperties } from "@orbitmq/wire";
import { OrbitError } from "../../errors/errors.ts";
import { encodeEntry, Ledger, type LedgerEntry, ledgerTag, parseEntry } from "./ledger.ts";
import { redrivenMessage } from "./redriven-message.ts";

const at = (physicalOffset: number, to?: string) => ({
  queueId: 0,
  queueOffset: physicalOffset / 100,
  physicalOffset,
  ...(to === undefined ? {} : { to }),
});

describe("the ledger of dead letters", () => {
  it("reads back what it writes, and nothing else", () => {
    const entries: LedgerEntry[] = [
      { group: "g|h", did: "begin", letters: [] },
      { group: "g", did: "intend", letters: [at(100, "orders"), at(200, "bills")] },
      { group: "g", did: "redriven", letters: [at(100)] },
    ];
    for (const entry of entries) assert.deepEqual(parseEntry(encodeEntry(entry)), entry);
    const others = ["", "null", "7", "[]", '{"v":2}', '{"v":1,"group":"g","did":"eaten","letters":[]}'];
    others.push('{"v":1,"group":"g","did":"deleted","letters":[[0,-1,5]]}');
    others.push('{"v":1,"group":"g","did":"intend","letters":[[0,1,5,6]]}');
    for (const text of others) {
      assert.throws(
        () => parseEntry(Buffer.from(text)),
        (error) => error instanceof OrbitError && error.code === "PROTOCOL_ERROR",
        text,
      );
    }
    assert.equal(ledgerTag("a|b%c"), "a.b%c");
  });

  it("knows what was to be sent and may have been, until it certainly was", () => {
    const ledger = new Ledger();
    const add = (did: LedgerEntry["did"], ...letters: LedgerEntry["letters"]) =>
      ledger.add({ group: "g", did, letters });
    add("intend", at(100, "orders"), at(200, "orders"));
    add("intend", at(200, "elsewhere"));
    assert.deepEqual(ledger.intendedFor(200), ["orders", "elsewhere"]);
    assert.deepEqual([ledger.stateOf(100), ledger.intendedFor(300)], ["dead", []]);
    add("redriven", at(100));
    add("deleted", at(200), at(300));
    assert.deepEqual(
      [100, 200, 300, 400].map((offset) => ledger.stateOf(offset)),
      ["redriven", "deleted", "deleted", "dead"],
    );
    assert.deepEqual(ledger.intendedFor(200), []);
    assert.deepEqual(
      ledger.doneOf(0, 200).map(({ place }) => place.physicalOffset),
      [200, 300],
    );
    assert.deepEqual(ledger.doneOf(1, 0), []);
  });
});

describe("a redriven message", () => {
  const record = (properties: Record<string, string>): MessageRecord => ({
    topic: "%DLQ%g",
    queueId: 0,
    flag: 7,
    sysFlag: 0x1 | 0x8,
    bornTimestamp: 1,
    bornHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0, 1),
    storeHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0, 2),
    reconsumeTimes: 17,
    preparedTransactionOffset: 0,
    body: Buffer.from("x"),
    properties: Object.entries(properties)
      .map(([name, value]) => `${name}\u0001${value}\u0002`)
      .join(""),
    totalSize: 1,
    magic: 0,
    bodyCrc: 0,
    queueOffset: 3,
    physicalOffset: 4_711,
    storeTimestamp: 2,
  });
  const id = encodeOffsetMessageId(record({}).storeHost, 4_711);

  it("is the same message without its earlier life, and tells which dead letter it was", () => {
    const dead = record({
      KEYS: "k1 k2",
      TAGS: "t",
      UNIQ_KEY: "U",
      mine: "stays",
      __SHARDINGKEY: "s",
      RETRY_TOPIC: "orders",
      ORIGIN_MESSAGE_ID: "O",
      DELAY: "0",
      WAIT: "false",
      TRAN_MSG: "true",
      PGROUP: "p",
      "1ST_POP_TIME": "5",
      "__CRC32#": "9",
      MAX_RECONSUME_TIMES: "16",
      ORBITMQ_FAILURE: "boom",
      ORBITMQ_REDRIVES: "2",
    });
    const message = redrivenMessage(dead, "elsewhere");
    assert.deepEqual(Object.fromEntries(parseProperties(message.properties)), {
      KEYS: "k1 k2",
      TAGS: "t",
      UNIQ_KEY: "U",
      mine: "stays",
      __SHARDINGKEY: "s",
      ORBITMQ_REDRIVES: "3",
      ORBITMQ_REDRIVEN_FROM: "%DLQ%g",
      ORBITMQ_REDRIVEN_ID: id,
    });
    // Compressed still, no part of a transaction any more.
    assert.deepEqual([message.topic, message.msgId, message.flag, message.sysFlag], ["elsewhere", "U", 7, 1]);
    assert.equal(message.reconsumeTimes, undefined);
  });

  it("that has no unique id gets the one it was known by: where it lay first", () => {
    assert.equal(redrivenMessage(record({ ORIGIN_MESSAGE_ID: "O" }), "t").msgId, "O");
    const { msgId, properties } = redrivenMessage(record({}), "t");
    assert.equal(msgId, id);
    assert.equal(parseProperties(properties).get("UNIQ_KEY"), id);
  });
});
