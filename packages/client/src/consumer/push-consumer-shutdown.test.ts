import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { consumerOf, consuming, stage } from "../testing/consumer-stage.ts";
import type { ListenerContext } from "./listener.ts";

test("a consumer from the first message gets what was there and what comes, and commits on shutdown", async () => {
  const { w, broker } = stage(2);
  broker.store("orders", 0, "one");
  broker.store("orders", 1, "two");
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.until(() => got.length === 2);
  broker.store("orders", 0, "three");
  await w.until(() => got.length === 3);
  assert.deepEqual(got.slice().sort(), ["one", "three", "two"]);
  assert.deepEqual(await w.settle(consumer.shutdown()), { settled: 0, left: 0 });
  assert.equal(broker.offsets.get("g@orders@0"), 2);
  assert.equal(broker.offsets.get("g@orders@1"), 1);
  assert.deepEqual(broker.unregistered, ["g"]);
});

test("a listener whose queue is taken away sees its signal abort, and its result does not count", async () => {
  const { w, broker } = stage(1);
  broker.store("orders", 0, "x");
  let signal: AbortSignal | undefined;
  let finish: (() => void) | undefined;
  const one = await consuming(
    w,
    (_message, context) => {
      signal = context.signal;
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
    { clientId: "b" },
  );
  await w.until(() => signal !== undefined);
  const heard: string[] = [];
  const two = await consuming(w, (message) => void heard.push(message.text()), { clientId: "a" });
  await w.until(() => signal!.aborted, 3_000);
  assert.ok(signal!.reason instanceof OrbitError);
  assert.equal(signal!.reason.code, "QUEUE_LOST");
  await w.until(() => heard.length === 1, 3_000);
  finish?.();
  await w.settle(Promise.all([one.shutdown(), two.shutdown()]));
});

test("of two queues only the listener of the one that is taken away is told", async () => {
  const { w, broker } = stage(2);
  const signals: AbortSignal[] = [];
  const ends: (() => void)[] = [];
  for (let queueId = 0; queueId < 2; queueId++) broker.store("orders", queueId, "x");
  const listener = (message: ReceivedMessage, { signal }: ListenerContext) => {
    signals[message.queue.queueId] ??= signal;
    return new Promise<void>((resolve) => void ends.push(resolve));
  };
  const one = await consuming(w, listener, { clientId: "b" });
  await w.until(() => signals[0] !== undefined && signals[1] !== undefined);
  const two = await consuming(w, listener, { clientId: "a" });
  await w.until(() => signals.some(({ aborted }) => aborted), 3_000);
  await w.run(1_000);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  );
  for (const end of ends) end();
  await w.settle(Promise.all([one.shutdown(), two.shutdown()]));
});

test("a listener that runs too long sees its signal abort and may still succeed", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "slow");
  let reason: OrbitError | undefined;
  const consumer = await consuming(
    w,
    (_message, { signal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          resolve();
        });
      }),
    { consumeTimeoutMs: 60_000 },
  );
  await w.run(59_000);
  assert.equal(reason, undefined);
  await w.until(() => reason !== undefined, 3_000);
  assert.equal(reason!.code, "CONSUME_TIMEOUT");
  await w.until(() => consumer.status().consumed === 1);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 1);
});

test("shutdown lets running listeners finish, begins no other, and commits what they did", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 50; i++) broker.store("orders", 0, String(i));
  const finish: (() => void)[] = [];
  const consumer = await consuming(w, () => new Promise<void>((resolve) => finish.push(resolve)), {
    concurrency: 3,
  });
  await w.until(() => finish.length === 3);
  const ending = consumer.shutdown();
  await w.run(1_000);
  assert.equal(finish.length, 3);
  for (const resolve of finish) resolve();
  assert.deepEqual(await w.settle(ending), { settled: 3, left: 0 });
  assert.equal(finish.length, 3);
  assert.equal(broker.offsets.get("g@orders@0"), 3);
  assert.equal(consumer.status().state, "stopped");
});

test("a listener is warned when the shutdown deadline nears; what still runs at it is left, uncommitted", async () => {
  const { w, broker } = stage();
  for (const body of ["heeds", "ignores", "quick"]) broker.store("orders", 0, body);
  const reasons: string[] = [];
  const consumer = await consuming(w, (message, { signal }) => {
    if (message.text() === "quick") return undefined;
    return new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason.code);
        if (message.text() === "heeds") resolve();
      });
    });
  });
  await w.until(() => consumer.status().listenersRunning === 2);
  const startedMs = w.world.nowMs;
  const ending = consumer.shutdown({ deadlineMs: 5_000 });
  assert.equal(consumer.shutdown({ deadlineMs: 1 }), ending);
  assert.deepEqual(await w.settle(ending), { settled: 1, left: 1 });
  assert.ok(w.world.nowMs - startedMs <= 5_000);
  assert.deepEqual(reasons, ["SHUT_DOWN", "SHUT_DOWN"]);
  assert.equal(broker.offsets.get("g@orders@0"), 1);
});

test("shutdown keeps its deadline when the broker does not answer any more", async () => {
  const { w, broker } = stage();
  const consumer = await consuming(w, () => {});
  broker.store("orders", 0, "x");
  await w.until(() => consumer.status().consumed === 1);
  broker.script = () => true;
  const startedMs = w.world.nowMs;
  await w.settle(consumer.shutdown({ deadlineMs: 2_000 }));
  assert.ok(w.world.nowMs - startedMs <= 2_300, String(w.world.nowMs - startedMs));
});

test("a consumer that was never started, or whose start failed, shuts down too", async () => {
  const { w } = stage();
  const consumer = consumerOf(w);
  consumer.listen("orders", () => {});
  assert.deepEqual(await w.settle(consumer.shutdown()), { settled: 0, left: 0 });
  assert.equal(((await w.failure(consumer.start())) as OrbitError).code, "SHUT_DOWN");
  w.world.kill(w.nameServerHost);
  const late = consumerOf(w, { startTimeoutMs: 2_000 });
  assert.equal(((await w.failure(late.start())) as OrbitError).code, "NAME_SERVER_UNREACHABLE");
  await w.settle(late.shutdown());
});

test("start rejects within its time naming every NameServer tried; shutdown ends a start that waits for ever", async () => {
  const { w } = stage();
  w.world.kill(w.nameServerHost);
  const namesrv = "ns:9876;elsewhere:9999";
  const startedMs = w.world.nowMs;
  const error = (await w.failure(consumerOf(w, { namesrv, startTimeoutMs: 3_000 }).start())) as OrbitError;
  assert.equal(error.code, "NAME_SERVER_UNREACHABLE");
  assert.match(error.message, /ns:9876/);
  assert.match(error.message, /elsewhere:9999/);
  assert.ok(w.world.nowMs - startedMs < 7_000);
  const patient = consumerOf(w, { namesrv, waitForever: true });
  const starting = patient.start().then(
    () => "started",
    (failure: OrbitError) => failure.code,
  );
  await w.run(60_000);
  assert.equal(patient.status().state, "starting");
  const stoppedMs = w.world.nowMs;
  await w.settle(patient.shutdown());
  assert.equal(await w.settle(starting), "SHUT_DOWN");
  assert.ok(w.world.nowMs - stoppedMs < 400, String(w.world.nowMs - stoppedMs));
});
