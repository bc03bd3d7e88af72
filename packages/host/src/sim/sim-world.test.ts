import assert from "node:assert/strict";
import { test } from "node:test";
import { SimWorld } from "./sim-world.ts";
import { oneProcess, text } from "./testing/one-process.ts";
import { twoEnds } from "./testing/two-ends.ts";

/** A little of everything, ended by its trace. */
async function busyRun(seed: number, lines?: string[]): Promise<string> {
  const options = {
    traceContents: true,
    ...(lines === undefined ? {} : { traceLine: (line: string) => lines.push(line) }),
  };
  const { world, near, far, client, server, serverMachine } = await twoEnds(seed, options);
  const file = server.files.openSync("/log", { create: true });
  let position = 0;
  const timer = client.timers.every(20, () => {
    near.connection.write([client.random.bytes(50)]);
    client.timers.afterTurn(() => near.connection.write([text("turn")]));
    far.connection.write([text("pong")]);
    file.writeSync(server.random.bytes(200), position);
    position += 200;
    file.fdatasync("log", () => {});
  });
  await world.run(1_000);
  timer.cancel();
  world.crash(serverMachine);
  serverMachine.stepWallClock(-3_600_000);
  world.start(serverMachine);
  await world.run(1_000);
  return world.trace.digest;
}

test("the same seed gives the same trace, bit for bit, also twice in one process", async () => {
  const first: string[] = [];
  const second: string[] = [];
  const digest = await busyRun(11, first);
  assert.equal(await busyRun(11, second), digest);
  assert.deepEqual(second, first);
  assert.ok(first.length > 300);
  assert.equal(await busyRun(11), digest, "recording the lines changes nothing");
});

test("another seed gives another trace", async () => {
  const digests = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) digests.add(await busyRun(seed));
  assert.equal(digests.size, 20);
});

test("the wall clock steps in both directions while monotonic time goes on", async () => {
  const { world, machine, host } = oneProcess(1);
  const wall = host.clock.wallMs();
  const monotonic = host.clock.monotonicMs();
  await world.run(1_000);
  machine.stepWallClock(-7_200_000);
  assert.equal(host.clock.wallMs(), wall + 1_000 - 7_200_000);
  machine.stepWallClock(10_800_000);
  assert.equal(host.clock.wallMs(), wall + 1_000 + 3_600_000);
  assert.equal(host.clock.monotonicMs(), monotonic + 1_000);
});

test("timers fire no earlier than asked, intervals repeat, cancelled ones never fire", async () => {
  const { world, host } = oneProcess(1);
  const fired: string[] = [];
  const start = host.clock.monotonicMs();
  const elapsed = () => host.clock.monotonicMs() - start;
  host.timers.after(10, () => {
    assert.ok(elapsed() >= 10 && elapsed() < 12);
    fired.push("after");
  });
  const cancelled = host.timers.after(5, () => assert.fail("cancelled"));
  cancelled.cancel();
  cancelled.cancel();
  let rounds = 0;
  const every = host.timers.every(100, () => {
    fired.push("every");
    if (++rounds === 3) every.cancel();
  });
  await world.run(1_000);
  assert.deepEqual(fired, ["after", "every", "every", "every"]);
});

test("afterTurn runs once what was ready is handled, and what it adds itself runs a turn later", async () => {
  const { world, host } = oneProcess(1);
  const log: string[] = [];
  host.timers.after(1, () => {
    host.timers.afterTurn(() => {
      log.push("first");
      host.timers.afterTurn(() => log.push("third"));
    });
    host.timers.afterTurn(() => log.push("second"));
    void Promise.resolve().then(() => log.push("microtask"));
  });
  await world.run(10);
  assert.deepEqual(log, ["microtask", "first", "second", "third"]);
});

test("no callback of a killed process ever runs", async () => {
  const { world, near, far, server } = await twoEnds(1);
  server.timers.after(100, () => assert.fail("a timer"));
  server.timers.every(100, () => assert.fail("an interval"));
  server.timers.afterTurn(() => assert.fail("a turn"));
  server.files.openSync("/log", { create: true }).fdatasync("log", () => assert.fail("a sync"));
  server.network.resolve("c1", () => assert.fail("a resolve"));
  server.network.connect({ host: "c1", port: 1 }, 100, () => assert.fail("a connect"));
  near.connection.write([text("data")]);
  far.connection.write([text("data")], () => assert.fail("a written"));
  world.kill(server);
  await world.run(10_000);
  assert.equal(far.closed, undefined);
  assert.equal(far.chunks.length, 0);
  assert.throws(() => server.timers.after(1, () => {}), /has ended/);
});

test("a paused process does nothing for a while, then everything in order", async () => {
  const { world, near, far, server } = await twoEnds(1);
  server.pause(5_000);
  near.connection.write([text("a")]);
  await world.run(100);
  near.connection.write([text("b")]);
  let timerMs = 0;
  const from = world.nowMs;
  server.timers.after(10, () => {
    timerMs = world.nowMs - from;
  });
  await world.run(3_000);
  assert.equal(far.chunks.join(""), "");
  await world.run(3_000);
  assert.equal(far.chunks.join(""), "ab");
  assert.ok(timerMs > 4_000);
});

test("what a process throws is told to the world with its process", async () => {
  const seen: string[] = [];
  const world = new SimWorld(1, {
    onUncaught: (host, error) => seen.push(`${host?.name}: ${(error as Error).message}`),
  });
  const host = world.spawn(world.addMachine("m"), "broker");
  host.timers.after(1, () => {
    throw new Error("oops");
  });
  await world.run(100);
  assert.deepEqual(seen, ["broker: oops"]);
});
