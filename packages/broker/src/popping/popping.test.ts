/** The small parts of popping, and what they keep on disk. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newTopicConfig } from "@orbitmq/wire";
import { brokerDefaults } from "../broker-options.ts";
import { CheckPoint, CheckPoints } from "./check-points.ts";
import { DurableSteps } from "./durable-steps.ts";
import { OrderInfo } from "./order-info.ts";
import { formatOrderInfos, parseOrderInfos } from "./order-infos.ts";
import { popTargets } from "./pop-targets.ts";
import { formatAck, formatCheckPoint, parseAck, parseCheckPoint } from "./revive-records.ts";

const CK = {
  group: "billing",
  topic: "orders",
  queueId: 2,
  startOffset: 7,
  popTime: 1_700_000_000_123,
  brokerName: "broker-a",
  invisibleTime: 60_000,
  offsets: [7, 9],
  ackedBits: 0,
  rePutTimes: 0,
};

describe("records of the revive log", () => {
  it("are written as RocketMQ writes them and come back", () => {
    assert.equal(
      formatCheckPoint(CK),
      '{"bm":0,"bn":"broker-a","c":"billing","d":[0,2],"it":60000,"n":2,"pt":1700000000123,"q":2,"ro":0,"so":7,"t":"orders"}',
    );
    assert.deepEqual(parseCheckPoint(Buffer.from(formatCheckPoint({ ...CK, rePutTimes: 3, ackedBits: 2 }))), {
      ...CK,
      rePutTimes: 3,
      ackedBits: 2,
    });
    assert.equal(
      formatAck(CK, [9]),
      '{"ao":9,"bn":"broker-a","c":"billing","pt":1700000000123,"q":2,"so":7,"t":"orders"}',
    );
    assert.deepEqual(parseAck(Buffer.from(formatAck(CK, [7, 9]))).offsets, [7, 9]);
    assert.equal(parseAck(Buffer.from(formatAck(CK, [9]))).name.startOffset, 7);
  });

  it("of early versions have their messages one behind the other", () => {
    const text = '{"bm":0,"c":"g","it":1,"n":3,"pt":1,"q":0,"ro":0,"so":5,"t":"t"}';
    assert.deepEqual(parseCheckPoint(Buffer.from(text))?.offsets, [5, 6, 7]);
    assert.equal(parseCheckPoint(Buffer.from(text.replace('"n":3', '"n":0'))), undefined);
  });
});

describe("checkpoints", () => {
  const at = (startOffset: number, deadlineMs: number, queue = 0): CheckPoint =>
    new CheckPoint({ ...CK, startOffset, offsets: [startOffset] }, queue, deadlineMs);

  it("are due in the order of their times, not in that of the log", () => {
    const table = new CheckPoints();
    const [late, soon] = [at(1, 500), at(2, 100)];
    table.add(late, 0);
    table.add(soon, 1);
    assert.equal(table.firstDueMs, 100);
    assert.equal(table.takeDue(99), undefined);
    assert.equal(table.takeDue(100), soon);
    assert.equal(table.takeDue(100), undefined);
    table.postpone(soon, 600);
    assert.equal(table.takeDue(1_000), late);
    assert.equal(table.takeDue(1_000), soon);
  });

  it("hold the log back until the oldest is gone", () => {
    const table = new CheckPoints();
    const [first, second] = [at(1, 500), at(2, 100)];
    table.add(first, 3);
    table.add(second, 5);
    assert.equal(table.progress(0, 9), 2);
    table.remove(second);
    assert.equal(table.progress(0, 9), 2);
    table.remove(first);
    assert.equal(table.progress(0, 9), 8);
    assert.equal(table.progress(1, 0), -1);
  });

  it("know 32 messages by their bits", () => {
    const offsets = Array.from({ length: 32 }, (_, index) => index * 3);
    const checkPoint = new CheckPoint({ ...CK, startOffset: 0, offsets }, 0, 0);
    assert.equal(checkPoint.isAcked, false);
    checkPoint.ackedBits = checkPoint.bitsOf(offsets.slice(0, 31));
    assert.deepEqual(checkPoint.offsetsOf(checkPoint.allBits & ~checkPoint.ackedBits), [93]);
    checkPoint.ackedBits |= checkPoint.bitsOf([93]);
    assert.equal(checkPoint.isAcked, true);
    assert.equal(checkPoint.bitsOf([1, 94]), 0);
  });
});

describe("durable steps", () => {
  it("are taken in order, as far as the log is durable", () => {
    const steps = new DurableSteps();
    const taken: number[] = [];
    for (let position = 10; position <= 30_000; position += 10) {
      steps.push({ position, durable: () => void taken.push(position) });
    }
    steps.follow(9);
    assert.equal(taken.length, 0);
    for (let position = 0; position <= 30_000; position += 7) steps.follow(position);
    steps.follow(30_000);
    assert.deepEqual(
      taken,
      Array.from({ length: 3_000 }, (_, index) => 10 * (index + 1)),
    );
    assert.equal(steps.size, 0);
  });
});

describe("the queues of a pop", () => {
  function targets(random: number, queueId: number, order = false, v2 = false): string[] {
    const known = new Map([
      ["orders", newTopicConfig("orders", { readQueueNums: 3 })],
      ["%RETRY%billing_orders", newTopicConfig("r1", { readQueueNums: 1 })],
      ["%RETRY%billing+orders", newTopicConfig("r2", { readQueueNums: 1 })],
    ]);
    const options = { ...brokerDefaults, enableRetryTopicV2: v2 };
    const topics = { get: (topic: string) => known.get(topic) };
    const found = popTargets({ topics, options, topic: "orders", group: "billing", queueId, order, random });
    return Array.from({ length: found.size }, (_, index) => {
      const topic = found.topic(index);
      return `${topic === "orders" ? "" : topic.includes("+") ? "v2 " : "v1 "}${found.queueId(index)}`;
    });
  }

  it("begin at random, with the retry topic before or behind them", () => {
    assert.deepEqual(targets(19, -1), ["v1 0", "1", "2", "0"]);
    assert.deepEqual(targets(20, -1), ["2", "0", "1", "v1 0"]);
    assert.deepEqual(targets(50, 1), ["1", "v1 0"]);
    assert.deepEqual(targets(5, 1, true), ["1"]);
  });

  it("are of one of the retry topics of both names", () => {
    assert.deepEqual(targets(50, 1, false, true), ["1", "v1 0"]);
    assert.deepEqual(targets(51, 1, false, true), ["1", "v2 0"]);
  });
});

describe("what is popped in order", () => {
  const NOW = { wallMs: 1_700_000_000_000, monotonicMs: 5_000 };
  const JAVA = `{"table":{"orders@billing":{0:{"a":"attempt","cm":2,"i":60000,"l":1700000000000,"o":[40,1,4],
    "oc":{40:2},"ot":{44:1700000090000},"popTime":1700000000000}}}}`;

  it("is kept as RocketMQ keeps it", () => {
    const table = parseOrderInfos(JAVA);
    const record = table.get("orders@billing")!.get(0)!;
    assert.deepEqual(record.offsets, [40, 41, 44]);
    const text = formatOrderInfos(table);
    assert.deepEqual(parseOrderInfos(text), table);
    assert.equal(text.replaceAll(/\s/g, ""), JAVA.replaceAll(/\s/g, ""));
  });

  it("closes its queue for as long as is left, whatever the wall clock says", () => {
    const record = parseOrderInfos(JAVA).get("orders@billing")!.get(0)!;
    const opens = (leapMs: number): number =>
      new OrderInfo(record, { ...NOW, wallMs: NOW.wallMs + leapMs }, 100_000).opensAtMs;
    assert.equal(opens(0), 5_000 + 90_000);
    assert.equal(opens(3_600_000), 5_000);
    assert.equal(opens(-3_600_000), 5_000 + 90_000);
  });

  it("is closed to others only", () => {
    const record = parseOrderInfos(JAVA).get("orders@billing")!.get(0)!;
    const info = new OrderInfo(record, NOW, 100_000);
    assert.equal(info.isClosedFor("attempt", 5_000), false);
    assert.equal(info.isClosedFor(undefined, 5_000), true);
    assert.equal(info.acknowledge(44, 1_700_000_000_000), 40);
    assert.equal(info.opensAtMs, 65_000);
    assert.equal(info.acknowledge(40, 1_700_000_000_000), 45);
    assert.equal(info.isClosedFor(undefined, 5_000), false);
    assert.equal(info.acknowledge(40, 1), undefined);
    assert.equal(info.acknowledge(43, 1_700_000_000_000), undefined);
  });
});
