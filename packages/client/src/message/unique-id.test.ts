import assert from "node:assert/strict";
import { test } from "node:test";
import { SimWorld } from "@orbitmq/host/sim";
import { newClientId } from "../connection/client-id.ts";
import { newUniqueIds } from "./unique-id.ts";

test("ids of two producers in one process differ, also when the wall clock steps back", async () => {
  const world = new SimWorld(3);
  const machine = world.addMachine("m");
  const host = world.spawn(machine, "p");
  const one = newUniqueIds(host);
  const two = newUniqueIds(host);
  const ids = new Set<string>();
  // The counter comes round after 65,536 ids: only the time keeps the next ones apart.
  for (let i = 0; i < 65_536; i++) ids.add(one.next()).add(two.next());
  await world.run(50);
  machine.stepWallClock(-50);
  for (let i = 0; i < 100; i++) ids.add(one.next()).add(two.next());
  assert.equal(ids.size, 2 * 65_636);
});

test("an id names the machine's address and the process", () => {
  const world = new SimWorld(3);
  const host = world.spawn(world.addMachine("m"), "p");
  const pid = host.process.pid.toString(16).toUpperCase().padStart(4, "0");
  assert.ok(newUniqueIds(host).next().startsWith(`0A000001${pid}`));
  assert.match(newClientId(host), new RegExp(`^10\\.0\\.0\\.1@${host.process.pid}#\\d+$`));
  assert.notEqual(newClientId(host), newClientId(host));
});
