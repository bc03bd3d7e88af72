/** Pops on the real store of a simulated machine: over sockets, through kill -9 and restarts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import { GROUP, named, type Popped, poppedOf, RETRY_TOPIC, TOPIC } from "../testing/pop-room.ts";
import { type SimAnswer, SimBroker } from "../testing/sim-broker.ts";

const POP = {
  consumerGroup: GROUP,
  topic: TOPIC,
  queueId: -1,
  maxMsgNums: 32,
  invisibleTime: 60_000,
  pollTime: 0,
  bornTime: 0,
  initMode: 0,
};

async function withMessages(bodies: readonly string[], options = {}): Promise<SimBroker> {
  const sim = await SimBroker.started({ popFromRetryProbability: 0, ...options });
  for (const body of bodies) assert.equal((await sim.send(TOPIC, body)).code, 0);
  return sim;
}

async function pop(sim: SimBroker, fields: object = {}): Promise<Popped[]> {
  const answer = await sim.ask(RequestCode.POP_MESSAGE, { ...POP, ...fields });
  assert.ok([0, 210].includes(answer.code), `${answer.code} ${answer.remark}`);
  return poppedOf({ ...answer, ext: new Map(answer.ext) });
}

const bodies = (popped: readonly Popped[]): string[] => popped.map(({ body }) => body);

function ack(sim: SimBroker, popped: Popped): Promise<SimAnswer> {
  return sim.ask(RequestCode.ACK_MESSAGE, named(popped));
}

async function killed(sim: SimBroker): Promise<void> {
  sim.kill();
  await sim.start();
}

describe("popped messages", () => {
  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    it(`come again after a kill -9, at their time, except what was acknowledged (${flushDiskType})`, async () => {
      const sim = await withMessages(["a", "b", "c"], { flushDiskType });
      const popped = await pop(sim);
      assert.deepEqual(bodies(popped), ["a", "b", "c"]);
      // Long enough for the checkpoints to be synced, and then the offsets to be written.
      await sim.run(20_000);
      assert.equal((await ack(sim, popped[1]!)).code, 0);
      await killed(sim);
      assert.deepEqual(await pop(sim), []);
      await sim.run(35_000);
      assert.deepEqual(await pop(sim), []);
      await sim.run(6_000);
      assert.deepEqual(bodies(await pop(sim)), ["a", "c"]);
    });
  }

  it("can be acknowledged with the handles of before a restart", async () => {
    const sim = await withMessages(["a", "b"]);
    const [a, b] = await pop(sim);
    await sim.run(10_000);
    await killed(sim);
    assert.equal((await ack(sim, a!)).code, 0);
    await sim.stop();
    await sim.start();
    assert.equal((await ack(sim, b!)).code, 0);
    await sim.run(120_000);
    assert.deepEqual(await pop(sim), []);
    assert.deepEqual(await sim.bodies(RETRY_TOPIC), []);
  });

  it("come again once each, however often the broker is restarted in order", async () => {
    const sim = await withMessages(["a", "b"]);
    // Long invisible: it holds the revive log's progress back.
    await pop(sim, { maxMsgNums: 1, invisibleTime: 3_600_000 });
    await pop(sim, { maxMsgNums: 1, invisibleTime: 5_000 });
    await sim.run(6_000);
    for (let i = 0; i < 3; i++) {
      await sim.stop();
      await sim.start();
      await sim.run(10_000);
    }
    assert.deepEqual(await sim.bodies(RETRY_TOPIC), ["b"]);
    await sim.run(3_600_000);
    assert.deepEqual(await sim.bodies(RETRY_TOPIC), ["b", "a"]);
  });

  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    it(`stay invisible when the broker is killed before offsets are written, and what was acknowledged stays away (${flushDiskType})`, async () => {
      const sim = await withMessages(["a", "b", "c", "d"], { flushDiskType });
      const [a] = await pop(sim, { maxMsgNums: 2 });
      assert.equal((await ack(sim, a!)).code, 0);
      assert.deepEqual(bodies(await pop(sim, { maxMsgNums: 1 })), ["c"]);
      await killed(sim);
      assert.deepEqual(bodies(await pop(sim)), ["d"]);
      assert.deepEqual(await pop(sim), []);
      await killed(sim);
      await sim.run(55_000);
      assert.deepEqual(await pop(sim), []);
      await sim.run(6_000);
      assert.deepEqual(bodies(await pop(sim)), ["b", "c", "d"]);
    });
  }

  it("come at once after a kill -9 when their group was reset to before them", async () => {
    const sim = await withMessages(["a", "b", "c"]);
    const [a] = await pop(sim);
    assert.equal((await ack(sim, a!)).code, 0);
    const reset = { consumerGroup: GROUP, topic: TOPIC, group: GROUP, timestamp: -1, isForce: true };
    const answer = await sim.ask(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, {
      ...reset,
      offset: 0,
      queueId: 0,
    });
    assert.equal(answer.code, 0, answer.remark);
    await sim.run(100);
    await killed(sim);
    assert.deepEqual(bodies(await pop(sim)), ["a", "b", "c"]);
  });

  it("come again though subscriptionGroup.json was lost meanwhile, when their time is over before the group is back", async () => {
    const sim = await withMessages(["a"]);
    await pop(sim);
    await sim.run(20_000);
    const { files } = sim.host;
    for (const name of files.listSync("/store/config")) {
      if (name.startsWith("subscriptionGroup.json")) files.unlinkSync(`/store/config/${name}`);
    }
    await killed(sim);
    await sim.run(60_000);
    assert.deepEqual(bodies(await pop(sim)), ["a"]);
  });

  it("in order are given again to nobody else after a restart in order", async () => {
    const sim = await withMessages(["a", "b"]);
    const order = { order: true, queueId: 0, maxMsgNums: 1 };
    const [a] = await pop(sim, order);
    await sim.stop();
    await sim.start();
    assert.deepEqual(await pop(sim, order), []);
    assert.equal((await ack(sim, a!)).code, 0);
    assert.deepEqual(bodies(await pop(sim, order)), ["b"]);
  });

  it("wait for a message over the socket, also for one that comes again", async () => {
    const sim = await withMessages(["a"]);
    await pop(sim, { invisibleTime: 3_000 });
    assert.deepEqual(bodies(await pop(sim, { pollTime: 5_000 })), ["a"]);
  });
});
