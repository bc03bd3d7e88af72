/** What a start cannot read of transactions, and what it knows all the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimBroker } from "../testing/sim-broker.ts";
import { COMMIT, OP_TOPIC, SimProducer, TOPIC } from "../testing/sim-producer.ts";

const SETTLED_MS = 10_000;
const LOG = "/store/commitlog/00000000000000000000";

/** Its producer is not known to the broker yet: nothing is checked, and no half copied for it. */
async function room(): Promise<{ sim: SimBroker; producer: SimProducer }> {
  const sim = await SimBroker.started({ defaultTopicQueueNums: 1, transactionCheckInterval: 2_000 });
  return { sim, producer: new SimProducer(sim) };
}

/** Kills the broker, damages the record at `position`, and starts it on what is left; its producer commits what it is asked about. */
async function startDamaged(sim: SimBroker, producer: SimProducer, position: number): Promise<void> {
  await sim.run(SETTLED_MS);
  sim.kill();
  const file = sim.world.spawn(sim.machine, "damage").files.openSync(LOG);
  file.writeSync(Buffer.from("damage"), position + 50);
  file.closeSync();
  await sim.start();
  producer.onCheck = () => COMMIT;
  await producer.online();
  await sim.run(30_000);
}

const positionOf = (answer: { readonly ext: ReadonlyMap<string, string> }): number =>
  Number.parseInt(answer.ext.get("msgId")!.slice(-16), 16);

describe("a start that cannot read all of its transactions", () => {
  it("finds the commits behind a damaged record", async () => {
    const { sim, producer } = await room();
    sim.refuse(OP_TOPIC);
    const halves = [await producer.send("a"), await producer.send("b")];
    await producer.end(halves[0]!, COMMIT);
    const between = await sim.send("other", "damaged");
    await producer.end(halves[1]!, COMMIT);
    await startDamaged(sim, producer, positionOf(between));
    assert.deepEqual(producer.checks, []);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "b"]);
  });

  it("finds the commits whose ops are damaged, however old they are", async () => {
    const { sim, producer } = await room();
    await producer.send("unfinished");
    await producer.end(await producer.send("a"), COMMIT);
    await sim.run(SETTLED_MS);
    await producer.end(await producer.send("b"), COMMIT);
    await sim.run(SETTLED_MS);
    const [op] = await sim.messages(OP_TOPIC);
    await startDamaged(sim, producer, op!.physicalOffset);
    assert.deepEqual([...new Set(producer.checks.map(({ body }) => body))], ["unfinished"]);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "b", "unfinished"]);
  });

  it("goes on with the halves behind a damaged one", async () => {
    const { sim, producer } = await room();
    const first = await producer.send("damaged");
    await producer.send("a");
    await startDamaged(sim, producer, first.position);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });
});
