/**
 * Timed messages under seeded kills, power losses, clock steps and lost files: none that was acknowledged is lost,
 * none comes before its time. ORBITMQ_FUZZ_RUNS
 * raises the number of runs.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import { SimBroker } from "../testing/sim-broker.ts";
import { timedSend } from "../testing/timed-send.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 1);
const TOPIC = "TopicTest";

interface Sent {
  readonly dueMs: number;
  readonly acknowledged: boolean;
}

/** The connection was one to a broker that is gone. */
function cutOff(error: Error): undefined {
  assert.match(error.message, /connection/);
}

function random(seed: number): (bound: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

type Blow = "kill" | "power" | "stop" | "wheel" | "log" | "check" | "clock" | "none";

async function strike(sim: SimBroker, blow: Blow, pick: (bound: number) => number): Promise<void> {
  if (blow === "none") return;
  if (blow === "clock") {
    sim.machine.stepWallClock((pick(2) === 0 ? -1 : 1) * pick(30_000));
    return;
  }
  if (blow === "stop") await sim.stop();
  else if (blow === "power") {
    sim.world.crash(sim.machine);
    sim.world.start(sim.machine);
  } else sim.kill();
  if (blow === "wheel" || blow === "log" || blow === "check") {
    const { files } = sim.world.spawn(sim.machine, "operator");
    if (blow === "wheel") files.unlinkSync("/store/timerwheel");
    if (blow === "check") for (const end of ["", ".bak"]) files.unlinkSync(`/store/config/timercheck${end}`);
    if (blow === "log" && files.statSync("/store/timerlog") !== undefined)
      for (const name of files.listSync("/store/timerlog")) files.unlinkSync(`/store/timerlog/${name}`);
  }
  await sim.run(pick(3_000));
  await sim.start();
}

async function ordeal(
  seed: number,
  blows: readonly Blow[],
  steps: number,
): Promise<{ sent: number; copies: number }> {
  const pick = random(seed);
  const sim = await SimBroker.started({ timerRollWindowSlot: 6, recallMessageEnable: true });
  const sent = new Map<string, Sent>();
  for (let step = 0; step < steps; step++) {
    for (let i = pick(8); i > 0; i--) {
      const body = `m${sent.size}`;
      const delayMs = pick(30_000);
      const dueMs = sim.host.clock.wallMs() + delayMs;
      sent.set(body, { dueMs, acknowledged: false });
      const answer = await timedSend(sim, TOPIC, body, { TIMER_DELIVER_MS: dueMs }).catch(cutOff);
      if (answer === undefined) continue;
      assert.equal(answer.code, 0);
      sent.set(body, { dueMs, acknowledged: true });
    }
    await sim.run(pick(4_000));
    await strike(sim, blows[pick(blows.length)]!, pick);
  }
  // A clock that was set back has to catch up first.
  await sim.run(120_000 + (blows.includes("clock") ? 400_000 : 0));
  const seen = new Map<string, number>();
  for (const { body, storeTimestamp } of await sim.messages(TOPIC)) {
    const name = Buffer.from(body).toString();
    const { dueMs } = sent.get(name)!;
    assert.ok(storeTimestamp >= dueMs, `seed ${seed}: ${name} came ${dueMs - storeTimestamp} ms early`);
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  const lost = [...sent].filter(([name, { acknowledged }]) => acknowledged && !seen.has(name));
  assert.deepEqual(lost, [], `seed ${seed}: lost`);
  await sim.stop();
  return { sent: sent.size, copies: [...seen.values()].reduce((sum, count) => sum + count, 0) };
}

it(`what is acknowledged comes, and not early, whatever ends the broker (${RUNS} runs)`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) await ordeal(seed, ["kill", "power", "stop", "none"], 8);
});

it(`what is acknowledged comes though wheel, log or check are lost in between (${RUNS} runs)`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) await ordeal(seed, ["wheel", "log", "check", "kill", "none"], 8);
});

it(`what is acknowledged comes, and not early, though the clock steps (${RUNS} runs)`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) await ordeal(seed, ["clock", "kill", "none"], 12);
});

it("restarts in order repeat nothing", async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { sent, copies } = await ordeal(seed, ["stop", "none"], 5);
    assert.equal(copies, sent);
  }
});

it("a message that was recalled does not come, its neighbours do", async () => {
  const sim = await SimBroker.started({ recallMessageEnable: true });
  for (const body of ["a", "b", "c"]) await timedSend(sim, TOPIC, body, { TIMER_DELAY_SEC: 5 });
  const { ext } = await timedSend(sim, TOPIC, "d", { TIMER_DELAY_SEC: 5 });
  const recall = { topic: TOPIC, recallHandle: ext.get("recallHandle")! };
  const answer = await sim.ask(RequestCode.RECALL_MESSAGE, recall);
  assert.deepEqual([answer.code, answer.ext.get("msgId")], [0, "key-d"]);
  sim.kill();
  await sim.start();
  await sim.run(10_000);
  assert.deepEqual(await sim.bodies(TOPIC), ["a", "b", "c"]);
  assert.equal((await sim.ask(RequestCode.RECALL_MESSAGE, recall)).code, 604);
  await sim.stop();
});
