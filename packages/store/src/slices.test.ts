import assert from "node:assert/strict";
import { it } from "node:test";
import { SlicedWork, type Slices } from "./slices.ts";
import { FakeHost } from "./testing/fake-host.ts";

it("work that is stopped from within one of its slices ends at the next place where it may, once", () => {
  const host = new FakeHost();
  const work = new SlicedWork(host.timers);
  const reason = new Error("stopped");
  const seen: string[] = [];
  const slices = function* (): Slices<void> {
    try {
      yield;
      work.stop(reason);
      seen.push("went on to the end of the slice");
      yield;
      seen.push("went on");
    } finally {
      seen.push("put away");
    }
  };
  work.run(slices(), (error) => seen.push(`ended: ${(error as Error | undefined)?.message}`));
  while (host.turn());
  assert.deepEqual(seen, ["went on to the end of the slice", "put away", "ended: stopped"]);
  work.run(slices(), () => seen.push("the next one may begin"));
});

it("work that is stopped from within its last slice has ended in order", () => {
  const host = new FakeHost();
  const work = new SlicedWork(host.timers);
  const ends: unknown[] = [];
  const slices = function* (): Slices<number> {
    yield;
    work.stop(new Error("stopped"));
    return 5;
  };
  work.run(slices(), (error, value) => ends.push(error ?? value));
  while (host.turn());
  assert.deepEqual(ends, [5]);
});
