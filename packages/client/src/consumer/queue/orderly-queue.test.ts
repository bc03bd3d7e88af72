import assert from "node:assert/strict";
import { test } from "node:test";
import { type OrderlyEntry, OrderlyQueue, type OrderlyStatus } from "./orderly-queue.ts";

/** Offsets 0, 1, 2, … with these attempts behind them. */
function queueOf(attempts: readonly number[], attemptsMax = 100): OrderlyQueue<string> {
  const queue = new OrderlyQueue<string>(0, attemptsMax);
  for (const [offset, times] of attempts.entries()) queue.add(offset, 10, `m${offset}`, times);
  return queue;
}

const take = (queue: OrderlyQueue<string>, max = 1) => queue.take((_, batch) => batch.length < max);
const names = (entries: readonly OrderlyEntry<string>[]) => entries.map(({ payload }) => payload).join(" ");

/** What each step does to a queue of four: taken, decided → committable offset, whether it rests, the next batch. */
function story(autoCommit: boolean, statuses: readonly OrderlyStatus[]): string[] {
  const queue = queueOf([0, 0, 0, 0]);
  return statuses.map((status) => {
    const batch = take(queue);
    const { pauses } = queue.decide(batch, status, autoCommit);
    return `${names(batch)} ${status} → ${queue.committableOffset}${pauses ? " rests" : ""}`;
  });
}

test("with automatic commit a success commits, and anything else brings the same message again after a rest", () => {
  assert.deepEqual(
    story(true, ["SUCCESS", "SUSPEND_CURRENT_QUEUE_A_MOMENT", "ROLLBACK", "COMMIT", "SUCCESS"]),
    [
      "m0 SUCCESS → 1",
      "m1 SUSPEND_CURRENT_QUEUE_A_MOMENT → 1 rests",
      "m1 ROLLBACK → 1 rests",
      "m1 COMMIT → 2",
      "m2 SUCCESS → 3",
    ],
  );
});

test("without automatic commit the offset stays until a commit, and a rollback brings everything since then again", () => {
  assert.deepEqual(
    story(false, [
      "SUCCESS",
      "SUCCESS",
      "ROLLBACK",
      "SUCCESS",
      "COMMIT",
      "SUCCESS",
      "SUSPEND_CURRENT_QUEUE_A_MOMENT",
    ]),
    [
      "m0 SUCCESS → 0",
      "m1 SUCCESS → 0",
      "m2 ROLLBACK → 0 rests",
      "m0 SUCCESS → 0",
      "m1 COMMIT → 2",
      "m2 SUCCESS → 2",
      "m3 SUSPEND_CURRENT_QUEUE_A_MOMENT → 2 rests",
    ],
  );
});

test("a message that failed too often goes back, and leaves the queue when the broker has it", () => {
  const queue = queueOf([2, 0], 2);
  const batch = take(queue);
  const { giveBack, pauses } = queue.decide(batch, "SUSPEND_CURRENT_QUEUE_A_MOMENT", true);
  assert.deepEqual([names(giveBack), pauses, queue.committableOffset], ["m0", false, 0]);
  queue.returned(giveBack[0]!, false);
  assert.deepEqual([giveBack[0]!.attempts, queue.committableOffset], [3, 0]);
  const again = queue.decide(take(queue), "SUSPEND_CURRENT_QUEUE_A_MOMENT", true);
  queue.returned(again.giveBack[0]!, true);
  assert.deepEqual([queue.committableOffset, queue.count, queue.bytes], [1, 1, 10]);
});

test("of a batch only those that failed too often go back, and the others come again", () => {
  const queue = queueOf([0, 2, 1], 2);
  const { giveBack, pauses } = queue.decide(take(queue, 3), "SUSPEND_CURRENT_QUEUE_A_MOMENT", true);
  assert.deepEqual([names(giveBack), pauses], ["m1", true]);
  queue.returned(giveBack[0]!, true);
  const next = take(queue, 3);
  assert.equal(names(next), "m0 m2");
  assert.deepEqual(
    next.map(({ attempts }) => attempts),
    [1, 2],
  );
  assert.equal(queue.committableOffset, 0);
});

test("an empty queue is committable where the next pull begins, and old offsets are ignored", () => {
  const queue = queueOf([0]);
  queue.advanceTo(5);
  queue.add(3, 10, "old", 0);
  assert.deepEqual([queue.count, queue.committableOffset, queue.nextOffset], [1, 0, 5]);
  queue.decide(take(queue), "SUCCESS", true);
  queue.advanceTo(2);
  assert.deepEqual([queue.committableOffset, queue.bytes, queue.span, queue.hasNext], [5, 0, 0, false]);
});

test("whatever a listener answers, the order is kept and the offset passes nothing that is not done", () => {
  const statuses = ["SUCCESS", "COMMIT", "ROLLBACK", "SUSPEND_CURRENT_QUEUE_A_MOMENT"] as const;
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed;
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const queue = new OrderlyQueue<number>(0, 3);
    const done = new Set<number>();
    let pulled = 0;
    let last = -1;
    for (let step = 0; step < 200; step++) {
      while (random(2) === 0) queue.add(pulled, 1, pulled++, 0);
      const batch = queue.take((_, before) => before.length < 1 + random(3));
      if (batch.length === 0) continue;
      const status = statuses[random(4)]!;
      const autoCommit = random(2) === 0;
      assert.ok(batch[0]!.payload <= last + 1, `seed ${seed}: ${batch[0]!.payload} after ${last}`);
      const { giveBack } = queue.decide(batch, status, autoCommit);
      if (status === "SUCCESS" || status === "COMMIT") {
        for (const { payload } of batch) done.add(payload);
        last = Math.max(last, batch.at(-1)!.payload);
      }
      for (const entry of giveBack) {
        const taken = random(2) === 0;
        queue.returned(entry, taken);
        if (taken) done.add(entry.payload);
        if (taken) last = Math.max(last, entry.payload);
      }
      for (let offset = 0; offset < queue.committableOffset; offset++)
        assert.ok(done.has(offset), `seed ${seed}`);
    }
  }
});
