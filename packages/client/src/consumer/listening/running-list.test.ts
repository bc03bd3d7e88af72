import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@orbitmq/host/sim";
import { NO_NAMESPACE } from "../../names/namespace.ts";
import { ListenerRun, type RunSource } from "./listener-run.ts";
import { RunningList } from "./running-list.ts";

const source = {} as RunSource;
const newRun = (startedMs: number) => new ListenerRun("g", NO_NAMESPACE, source, [], startedMs);

test("runs stay in the order they began, whichever of them end", () => {
  const random = new SeededRandom(3, "running-list");
  const list = new RunningList();
  const model = new Set<ListenerRun>();
  for (let step = 0; step < 5_000; step++) {
    if (random.int(2) === 0 && model.size < 30) {
      const run = newRun(step);
      list.add(run);
      model.add(run);
    } else if (model.size > 0) {
      const run = [...model][random.int(model.size)]!;
      list.delete(run);
      model.delete(run);
    }
    assert.deepEqual(
      list.all.map(({ startedMs }) => startedMs),
      [...model].map(({ startedMs }) => startedMs),
    );
    assert.equal(list.size, model.size);
    assert.equal(list.oldest, [...model][0]);
  }
});

test("whoever works through the runs may end them", () => {
  const list = new RunningList();
  for (let i = 0; i < 4; i++) list.add(newRun(i));
  for (const run of list.all) list.delete(run);
  assert.equal(list.size, 0);
  assert.equal(list.oldest, undefined);
});
