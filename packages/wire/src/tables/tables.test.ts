import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatDataVersion,
  newDataVersion,
  nextDataVersion,
  parseDataVersion,
  sameDataVersion,
} from "../bodies/data-version.ts";
import { compareMessageQueues } from "../bodies/message-queue.ts";
import { newTopicConfig } from "../bodies/topic-config.ts";
import { bodyCrc } from "../message/crc32.ts";
import { MessageSysFlag, transactionType, withTransactionType } from "../message/sys-flag.ts";
import { wireErrors } from "../wire-error.ts";
import { LANGUAGE_UNKNOWN, LanguageCode, languageCode, languageName } from "./language-code.ts";
import { MQ_VERSION_CURRENT, MQVersion, mqVersion, mqVersionName } from "./mq-version.ts";
import { isInherited, isReadable, isWritable, Perm, permName } from "./perm.ts";
import { RequestCode, requestCodeName } from "./request-code.ts";
import { ResponseCode, responseCodeName } from "./response-code.ts";

describe("the tables of codes", () => {
  it("name every code once", () => {
    for (const [table, nameOf] of [
      [RequestCode, requestCodeName],
      [ResponseCode, responseCodeName],
      [LanguageCode, languageName],
    ] as const) {
      for (const [name, code] of Object.entries(table)) assert.equal(nameOf(code), name);
    }
    assert.equal(requestCodeName(-1), undefined);
    assert.equal(responseCodeName(99_999), undefined);
    assert.equal(languageName(99), undefined);
    assert.equal(languageCode("NODE_JS"), 13);
    assert.equal(languageCode("KLINGON"), LANGUAGE_UNKNOWN);
  });

  it("name versions as Java does", () => {
    for (const [name, ordinal] of Object.entries(MQVersion)) assert.equal(mqVersionName(ordinal), name);
    assert.equal(mqVersionName(512), "V5_5_0_SNAPSHOT");
    assert.equal(mqVersionName(612), "HIGHER_VERSION");
    assert.equal(mqVersion(4, 9, 8), MQVersion.V4_9_8);
    assert.equal(mqVersion(5, 5, 0), MQ_VERSION_CURRENT);
  });

  it("describe every error", () => {
    for (const [code, [, description]] of Object.entries(wireErrors))
      assert.ok(description.length > 10, code);
  });
});

describe("bits", () => {
  it("of permissions read as mqadmin shows them", () => {
    assert.deepEqual([permName(6), permName(4), permName(7), permName(0)], ["RW-", "R--", "RWX", "---"]);
    assert.ok(isReadable(Perm.READ_WRITE) && isWritable(Perm.READ_WRITE) && !isInherited(Perm.READ_WRITE));
  });

  it("of transactions are set without touching the others", () => {
    const flag =
      MessageSysFlag.COMPRESSED | MessageSysFlag.TRANSACTION_PREPARED_TYPE | MessageSysFlag.BORNHOST_V6;
    assert.equal(transactionType(flag), MessageSysFlag.TRANSACTION_PREPARED_TYPE);
    const committed = withTransactionType(flag, MessageSysFlag.TRANSACTION_COMMIT_TYPE);
    assert.equal(
      committed,
      MessageSysFlag.COMPRESSED | MessageSysFlag.TRANSACTION_COMMIT_TYPE | MessageSysFlag.BORNHOST_V6,
    );
  });
});

describe("shared shapes", () => {
  it("order queues by topic, broker, and queue id as a number", () => {
    const queues = ["b:2", "b:10", "a:3"].map((text) => {
      const [brokerName, queueId] = text.split(":");
      return { topic: "T", brokerName: brokerName!, queueId: Number(queueId) };
    });
    assert.deepEqual(
      [...queues, { topic: "S", brokerName: "z", queueId: 0 }]
        .sort(compareMessageQueues)
        .map(({ topic, brokerName, queueId }) => `${topic}${brokerName}${queueId}`),
      ["Sz0", "Ta3", "Tb2", "Tb10"],
    );
  });

  it("give a topic RocketMQ's defaults", () => {
    assert.deepEqual(newTopicConfig("T", { writeQueueNums: 8 }), {
      topicName: "T",
      readQueueNums: 16,
      writeQueueNums: 8,
      perm: 6,
      topicFilterType: "SINGLE_TAG",
      topicSysFlag: 0,
      order: false,
      attributes: {},
    });
  });

  it("count versions up", () => {
    const first = newDataVersion(1000);
    const second = nextDataVersion(first, 2000);
    assert.deepEqual(second, { stateVersion: 0, timestamp: 2000, counter: 1 });
    assert.ok(!sameDataVersion(first, second));
    assert.ok(sameDataVersion(parseDataVersion(formatDataVersion(second)), second));
  });

  it("have Java's checksum of bodies", () => {
    assert.equal(bodyCrc(Buffer.from("hello")), 907_060_870);
    assert.equal(bodyCrc(Buffer.alloc(0)), 0);
  });
});
