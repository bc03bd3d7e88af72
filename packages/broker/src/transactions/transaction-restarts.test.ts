/** A broker with transactions, killed after every append in turn: afterwards each is committed once, or never was. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimBroker } from "../testing/sim-broker.ts";
import { COMMIT, PARKED_TOPIC, ROLLBACK, SimProducer, TOPIC } from "../testing/sim-producer.ts";

/** What becomes of a transaction, by the first letter of its body. */
const ends: Readonly<Record<string, number>> = { c: COMMIT, r: ROLLBACK, u: 0 };
const BODIES = ["c1", "u1", "r1", "c2"];

/** The client finds out that its connection is gone by using it. */
async function backOnline(producer: SimProducer): Promise<void> {
  await producer.online().catch(() => producer.online());
}

async function life(options: object, killAfter: number, powerIsLost: boolean): Promise<boolean> {
  const sim = new SimBroker({ defaultTopicQueueNums: 1, transactionCheckInterval: 2_000, ...options });
  await sim.start();
  const producer = new SimProducer(sim);
  let appends = 0;
  let killed = false;
  const { store } = sim;
  const append = store.append.bind(store);
  store.append = (...message) => {
    const result = append(...message);
    if (++appends === killAfter) {
      killed = true;
      // Some way behind the append: before it is durable, or while it is.
      sim.world.after((killAfter % 4) / 2, () => (powerIsLost ? sim.world.crash(sim.machine) : sim.kill()));
    }
    return result;
  };
  const acknowledged = new Set<string>();
  const work = (async () => {
    await producer.online();
    for (const body of BODIES) {
      const half = await producer.send(body);
      acknowledged.add(body);
      if (ends[body[0]!]! > 0) producer.endOneway(half, ends[body[0]!]!);
      await sim.run(200);
    }
    await sim.run(8_500);
  })().catch(() => undefined);
  await work;
  if (!killed) return false;
  if (powerIsLost) sim.world.start(sim.machine);
  await sim.start();
  producer.onCheck = ({ body }) => (body.startsWith("r") ? ROLLBACK : COMMIT);
  await backOnline(producer);
  await sim.run(30_000);
  const found = await sim.bodies(TOPIC);
  assert.equal(new Set(found).size, found.length, `after ${killAfter}: ${found}`);
  for (const body of acknowledged) {
    assert.equal(found.includes(body), !body.startsWith("r"), `after ${killAfter}: ${body} among ${found}`);
  }
  assert.ok(found.every((body) => !body.startsWith("r")));
  assert.deepEqual(await sim.bodies(PARKED_TOPIC), []);
  // All is over, also for the next start.
  const { checks } = producer;
  const seen = checks.length;
  sim.kill();
  await sim.start();
  await backOnline(producer);
  await sim.run(20_000);
  assert.equal(checks.length, seen, `after ${killAfter}: checked again`);
  assert.deepEqual(await sim.bodies(TOPIC), found);
  return true;
}

describe("transactions of a broker that is ended after any append", () => {
  for (const [how, options, powerIsLost, step] of [
    ["killed", {}, false, 2],
    ["killed, under ASYNC_FLUSH", { flushDiskType: "ASYNC_FLUSH" }, false, 3],
    ["without power", {}, true, 2],
  ] as const) {
    it(`are committed once or never (${how})`, async () => {
      let appends = 1;
      while (await life(options, appends, powerIsLost)) appends += step;
      assert.ok(appends >= 10, `${appends}`);
    });
  }
});
