/** Queue locks beside a disk: who was told of a lock has it through crashes of the broker and its machine. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { type SimHost, SimWorld } from "@orbitmq/host/sim";
import { StateFile } from "@orbitmq/store";
import type { MessageQueue } from "@orbitmq/wire";
import { formatLocks, LOCK_FILE, parseLocks } from "./lock-file.ts";
import { LockKeeper } from "./lock-keeper.ts";

const QUEUE: MessageQueue = { topic: "orders", brokerName: "broker-a", queueId: 0 };

function keeperOn(host: SimHost): LockKeeper {
  host.files.makeFolderSync("/config");
  host.files.syncFolderSync("/");
  const keeper = new LockKeeper({
    clock: host.clock,
    timers: host.timers,
    notifier: { groupChanged: () => undefined },
    rebalanceLockMaxLiveTime: 60_000,
    rebalanceLocksMax: 10,
    file: new StateFile(host, `/config/${LOCK_FILE}`, silentLogger),
  });
  keeper.load();
  return keeper;
}

/** What the client is told when it asks; undefined while nothing is. */
function ask(world: SimWorld, keeper: LockKeeper, clientId: string): { told: boolean | undefined } {
  const answer: { told: boolean | undefined } = { told: undefined };
  world.after(0, () => {
    keeper.lock("group", clientId, [QUEUE], (locked) => {
      answer.told = locked.length === 1;
    });
  });
  return answer;
}

describe("LockKeeper", () => {
  it("tells of a lock only when it would survive a power loss, and gives it to nobody else afterwards", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new SimWorld(seed);
      const machine = world.addMachine("broker");
      const first = ask(world, keeperOn(world.spawn(machine, "broker")), "a");
      for (let turns = 0; turns < 1_000 && first.told === undefined; turns++) await world.run(0.05);
      assert.equal(first.told, true);
      world.crash(machine);
      world.start(machine);
      const keeper = keeperOn(world.spawn(machine, "broker"));
      const other = ask(world, keeper, "b");
      const again = ask(world, keeper, "a");
      await world.run(50);
      assert.deepEqual([other.told, again.told], [false, true], `seed ${seed}`);
    }
  });

  it("lets a lock end 60 s after the start when its holder does not come back", async () => {
    const world = new SimWorld(1);
    const machine = world.addMachine("broker");
    const host = world.spawn(machine, "broker");
    ask(world, keeperOn(host), "a");
    await world.run(100);
    world.kill(host);
    const keeper = keeperOn(world.spawn(machine, "broker"));
    const before = ask(world, keeper, "b");
    await world.run(60_001);
    const after = ask(world, keeper, "b");
    await world.run(100);
    assert.deepEqual([before.told, after.told], [false, true]);
  });

  it("keeps nothing of a queue that was given back", async () => {
    const world = new SimWorld(1);
    const machine = world.addMachine("broker");
    const host = world.spawn(machine, "broker");
    const keeper = keeperOn(host);
    ask(world, keeper, "a");
    await world.run(100);
    world.after(0, () => keeper.unlock("group", "a", [QUEUE]));
    await world.run(100);
    world.kill(host);
    const other = ask(world, keeperOn(world.spawn(machine, "broker")), "b");
    await world.run(100);
    assert.equal(other.told, true);
  });

  it("answers although its file cannot be written", async () => {
    const world = new SimWorld(1);
    const machine = world.addMachine("broker");
    const keeper = keeperOn(world.spawn(machine, "broker"));
    machine.disk.faults.setNoSpaceFor((path) => path.includes(LOCK_FILE));
    const first = ask(world, keeper, "a");
    await world.run(100);
    const other = ask(world, keeper, "b");
    await world.run(100);
    assert.deepEqual([first.told, other.told], [true, false]);
  });

  it("reads the text it writes, and nothing else", () => {
    const held = [{ group: "g", clientId: "c", queue: QUEUE }];
    assert.deepEqual(parseLocks(formatLocks(held)), held);
    assert.deepEqual(parseLocks(formatLocks([])), []);
    for (const text of ["", "[]", '{"locks":[]}', '{"version":2,"locks":[]}', '{"version":1,"locks":[{}]}'])
      assert.throws(() => parseLocks(text));
  });
});
