import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { formatProperties, RequestCode } from "@orbitmq/wire";
import { OrbitError } from "../../errors/errors.ts";
import { json } from "../../message/codecs.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import { topic } from "../../message/typed-topic.ts";
import { stage } from "../../testing/consumer-stage.ts";
import { TestWorld } from "../../testing/test-world.ts";
import { Reader } from "./reader.ts";

async function readerOf(w: TestWorld): Promise<Reader> {
  const reader = new Reader(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(reader.start());
  return reader;
}

async function all(iteration: AsyncIterable<ReceivedMessage>): Promise<string[]> {
  const got: string[] = [];
  for await (const message of iteration) got.push(message.text());
  return got;
}

test("a read that does not follow ends where the queues ended, in order within each queue", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 90; i++) broker.store("orders", i % 2, String(i));
  const reader = await readerOf(w);
  const got = await w.settle(all(reader.read("orders", { follow: false })));
  assert.equal(got.length, 90);
  for (const parity of [0, 1]) {
    const own = got.map(Number).filter((number) => number % 2 === parity);
    assert.deepEqual(
      own,
      own.slice().sort((a, b) => a - b),
    );
  }
  await w.settle(reader.shutdown());
});

test("what arrives during a read that does not follow is not part of it", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 3; i++) broker.store("orders", 0, String(i));
  broker.script = (request) => {
    if (request.code === RequestCode.PULL_MESSAGE) broker.store("orders", 0, "late");
    return false;
  };
  const reader = await readerOf(w);
  assert.deepEqual(await w.settle(all(reader.read("orders", { follow: false }))), ["0", "1", "2"]);
  await w.settle(reader.shutdown());
});

test("reading joins no group and commits nothing", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  const reader = await readerOf(w);
  await w.settle(all(reader.read("orders", { follow: false })));
  await w.run(60_000);
  await w.settle(reader.shutdown());
  assert.equal(broker.offsets.size, 0);
  assert.equal(broker.count(RequestCode.UPDATE_CONSUMER_OFFSET), 0);
  assert.deepEqual(
    broker.heartbeats.filter((data) => data.consumerDataSet.length > 0),
    [],
  );
});

test("a following read waits for the topic, then for messages, until the loop is left", async () => {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  const reader = await readerOf(w);
  const got: string[] = [];
  const reading = (async () => {
    for await (const message of reader.read("orders", { from: "last" })) {
      got.push(message.text());
      if (got.length === 3) break;
    }
  })();
  await w.run(5_000);
  broker.store("orders", 0, "1");
  w.nameServer.setRoute("orders", [broker], 1);
  await w.until(() => got.length === 1, 1_000);
  broker.store("orders", 0, "2");
  w.nameServer.setRoute("orders", [broker], 2);
  broker.store("orders", 1, "3");
  await w.settle(reading);
  assert.deepEqual(got, ["1", "2", "3"]);
  await w.settle(reader.shutdown());
});

test("where to begin and which tags can be chosen", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "early", formatProperties([["TAGS", "t"]]));
  await w.run(60_000);
  const from = new Date(w.host.clock.wallMs());
  broker.store("orders", 0, "other", formatProperties([["TAGS", "u"]]));
  broker.store("orders", 0, "late", formatProperties([["TAGS", "t"]]));
  const reader = await readerOf(w);
  const read = (options: object) => w.settle(all(reader.read("orders", { follow: false, ...options })));
  assert.deepEqual(await read({}), ["early", "other", "late"]);
  assert.deepEqual(await read({ from }), ["other", "late"]);
  assert.deepEqual(await read({ tags: "t || v" }), ["early", "late"]);
  assert.deepEqual(await read({ from: "last" }), []);
  await w.settle(reader.shutdown());
});

test("more messages than the buffer holds arrive all the same, and are not fetched before there is room", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 3_000; i++) broker.store("orders", 0, String(i));
  const reader = await readerOf(w);
  const iteration = reader.read("orders", { follow: false });
  await w.run(2_000);
  const pulls = broker.count(RequestCode.PULL_MESSAGE);
  assert.ok(pulls <= 33, String(pulls));
  const got = await w.settle(all(iteration));
  assert.deepEqual(
    got,
    Array.from({ length: 3_000 }, (_, i) => String(i)),
  );
  await w.settle(reader.shutdown());
});

test("a signal, a shutdown and a missing topic end the iteration", async () => {
  const { w } = stage();
  const reader = await readerOf(w);
  assert.deepEqual(await w.settle(all(reader.read("nowhere", { follow: false }))), []);
  const controller = new AbortController();
  const aborted = all(reader.read("orders", { signal: controller.signal }));
  await w.run(100);
  controller.abort();
  assert.deepEqual(await w.settle(aborted), []);
  const unused = new AbortController();
  await w.settle(all(reader.read("nowhere", { follow: false, signal: unused.signal })));
  assert.equal(getEventListeners(unused.signal, "abort").length, 0);
  assert.deepEqual(await w.settle(all(reader.read("orders", { signal: AbortSignal.abort() }))), []);
  const ended = all(reader.read("orders"));
  await w.run(100);
  await w.settle(reader.shutdown());
  assert.deepEqual(await w.settle(ended), []);
  assert.throws(
    () => reader.read("orders"),
    (error) => error instanceof OrbitError && error.code === "SHUT_DOWN",
  );
});

test("a message that does not decode ends the iteration, or is told of and skipped", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "{broken");
  broker.store("orders", 0, "[2]");
  const orders = topic("orders", json<number[]>());
  const reader = await readerOf(w);
  const strict = async () => {
    for await (const _ of reader.read(orders)) assert.fail("nothing decodes before");
  };
  const error = (await w.failure(strict())) as OrbitError;
  assert.equal(error.code, "DECODE_FAILED");
  const skipped: string[] = [];
  const values: number[][] = [];
  const lenient = async () => {
    const onUndecodable = (failure: OrbitError, message: ReceivedMessage) =>
      void skipped.push(`${failure.code} ${message.text()}`);
    for await (const message of reader.read(orders, { follow: false, onUndecodable })) {
      values.push(message.value);
    }
  };
  await w.settle(lenient());
  assert.deepEqual([skipped, values], [["DECODE_FAILED {broken"], [[2]]]);
  await w.settle(reader.shutdown());
});

test("a read that does not follow gives up on a broker that keeps failing; one that follows does not", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  broker.script = (request) =>
    request.code === RequestCode.PULL_MESSAGE ? { code: 1, remark: "disk on fire" } : false;
  const reader = await readerOf(w);
  const error = (await w.failure(all(reader.read("orders", { follow: false })))) as OrbitError;
  assert.equal(error.code, "SYSTEM_ERROR");
  assert.match(error.message, /disk on fire/);
  const following = reader.read("orders");
  const next = following.next();
  await w.run(10_000);
  broker.script = undefined;
  const result = await w.settle(next);
  assert.equal(result.value.text(), "x");
  await w.settle(reader.shutdown());
});

test("a reader that does not run refuses to read", () => {
  const { w } = stage();
  const reader = new Reader(w.host, { namesrv: w.namesrv });
  assert.throws(
    () => reader.read("orders"),
    (error) => error instanceof OrbitError && error.code === "NOT_RUNNING",
  );
});
