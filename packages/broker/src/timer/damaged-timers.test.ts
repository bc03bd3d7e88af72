/** Timed messages whose records the disk has damaged. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import { SimBroker } from "../testing/sim-broker.ts";
import { timedSend } from "../testing/timed-send.ts";
import { formatDamagedTimers, parseDamagedTimers } from "./damaged-timers.ts";

const TOPIC = "TopicTest";
const LIST = "/store/config/orbitmq-timer-damaged.json";

async function withTimers(): Promise<SimBroker> {
  const sim = await SimBroker.started({ timerKeptRetryMs: 5_000 });
  for (const body of ["first", "second", "third"]) await timedSend(sim, TOPIC, body, { TIMER_DELAY_SEC: 30 });
  await sim.run(3_000);
  await sim.stop();
  return sim;
}

/** Changes what the log has of the message, or changes it back; the broker is down. */
function flip(sim: SimBroker, body: string): void {
  const { files } = sim.world.spawn(sim.machine, "disk");
  const log = files.openSync("/store/commitlog/00000000000000000000");
  const bytes = Buffer.alloc(64 * 1024);
  log.readSync(bytes, 0);
  const flipped = bytes.indexOf(`\0${body.slice(1)}`);
  const at = flipped < 0 ? bytes.indexOf(body) : flipped;
  assert.ok(at > 0);
  log.writeSync(Buffer.from([bytes[at] === 0 ? body.charCodeAt(0) : 0]), at);
  log.fdatasyncSync();
  log.closeSync();
}

function listed(sim: SimBroker): number {
  const { files } = sim.world.spawn(sim.machine, "reader");
  if (files.statSync(LIST) === undefined) return 0;
  const file = files.openSync(LIST);
  const bytes = Buffer.alloc(4_096);
  const count = file.readSync(bytes, 0);
  file.closeSync();
  return parseDamagedTimers(bytes.subarray(0, count).toString()).damaged.length;
}

async function counted(sim: SimBroker): Promise<string[]> {
  const info = (await sim.ask(RequestCode.GET_BROKER_RUNTIME_INFO)).body.toString();
  return ["Kept", "Damaged", "Delivered"].map(
    (name) => /"(\d+)"/.exec(info.slice(info.indexOf(`timer${name}`)))![1]!,
  );
}

describe("a timed message that is damaged in the log", () => {
  it("is tried once more, then listed and left alone; the others come, and it does when the disk gives it right", async () => {
    const sim = await withTimers();
    flip(sim, "second");
    await sim.start();
    await sim.run(600_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["first", "third"]);
    assert.deepEqual(await counted(sim), ["1", "1", "2"]);
    assert.equal(listed(sim), 1);
    await sim.stop();
    await sim.start();
    await sim.run(5_000);
    assert.deepEqual(await counted(sim), ["0", "1", "0"], "still damaged");
    await sim.stop();
    flip(sim, "second");
    await sim.start();
    assert.equal(listed(sim), 0);
    sim.kill();
    await sim.start();
    await sim.run(5_000);
    // A crash may repeat what was delivered in the second before it.
    assert.deepEqual(new Set(await sim.bodies(TOPIC)), new Set(["first", "third", "second"]));
  });

  it("does not come when it was taken back, though its deletion was there before it could be read", async () => {
    const sim = await SimBroker.started({ timerKeptRetryMs: 5_000, recallMessageEnable: true });
    const handles: string[] = [];
    for (const body of ["first", "second", "third"]) {
      const { ext } = await timedSend(sim, TOPIC, body, { TIMER_DELAY_SEC: 30 });
      handles.push(ext.get("recallHandle")!);
    }
    const recall = { topic: TOPIC, recallHandle: handles[1]! };
    assert.equal((await sim.ask(RequestCode.RECALL_MESSAGE, recall)).code, 0);
    await sim.run(3_000);
    await sim.stop();
    flip(sim, "second");
    await sim.start();
    await sim.run(600_000);
    assert.equal(listed(sim), 1);
    await sim.stop();
    flip(sim, "second");
    await sim.start();
    await sim.run(60_000);
    assert.equal(listed(sim), 0);
    assert.deepEqual(await sim.bodies(TOPIC), ["first", "third"]);
    await sim.stop();
  });

  it("does not hold up the others before it is in the wheel, either", async () => {
    const sim = await withTimers();
    flip(sim, "first");
    sim.world.spawn(sim.machine, "operator").files.unlinkSync("/store/timerwheel");
    await sim.start();
    await sim.run(15_000);
    assert.equal(listed(sim), 1);
    await sim.run(60_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["second", "third"]);
    sim.kill();
    flip(sim, "first");
    await sim.start();
    await sim.run(5_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["second", "third", "first"]);
  });

  it("is listed in a file that can be read again, of this version only", () => {
    const file = { carriedTo: 2 ** 41, damaged: [{ position: 2 ** 40, dueMs: -1, foundMs: 5 }] };
    assert.deepEqual(parseDamagedTimers(formatDamagedTimers(file)), file);
    assert.throws(() => parseDamagedTimers('{"version":2,"damaged":[]}'), { code: "JSON_MALFORMED" });
    assert.throws(() => parseDamagedTimers("{"), { code: "JSON_MALFORMED" });
  });
});
