/** Transactions over sockets, on the real store of a simulated machine. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getProperty, MessageConst } from "@orbitmq/wire";
import { SimBroker } from "../testing/sim-broker.ts";
import {
  COMMIT,
  HALF_TOPIC,
  OP_TOPIC,
  PARKED_TOPIC,
  PRODUCERS,
  ROLLBACK,
  SimProducer,
  TOPIC,
} from "../testing/sim-producer.ts";

const RESUME = 323;

async function room(options = {}): Promise<{ sim: SimBroker; producer: SimProducer }> {
  const sim = await SimBroker.started({ defaultTopicQueueNums: 1, ...options });
  return { sim, producer: new SimProducer(sim) };
}

/** Bodies of the op records. */
const ops = (sim: SimBroker): Promise<string[]> => sim.bodies(OP_TOPIC);

describe("a transaction", () => {
  it("that is committed is seen once, with the properties of its half and its half's position", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a", { TAGS: "t" });
    assert.deepEqual(await sim.bodies(TOPIC), []);
    assert.equal((await producer.end(half, COMMIT)).code, 0);
    const [message, ...more] = await sim.messages(TOPIC);
    assert.equal(more.length, 0);
    assert.equal(Buffer.from(message!.body).toString(), "a");
    assert.equal(message!.sysFlag & 12, 8);
    assert.equal(message!.preparedTransactionOffset, half.position);
    const of = (name: string) => getProperty(message!.properties, name);
    assert.equal(of(MessageConst.REAL_TOPIC), TOPIC);
    assert.equal(of(MessageConst.TAGS), "t");
    assert.equal(of(MessageConst.TRANSACTION_ID), half.uniqKey);
    await sim.run(3_500);
    assert.deepEqual(await ops(sim), [`${half.queueOffset},`]);
  });

  it("that is rolled back is never seen; who waits for the answer has it on disk", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a");
    assert.equal((await producer.end(half, ROLLBACK)).code, 0);
    assert.deepEqual(await ops(sim), ["0,"]);
    sim.kill();
    await sim.start();
    await producer.online();
    await sim.run(120_000);
    assert.deepEqual(producer.checks, []);
    assert.deepEqual(await sim.bodies(TOPIC), []);
  });

  it("whose rollback fills the batch of ops is answered, too", async () => {
    const { sim, producer } = await room({ transactionOpMsgMaxSize: 2 });
    assert.equal((await producer.end(await producer.send("a"), ROLLBACK)).code, 0);
    assert.equal((await producer.end(await producer.send("b"), COMMIT)).code, 0);
    assert.deepEqual([await ops(sim), await sim.bodies(TOPIC)], [["0,", "1,"], ["b"]]);
  });

  it("is not ended twice, nor by another group, nor as another message, nor elsewhere", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a");
    const refused = async (state: number, more: Readonly<Record<string, string | number>>, why: RegExp) => {
      const answer = await producer.end(half, state, more);
      assert.equal(answer.code, 1);
      assert.match(answer.remark ?? "", why);
    };
    await refused(COMMIT, { producerGroup: "others" }, /another producer group/);
    await refused(COMMIT, { tranStateTableOffset: 7 }, /queue offset 0, not 7/);
    await refused(COMMIT, { commitLogOffset: half.position + 1 }, /no unfinished transaction/);
    await refused(COMMIT, { msgId: "KEY-of-another" }, /another message/);
    await refused(4, {}, /neither 8 \(commit\) nor 12/);
    assert.deepEqual(await sim.bodies(TOPIC), []);
    assert.equal((await producer.end(half, 0)).code, 0);
    assert.equal((await producer.end(half, COMMIT)).code, 0);
    await refused(COMMIT, {}, /no unfinished transaction/);
    await refused(ROLLBACK, {}, /no unfinished transaction/);
    sim.kill();
    await sim.start();
    await refused(COMMIT, {}, /no unfinished transaction/);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });

  it("is ended by checks only once its own immunity is over", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a", { CHECK_IMMUNITY_TIME_IN_SECONDS: "10" });
    await producer.online();
    await sim.run(9_000);
    assert.equal(producer.checks.length, 0);
    // Bodies are born at 1 ms since 1970 in this test: older than any immunity.
    assert.equal((await producer.end(half, COMMIT)).code, 604);
    assert.equal((await producer.end(half, COMMIT, { fromTransactionCheck: "true" })).code, 0);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });

  it("is refused where the broker takes none", async () => {
    const { producer } = await room({ rejectTransactionMessage: true });
    await assert.rejects(producer.send("a"), /16 .*forbidden/);
  });

  it("is delivered to a topic that topics.json no longer knows", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a");
    for (const name of sim.host.files.listSync("/store/config")) {
      if (name.startsWith("topics.json")) sim.host.files.unlinkSync(`/store/config/${name}`);
    }
    sim.kill();
    await sim.start();
    assert.equal((await producer.end(half, COMMIT)).code, 0);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    assert.equal((await sim.send(TOPIC, "b")).code, 0);
  });
});

describe("a transaction that nobody ends", () => {
  it("is checked after its immunity and then every interval, each time with a copy of its half", async () => {
    const { sim, producer } = await room();
    await producer.online();
    const half = await producer.send("a");
    await sim.run(5_900);
    assert.equal(producer.checks.length, 0);
    await sim.run(300);
    assert.deepEqual(
      producer.checks.map(({ body, topic, checkTimes, uniqKey }) => [body, topic, checkTimes, uniqKey]),
      [["a", TOPIC, 1, half.uniqKey]],
    );
    assert.ok(producer.checks[0]!.position > half.position);
    await sim.run(30_000);
    assert.deepEqual(
      producer.checks.map((check) => check.checkTimes),
      [1, 2],
    );
    producer.onCheck = () => COMMIT;
    await sim.run(30_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    await sim.run(100_000);
    assert.equal(producer.checks.length, 3);
    assert.deepEqual(await ops(sim), ["0,", "1,", "2,3,"]);
  });

  it("can still be ended by where its half lay first", async () => {
    const { sim, producer } = await room();
    await producer.online();
    const half = await producer.send("a");
    await sim.run(7_000);
    assert.equal(producer.checks.length, 1);
    assert.equal((await producer.end(half, COMMIT)).code, 0);
    assert.equal((await producer.end(producer.checks[0]!, COMMIT)).code, 1);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });

  it("is not checked, and no check counts, while no producer of its group is there", async () => {
    const { sim, producer } = await room({ transactionCheckMax: 2 });
    await producer.send("a");
    await producer.online("others");
    await sim.run(600_000);
    assert.deepEqual([producer.checks, await sim.bodies(PARKED_TOPIC)], [[], []]);
    assert.equal((await sim.bodies(HALF_TOPIC)).length, 1);
    producer.onCheck = () => ROLLBACK;
    await producer.online(PRODUCERS);
    await sim.run(31_000);
    assert.deepEqual(
      producer.checks.map(({ checkTimes }) => checkTimes),
      [1],
    );
  });

  it("is parked after the last check, never dropped, and can be resumed", async () => {
    const { sim, producer } = await room({ transactionCheckMax: 2, channelExpiredTimeout: 3_600_000 });
    await producer.online();
    await producer.send("a");
    await sim.run(120_000);
    assert.equal(producer.checks.length, 2);
    const [parked, ...more] = await sim.messages(PARKED_TOPIC);
    assert.equal(more.length, 0);
    const msgId = parked!.physicalOffset.toString(16).padStart(16, "0");
    const resume = (id: string) => sim.ask(RESUME, { msgId: id });
    assert.equal((await resume("x")).code, 1);
    const host = Buffer.from(parked!.storeHost).toString("hex");
    assert.match((await resume(host + "0".repeat(16))).remark ?? "", /no message of TRANS_CHECK_MAX/);
    assert.equal((await resume(host + msgId)).code, 0);
    assert.match((await resume(host + msgId)).remark ?? "", /being checked already/);
    producer.onCheck = () => COMMIT;
    await sim.run(10_000);
    assert.deepEqual(
      producer.checks.map(({ checkTimes }) => checkTimes),
      [1, 2, 1],
    );
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });

  it("is parked when it is older than fileReservedTime, checked or not", async () => {
    const { sim, producer } = await room({ fileReservedTime: 1 });
    await producer.send("a");
    await sim.run(3_500_000);
    assert.deepEqual(await sim.bodies(PARKED_TOPIC), []);
    await sim.run(200_000);
    assert.deepEqual(await sim.bodies(PARKED_TOPIC), ["a"]);
  });
});

describe("unfinished transactions", () => {
  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    it(`survive a kill -9 and a stop in order, those that are over stay over (${flushDiskType})`, async () => {
      const { sim, producer } = await room({ flushDiskType });
      const [a, b, c] = [await producer.send("a"), await producer.send("b"), await producer.send("c")];
      await producer.end(b, COMMIT);
      await sim.run(10_000);
      await producer.end(c, ROLLBACK);
      for (const end of ["kill", "stop", "kill"]) {
        if (end === "kill") sim.kill();
        else await sim.stop();
        await sim.start();
      }
      producer.onCheck = () => COMMIT;
      await producer.online();
      await sim.run(60_000);
      assert.deepEqual(
        producer.checks.map(({ body }) => body),
        ["a"],
      );
      assert.deepEqual(await sim.bodies(TOPIC), ["b", "a"]);
      assert.equal((await producer.end(a, COMMIT)).code, 1);
    });
  }

  it("whose commit is in the log are over, whenever the kill comes; the op is written after the start", async () => {
    const { sim, producer } = await room();
    const half = await producer.send("a");
    assert.equal((await producer.end(half, COMMIT)).code, 0);
    assert.deepEqual(await ops(sim), []);
    sim.kill();
    await sim.start();
    producer.onCheck = () => COMMIT;
    await producer.online();
    await sim.run(60_000);
    assert.deepEqual([producer.checks, await sim.bodies(TOPIC), await ops(sim)], [[], ["a"], ["0,"]]);
  });

  it("hold the progress of both queues back, and let it go when they are over", async () => {
    const { sim, producer } = await room();
    const progress = (): (number | undefined)[] => {
      const text = Buffer.from(readAll(sim, "/store/config/consumerOffset.json")).toString();
      return [HALF_TOPIC, OP_TOPIC].map((topic) => {
        const found = new RegExp(`"${topic}@CID_RMQ_SYS_TRANS":\\{\\s*0:(\\d+)`).exec(text);
        return found === null ? undefined : Number(found[1]);
      });
    };
    const first = await producer.send("first");
    for (const name of ["b", "c"]) await producer.end(await producer.send(name), COMMIT);
    await sim.stop();
    await sim.start();
    assert.deepEqual(progress(), [undefined, undefined]);
    await producer.end(first, COMMIT);
    await sim.run(20_000);
    assert.deepEqual(progress(), [3, 2]);
    await sim.stop();
    await sim.start();
    await producer.online();
    await sim.run(60_000);
    assert.deepEqual([producer.checks, await sim.bodies(TOPIC)], [[], ["b", "c", "first"]]);
  });
});

function readAll(sim: SimBroker, path: string): Uint8Array {
  return sim.host.files.readWholeSync(path) ?? new Uint8Array();
}
