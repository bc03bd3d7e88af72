import assert from "node:assert/strict";
import { test } from "node:test";
import { compressBody, pullMessageRequestHeader, RequestCode } from "@orbitmq/wire";
import { json } from "../message/codecs.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { topic } from "../message/typed-topic.ts";
import { consumerOf, consuming, stage } from "../testing/consumer-stage.ts";
import { pullHeader } from "../testing/fake-broker.ts";

test("a failed message the broker does not take back is consumed again after five seconds, and the offset does not pass it", async () => {
  const { w, broker } = stage();
  broker.takesBack = false;
  for (const body of ["a", "b", "c"]) broker.store("orders", 0, body);
  const attempts: [string, number, number][] = [];
  const consumer = await consuming(w, (message) => {
    attempts.push([message.text(), message.reconsumeTimes, w.world.nowMs]);
    if (message.text() === "b" && message.reconsumeTimes < 2) return "RECONSUME_LATER";
    return "CONSUME_SUCCESS";
  });
  await w.until(() => attempts.length === 3);
  await w.run(4_000);
  assert.equal(attempts.length, 3);
  assert.equal(consumer.status().queues[0]!.committableOffset, 1);
  await w.until(() => attempts.length === 5);
  const times = attempts.filter(([body]) => body === "b");
  assert.deepEqual(
    times.map(([, reconsumeTimes]) => reconsumeTimes),
    [0, 1, 2],
  );
  for (let i = 1; i < 3; i++) {
    const pause = times[i]![2] - times[i - 1]![2];
    assert.ok(pause >= 5_000 && pause < 5_100, String(pause));
  }
  await w.until(() => broker.offsets.get("g@orders@0") === 3);
  assert.deepEqual([consumer.status().consumed, consumer.status().failed], [3, 2]);
  await w.settle(consumer.shutdown());
});

test("a throw, a rejection and a result that is none fail the message, each with its code", async () => {
  const { w, broker } = stage();
  for (const body of ["throws", "rejects", "number", "word"]) broker.store("orders", 0, body);
  const failures: [string, string][] = [];
  const seen = new Set<string>();
  const listener = (message: ReceivedMessage): unknown => {
    const body = message.text();
    if (seen.has(body)) return undefined;
    seen.add(body);
    if (body === "throws") throw new Error("sync");
    if (body === "rejects") return Promise.reject(new Error("async"));
    return body === "number" ? 42 : Promise.resolve("SUCCESS");
  };
  const consumer = await consuming(w, listener as () => void, {
    onConsumeFailure: (error, message) => failures.push([message.text(), error.code]),
  });
  await w.until(() => failures.length === 4);
  assert.deepEqual(failures.sort(), [
    ["number", "LISTENER_RESULT_INVALID"],
    ["rejects", "LISTENER_FAILED"],
    ["throws", "LISTENER_FAILED"],
    ["word", "LISTENER_RESULT_INVALID"],
  ]);
  await w.until(() => broker.offsets.get("g@orders@0") === 4);
  await w.settle(consumer.shutdown());
});

test("a body that does not decode never reaches the listener and fails with its own code", async () => {
  const { w, broker } = stage();
  broker.takesBack = false;
  broker.store("orders", 0, "{not json");
  broker.store("orders", 0, '{"id":1}');
  const orders = topic("orders", json<{ id: number }>());
  const failures: [string, string][] = [];
  const consumer = consumerOf(w, {
    onConsumeFailure: (error, message) => failures.push([error.code, message.text()]),
  });
  const got: number[] = [];
  consumer.listen(orders, (message) => void got.push(message.value.id));
  await w.settle(consumer.start());
  await w.until(() => got.length === 1 && failures.length === 1);
  assert.deepEqual(got, [1]);
  assert.deepEqual(failures, [["DECODE_FAILED", "{not json"]]);
  await w.until(() => failures.length === 2);
  assert.equal(consumer.status().queues[0]!.committableOffset, 0);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 0);
});

test("compressed bodies arrive as they were sent, damaged ones fail with their own code", async () => {
  const { w, broker } = stage();
  const body = Buffer.from("long ".repeat(100));
  for (const kind of ["ZLIB", "LZ4"] as const) {
    const compressed = compressBody(body, kind);
    broker.store("orders", 0, compressed.body, "", compressed.sysFlagBits);
  }
  broker.store("orders", 0, "no zlib stream", "", 1);
  const got: string[] = [];
  const failures: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), {
    onConsumeFailure: (error) => failures.push(error.code),
  });
  await w.until(() => got.length === 2 && failures.length === 1);
  assert.deepEqual(got, [String(body), String(body)]);
  assert.deepEqual(failures, ["BODY_UNREADABLE"]);
  await w.settle(consumer.shutdown());
});

test("a body that is not what was sent never reaches the listener, its neighbours do", async () => {
  const { w, broker } = stage();
  for (const body of ["before", "damaged", "after"]) broker.store("orders", 0, body);
  broker.script = ({ code, ext }) => {
    if (code !== RequestCode.PULL_MESSAGE) return false;
    const { topic, queueOffset } = pullMessageRequestHeader.decode(ext);
    if (topic !== "orders" || queueOffset > 0) return false;
    const records = broker.queue("orders", 0).map((message) => broker.record(message));
    const [, damaged] = records;
    damaged![damaged!.indexOf("damaged")]! ^= 1;
    return { code: 0, header: pullHeader(3, 3), body: records };
  };
  const got: string[] = [];
  const failures: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), {
    onConsumeFailure: (error, { queueOffset }) => failures.push(`${error.code} ${queueOffset}`),
  });
  await w.until(() => got.length === 2 && failures.length === 1);
  assert.deepEqual([got, failures], [["before", "after"], ["BODY_UNREADABLE 1"]]);
  await w.settle(consumer.shutdown());
});

test("a queue is not pulled beyond its thresholds and goes on when enough was consumed", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 500; i++) broker.store("orders", 0, String(i));
  const release: (() => void)[] = [];
  const consumer = await consuming(w, () => new Promise<void>((resolve) => release.push(resolve)), {
    pullThresholdForQueue: 100,
    concurrency: 1_000,
  });
  await w.run(2_000);
  const cached = consumer.status().queues[0]!.cached;
  assert.ok(cached >= 100 && cached < 132, String(cached));
  const pulls = broker.count(RequestCode.PULL_MESSAGE);
  await w.run(2_000);
  assert.equal(broker.count(RequestCode.PULL_MESSAGE), pulls);
  for (let done = 0; done < 500; await w.run(20)) {
    for (const resolve of release.splice(0)) {
      resolve();
      done += 1;
    }
  }
  await w.until(() => consumer.status().consumed === 500);
  await w.settle(consumer.shutdown());
});

test("one message that fails for ever and is not taken back holds the queue at the allowed span of offsets", async () => {
  const { w, broker } = stage();
  broker.takesBack = false;
  for (let i = 0; i < 400; i++) broker.store("orders", 0, String(i));
  const consumer = await consuming(w, (message) => (message.text() === "0" ? "RECONSUME_LATER" : undefined), {
    consumeSpanMax: 200,
  });
  await w.run(30_000);
  const { consumed, queues } = consumer.status();
  assert.ok(consumed >= 199 && consumed < 260, String(consumed));
  assert.equal(queues[0]!.committableOffset, 0);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 0);
});

test("a response that cannot be read does not end the consumption", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  let garbled = 0;
  broker.script = (request) => {
    if (request.code !== RequestCode.PULL_MESSAGE || garbled > 1) return false;
    garbled += 1;
    return garbled === 1
      ? { code: 0, header: pullHeader(1, 1), body: [Buffer.from("garbage")] }
      : { code: 0, header: (sink) => sink.put("nextBeginOffset", "not a number") };
  };
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.until(() => got.length === 1, 5_000);
  await w.settle(consumer.shutdown());
});

test("messages that were not taken back at different times come again at different times", async () => {
  const { w, broker } = stage();
  broker.takesBack = false;
  const seen = new Map<string, number[]>();
  const consumer = await consuming(w, (message) => {
    const times = seen.get(message.text()) ?? [];
    times.push(w.world.nowMs);
    seen.set(message.text(), times);
    return times.length < 2 ? "RECONSUME_LATER" : undefined;
  });
  for (const body of ["a", "b", "c"]) {
    broker.store("orders", 0, body);
    await w.run(1_500);
  }
  await w.until(() => consumer.status().consumed === 3);
  for (const [body, [first, second]] of seen) {
    assert.ok(second! - first! >= 5_000 && second! - first! < 5_100, `${body} ${second! - first!}`);
  }
  await w.settle(consumer.shutdown());
});

test("a thenable that misbehaves counts once", async () => {
  const { w, broker } = stage();
  for (const body of ["twice", "throws", "fine"]) broker.store("orders", 0, body);
  const listener = (message: ReceivedMessage): unknown => ({
    // biome-ignore lint/suspicious/noThenProperty: this is what the test is about
    then: (resolve: (value: undefined) => void) => {
      resolve(undefined);
      if (message.text() === "twice") resolve(undefined);
      if (message.text() === "throws") throw new Error("after the fact");
    },
  });
  const consumer = await consuming(w, listener as () => void);
  await w.until(() => consumer.status().consumed === 3);
  assert.deepEqual([consumer.status().failed, consumer.status().listenersRunning], [0, 0]);
  await w.settle(consumer.shutdown());
});
