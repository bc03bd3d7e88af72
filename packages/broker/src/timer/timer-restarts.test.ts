/** Timed messages on the real store of a simulated machine: over sockets, through kill -9, restarts and clock steps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getProperty, RequestCode } from "@orbitmq/wire";
import { SimBroker } from "../testing/sim-broker.ts";
import { timedSend } from "../testing/timed-send.ts";

const TOPIC = "TopicTest";

const timed = (sim: SimBroker, body: string, properties: Readonly<Record<string, string | number>>) =>
  timedSend(sim, TOPIC, body, properties);

describe("timed messages", () => {
  it("are delivered in their second, never before it, in the order of their times", async () => {
    const sim = await SimBroker.started();
    const now = sim.host.clock.wallMs();
    assert.equal((await timed(sim, "c", { TIMER_DELAY_SEC: 9 })).code, 0);
    assert.equal((await timed(sim, "a", { TIMER_DELAY_MS: 3_000 })).code, 0);
    assert.equal((await timed(sim, "b", { TIMER_DELIVER_MS: now + 6_000 })).code, 0);
    await sim.run(15_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "b", "c"]);
    const due = [3_000, 6_000, 9_000];
    for (const [index, { storeTimestamp }] of (await sim.messages(TOPIC)).entries()) {
      const late = storeTimestamp - (now + due[index]!);
      assert.ok(late >= 0 && late <= 1_200, `${late} ms after its time`);
    }
    const [first] = await sim.messages(TOPIC);
    assert.ok(getProperty(first!.properties, "TIMER_DEQUEUE_MS") !== undefined);
    assert.equal(getProperty(first!.properties, "REAL_TOPIC"), TOPIC);
  });

  it("survive a start that cannot read any of them, when the disk gives them right again", async () => {
    const sim = await SimBroker.started();
    await timed(sim, "a", { TIMER_DELAY_SEC: 60 });
    await sim.run(10_000);
    await sim.send("other", "behind it");
    const [stored] = await sim.messages("rmq_sys_wheel_timer");
    sim.kill();
    const log = sim.world.spawn(sim.machine, "disk").files.openSync("/store/commitlog/00000000000000000000");
    const right = Buffer.alloc(8);
    const at = stored!.physicalOffset + 50;
    log.readSync(right, at);
    log.writeSync(Buffer.from("damaged!"), at);
    await sim.start();
    log.writeSync(right, at);
    await sim.run(70_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    log.closeSync();
    await sim.stop();
  });

  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    it(`survive a kill -9 before their time, once each (${flushDiskType})`, async () => {
      const sim = await SimBroker.started({ flushDiskType });
      for (let i = 0; i < 20; i++) await timed(sim, `m${i}`, { TIMER_DELAY_SEC: 20 + (i % 5) });
      await sim.run(1_000);
      sim.kill();
      await sim.start();
      await sim.run(5_000);
      sim.kill();
      await sim.start();
      await sim.run(40_000);
      assert.deepEqual(
        (await sim.bodies(TOPIC)).sort(),
        Array.from({ length: 20 }, (_, i) => `m${i}`).sort(),
      );
    });
  }

  it("are delivered at once when their time came while the broker was down", async () => {
    const sim = await SimBroker.started();
    await timed(sim, "a", { TIMER_DELAY_SEC: 20 });
    await sim.run(3_000);
    await sim.stop();
    await sim.run(60_000);
    await sim.start();
    await sim.run(100);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
  });

  for (const lost of [["timerwheel"], ["timerlog"], ["config/timercheck", "config/timercheck.bak"]]) {
    it(`are all there though ${lost[0]} is lost, and those delivered are not delivered again if the check is there`, async () => {
      const sim = await SimBroker.started();
      await timed(sim, "early", { TIMER_DELAY_SEC: 3 });
      for (let i = 0; i < 9; i++) await timed(sim, `m${i}`, { TIMER_DELAY_SEC: 40 + i });
      await sim.run(10_000);
      assert.deepEqual(await sim.bodies(TOPIC), ["early"]);
      await sim.stop();
      const { files } = sim.world.spawn(sim.machine, "operator");
      for (const name of lost) {
        const path = `/store/${name}`;
        if (files.statSync(path)?.isFolder === true) {
          for (const file of files.listSync(path)) files.unlinkSync(`${path}/${file}`);
        } else files.unlinkSync(path);
      }
      await sim.start();
      await sim.run(80_000);
      const again = lost[0] === "config/timercheck" ? ["early"] : [];
      const rest = Array.from({ length: 9 }, (_, i) => `m${i}`);
      assert.deepEqual(await sim.bodies(TOPIC), ["early", ...again, ...rest]);
    });
  }

  it("that cannot be delivered are tried again, through a kill, and hold up none", async () => {
    const sim = await SimBroker.started({ timerKeptRetryMs: 5_000 });
    const refuse = (): void => {
      const { store } = sim;
      const append = store.append.bind(store);
      store.append = (message, durability, waiter) =>
        message.topic === TOPIC && Buffer.from(message.body).toString() === "b"
          ? { status: "refused", reason: "MESSAGE_ILLEGAL", remark: "too large" }
          : append(message, durability, waiter);
    };
    refuse();
    for (const body of ["a", "b", "c"]) await timed(sim, body, { TIMER_DELAY_SEC: 3 });
    await sim.run(9_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "c"]);
    const info = await sim.ask(RequestCode.GET_BROKER_RUNTIME_INFO);
    assert.match(info.body.toString(), /"timerKept":"[12]"/);
    sim.kill();
    await sim.start();
    refuse();
    await sim.run(12_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "c"]);
    sim.kill();
    await sim.start();
    await sim.run(15_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "c", "b"]);
  });

  it("that the store as a whole refuses wait for it, and then come in order", async () => {
    const sim = await SimBroker.started();
    for (const body of ["a", "b", "c"]) await timed(sim, body, { TIMER_DELAY_SEC: 3 });
    const { store } = sim;
    const append = store.append.bind(store);
    store.append = () => ({ status: "refused", reason: "DISK_FULL", remark: "full" });
    await sim.run(9_000);
    assert.deepEqual(await sim.bodies(TOPIC), []);
    store.append = append;
    await sim.run(2_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a", "b", "c"]);
  });

  it("with properties as long as may be come without the broker's own", async () => {
    const sim = await SimBroker.started();
    const filler = "x".repeat(32_767 - 250);
    assert.equal((await timed(sim, "a", { filler, TIMER_DELAY_SEC: 2 })).code, 0);
    await sim.run(6_000);
    const [message] = await sim.messages(TOPIC);
    assert.equal(getProperty(message!.properties, "filler"), filler);
  });

  it("beyond the window go round, and come in their second", async () => {
    const sim = await SimBroker.started({ timerRollWindowSlot: 4 });
    const dueMs = sim.host.clock.wallMs() + 30_000;
    await timed(sim, "a", { TIMER_DELIVER_MS: dueMs });
    await sim.run(40_000);
    const [message, ...more] = await sim.messages(TOPIC);
    assert.deepEqual(more, []);
    assert.ok(message!.storeTimestamp >= dueMs && message!.storeTimestamp <= dueMs + 1_200);
    assert.ok(Number(getProperty(message!.properties, "TIMER_ROLL_TIMES")) >= 6);
  });
});
