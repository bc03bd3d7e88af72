/** What was recalled does not come, whatever disk and clock do: over sockets, on a simulated machine. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queueOffset } from "@orbitmq/host";
import { RequestCode, readRecord } from "@orbitmq/wire";
import { TIMER_TOPIC } from "../names.ts";
import { SimBroker } from "../testing/sim-broker.ts";
import { timedSend } from "../testing/timed-send.ts";

const TOPIC = "TopicTest";

/** Sends one for `atMs` of the broker's clock; returns what takes it back. */
async function sent(sim: SimBroker, body: string, atMs: number): Promise<() => Promise<number>> {
  const { ext } = await timedSend(sim, TOPIC, body, { TIMER_DELIVER_MS: atMs });
  const recall = { topic: TOPIC, recallHandle: ext.get("recallHandle")! };
  return async () => (await sim.ask(RequestCode.RECALL_MESSAGE, recall)).code;
}

/** The next whole second that is `seconds` away. */
const secondIn = (sim: SimBroker, seconds: number): number =>
  Math.ceil(sim.host.clock.wallMs() / 1_000) * 1_000 + seconds * 1_000;

describe("a recall that is answered 0", () => {
  it("holds though its deletion is not on disk when the message is due", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true });
    const atMs = secondIn(sim, 5);
    const recall = await sent(sim, "a", atMs);
    await sent(sim, "b", atMs);
    await sim.run(atMs - 1_100 - sim.host.clock.wallMs());
    sim.machine.disk.syncSlowFactor = 8_000;
    const code = await recall();
    assert.ok(sim.host.clock.wallMs() > atMs, "the disk is slower than the message's time");
    sim.machine.disk.syncSlowFactor = 1;
    await sim.run(8_000);
    assert.equal(code, 0);
    assert.deepEqual(await sim.bodies(TOPIC), ["b"]);
    await sim.stop();
  });

  it("holds though its deletion cannot be put into the wheel when the message is due", async () => {
    // Room for three messages and a blank in a file of the log.
    const sim = await SimBroker.started({ recallMessageEnable: true, mappedFileSizeTimerLog: 3 * 52 + 16 });
    const atMs = secondIn(sim, 5);
    const recall = await sent(sim, "a", atMs);
    for (const body of ["b", "c"]) await sent(sim, body, atMs);
    await sim.run(1_000);
    sim.machine.disk.faults.failNext("open", (path) => path.includes("timerlog"), 10);
    assert.equal(await recall(), 0);
    await sim.run(atMs + 2_500 - sim.host.clock.wallMs());
    assert.deepEqual(await sim.bodies(TOPIC), [], "what was recalled is not known");
    await sim.run(10_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["b", "c"]);
    await sim.stop();
  });

  it("is none when the message came before the clock was set back, and a restart does not forget that", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true });
    const recall = await sent(sim, "a", secondIn(sim, 2));
    await sim.run(6_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    sim.machine.stepWallClock(-60_000);
    assert.equal(await recall(), 604);
    sim.kill();
    await sim.start();
    assert.equal(await recall(), 604);
    await sim.stop();
  });

  it("is none when the second of the message is over, though nothing was delivered in it, and the clock set back", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true });
    const { store } = sim;
    const append = store.append.bind(store);
    const recall = await sent(sim, "a", secondIn(sim, 2));
    store.append = () => ({ status: "refused", reason: "DISK_FULL", remark: "full" });
    await sim.run(6_000);
    sim.machine.stepWallClock(-60_000);
    store.append = append;
    assert.equal(await recall(), 604);
    await sim.run(3_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    await sim.stop();
  });

  it("holds though its deletion cannot be read for a moment when the message is due", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true });
    const { store } = sim;
    const atMs = secondIn(sim, 5);
    const recall = await sent(sim, "a", atMs);
    await sent(sim, "b", atMs);
    assert.equal(await recall(), 0);
    const recordAt = store.recordAt.bind(store);
    let failures = 3;
    store.recordAt = (offset, done) => {
      if (failures-- > 0) done(undefined, false);
      else recordAt(offset, done);
    };
    await sim.run(12_000);
    assert.ok(failures < 0);
    assert.deepEqual(await sim.bodies(TOPIC), ["b"]);
    await sim.stop();
  });

  it("holds though the timer's queue cannot be read where its deletion is while the message becomes due", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true });
    const { store } = sim;
    const atMs = secondIn(sim, 5);
    const recall = await sent(sim, "a", atMs);
    await sent(sim, "b", atMs);
    await sim.run(1_000);
    const get = store.get.bind(store);
    let isUnreadable = true;
    store.get = (request, done) =>
      get(request, (result) => {
        if (!isUnreadable || request.topic !== TIMER_TOPIC) return done(result);
        result.release();
        const nextBeginOffset = queueOffset(request.offset);
        done({
          ...result,
          slices: [],
          messageCount: 0,
          nextBeginOffset,
          heldAt: -1,
          release: () => undefined,
        });
      });
    assert.equal(await recall(), 0);
    await sim.run(atMs + 30_000 - sim.host.clock.wallMs());
    assert.deepEqual(await sim.bodies(TOPIC), [], "it may take back either of them");
    isUnreadable = false;
    await sim.run(12_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["b"]);
    await sent(sim, "c", secondIn(sim, 5));
    await sim.run(1_000);
    isUnreadable = true;
    await sent(sim, "d", secondIn(sim, 5));
    await sim.run(30_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["b"]);
    await sim.run(45_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["b", "c"], "that may last");
    await sim.stop();
  });

  it("holds though the message itself cannot be read for a moment when it is due", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true });
    const { store } = sim;
    const atMs = secondIn(sim, 5);
    const recall = await sent(sim, "a", atMs);
    await sent(sim, "b", atMs);
    assert.equal(await recall(), 0);
    const recordAt = store.recordAt.bind(store);
    let reads = 0;
    store.recordAt = (offset, done) => {
      reads++;
      // The first is the deletion.
      if (reads === 2) done(undefined, false);
      else recordAt(offset, done);
    };
    await sim.run(80_000);
    assert.ok(reads > 4);
    assert.deepEqual(await sim.bodies(TOPIC), ["b"]);
    await sim.stop();
  });

  it("holds though the message or its deletion cannot be read when it is to go round", async () => {
    for (const which of ["message", "deletion"]) {
      const sim = await SimBroker.started({ recallMessageEnable: true, timerRollWindowSlot: 6 });
      const { store } = sim;
      const atMs = secondIn(sim, 10);
      const recall = await sent(sim, "a", atMs);
      await sent(sim, "b", atMs);
      assert.equal(await recall(), 0);
      const recordAt = store.recordAt.bind(store);
      const unreadable: number[] = [];
      store.recordAt = (offset, done) =>
        recordAt(offset, (bytes, isDamaged) => {
          const properties = bytes === undefined ? "" : readRecord(Buffer.from(bytes)).properties;
          const deletes = properties.includes("TIMER_DEL_UNIQKEY");
          const isIt = unreadable.length === 0 && deletes === (which === "deletion");
          if (isIt) unreadable.push(offset);
          if (isIt) done(undefined, false);
          else done(bytes, isDamaged);
        });
      await sim.run(90_000);
      assert.equal(unreadable.length, 1);
      assert.deepEqual(await sim.bodies(TOPIC), ["b"], which);
      await sim.stop();
    }
  });

  it("holds after a kill -9 for a message that has gone round, though nothing of that was on disk", async () => {
    const sim = await SimBroker.started({
      recallMessageEnable: true,
      timerRollWindowSlot: 6,
      flushDiskType: "ASYNC_FLUSH",
    });
    const atMs = secondIn(sim, 8);
    const recall = await sent(sim, "a", atMs);
    await sim.run(5_000);
    assert.equal(await recall(), 0);
    await sim.run(4_500);
    assert.deepEqual(await sim.bodies(TOPIC), []);
    sim.kill();
    await sim.start();
    await sim.run(10_000);
    assert.deepEqual(await sim.bodies(TOPIC), []);
    await sim.stop();
  });

  it("holds for a message that has gone round, and both are overdue", async () => {
    const sim = await SimBroker.started({ recallMessageEnable: true, timerRollWindowSlot: 6 });
    const atMs = secondIn(sim, 20);
    const recall = await sent(sim, "a", atMs);
    await sent(sim, "b", atMs);
    await sim.run(2_500);
    assert.equal(await recall(), 0);
    await sim.run(500);
    sim.kill();
    await sim.run(60_000);
    await sim.start();
    await sim.run(10_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["b"]);
    await sim.stop();
  });
});
