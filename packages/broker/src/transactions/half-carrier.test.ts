/** Unfinished halves that are copied to the log's end before their part of it goes, or when starts would suffer. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimBroker } from "../testing/sim-broker.ts";
import { COMMIT, HALF_TOPIC, OP_TOPIC, SimProducer, TOPIC } from "../testing/sim-producer.ts";
import { CARRY_SPAN, HalfCarrier } from "./half-carrier.ts";
import { type Half, Halves } from "./halves.ts";
import { Unfinished } from "./unfinished.ts";

const HOURS_MS = 3 * 3_600_000;

/** The store forgets after an hour what the broker would keep for days, as forced cleaning does. */
async function room(): Promise<{ sim: SimBroker; producer: SimProducer }> {
  const sim = new SimBroker({ defaultTopicQueueNums: 1 }, 1, { fileReservedTime: 1 });
  await sim.start();
  return { sim, producer: new SimProducer(sim) };
}

async function removeOldest(sim: SimBroker): Promise<void> {
  const body = "x".repeat(60_000);
  for (let count = 0; count < 20; count++) await sim.send("filler", body);
  await sim.run(HOURS_MS);
  sim.store.deleteExpiredFiles();
  await sim.run(5_000);
}

const halfAt = (queueOffset: number): Half => ({
  ...{ queueOffset, physicalOffset: queueOffset * 100, group: "g", uniqKey: "k", bornTimestamp: 0 },
  ...{ storeTimestamp: 0, checkTimes: 0, isCopy: false, immunityMs: undefined, rootOffset: undefined },
  ...{ realTopic: "orders", realQueueId: 1 },
  identity: String(queueOffset),
});

describe("an unfinished half", () => {
  it("is carried on before its part of the log is removed, and ends by its check or by its old place", async () => {
    const { sim, producer } = await room();
    const halves = [await producer.send("a"), await producer.send("b"), await producer.send("c")];
    await removeOldest(sim);
    assert.ok(sim.store.status().minOffset > halves[2]!.position, "their part of the log is gone");
    assert.equal(sim.store.minOffset(HALF_TOPIC, 0), 3);
    assert.equal(sim.store.readableEnd(HALF_TOPIC, 0), 6);
    assert.equal((await producer.end(halves[1]!, COMMIT)).code, 0, "by its old place");
    sim.kill();
    await sim.start();
    producer.onCheck = () => COMMIT;
    await producer.online().catch(() => producer.online());
    await sim.run(60_000);
    assert.deepEqual((await sim.bodies(TOPIC)).sort(), ["a", "b", "c"]);
    assert.deepEqual(
      producer.checks.map(({ checkTimes }) => checkTimes),
      [1, 1],
      "to be carried counts as no check",
    );
  });

  it("is unfinished once, though a crash comes between its copy and the op of its old place", async () => {
    const { sim, producer } = await room();
    await producer.send("a");
    sim.refuse(OP_TOPIC);
    await removeOldest(sim);
    sim.kill();
    await sim.start();
    producer.onCheck = () => COMMIT;
    await producer.online().catch(() => producer.online());
    await sim.run(120_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    assert.equal(producer.checks.length, 1);
  });

  it("that was carried is known by its copy, until the op of its old place is there, too", () => {
    const at = (queueOffset: number, isCopy: boolean) => ({
      half: { ...halfAt(queueOffset), isCopy, identity: "the same" },
      rootPosition: undefined,
    });
    const unfinished = new Unfinished(() => false);
    for (const logged of [at(0, false), at(1, false), at(2, true)]) unfinished.add(logged);
    const { open, lackingOps } = unfinished.result(new Set());
    // Two halves of one message, as its producer may send it: one of them was carried.
    assert.deepEqual(
      open.map(({ half }) => half.queueOffset),
      [1, 2],
    );
    assert.deepEqual(lackingOps, [0]);
  });

  it("that cannot be carried keeps its part of the log", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a");
    const { store } = sim;
    const append = store.append.bind(store);
    let isFull = false;
    store.append = (message, durability, waiter) =>
      isFull && message.topic === HALF_TOPIC
        ? { status: "refused", reason: "DISK_FULL", remark: "full" }
        : append(message, durability, waiter);
    isFull = true;
    await removeOldest(sim);
    assert.equal(store.status().minOffset, 0);
    isFull = false;
    store.deleteExpiredFiles();
    await sim.run(5_000);
    assert.ok(store.status().minOffset > half.position);
    assert.equal((await producer.end(half, COMMIT)).code, 0);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });

  it("is carried when each start would have to read all halves since for its sake", () => {
    const options = {
      transactionTimeOut: 1,
      transactionCheckInterval: 1,
      transactionCheckMax: 9,
      keptMs: 1e9,
    };
    const halves = new Halves(options);
    const now = { monotonicMs: 0, wallMs: 0 };
    const read: number[] = [];
    const carrier = new HalfCarrier({
      halves,
      ops: { flush: () => true },
      read: (transaction: { half: Half }, done: (record: undefined, isDamaged: boolean) => void) => {
        read.push(transaction.half.queueOffset);
        done(undefined, false);
      },
      putBack: () => undefined,
    } as never);
    for (let place = 0; place < CARRY_SPAN + 2_048; place++) {
      const transaction = halves.stored(halfAt(place));
      const arrived = halves.arrived(place, now);
      assert.equal(arrived.kind, "nothing");
      if (place > 2 && place !== CARRY_SPAN) halves.released([halves.finish(transaction)]);
      carrier.keepShort();
    }
    assert.deepEqual(read, [0, 1, 2], "the old ones, once");
  });
});
