import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Half, Halves } from "./halves.ts";

const HOUR_MS = 3_600_000;
const OPTIONS = {
  transactionTimeOut: 6_000,
  transactionCheckInterval: 30_000,
  transactionCheckMax: 2,
  keptMs: HOUR_MS,
};
const START = { monotonicMs: 0, wallMs: 1_000_000 };

function half(queueOffset: number, more: Partial<Half> = {}): Half {
  return {
    queueOffset,
    physicalOffset: queueOffset * 100 + 1_000,
    group: "g",
    uniqKey: `K${queueOffset}`,
    bornTimestamp: START.wallMs,
    storeTimestamp: START.wallMs,
    checkTimes: 0,
    isCopy: (more.checkTimes ?? 0) > 0,
    immunityMs: undefined,
    rootOffset: undefined,
    realTopic: "orders",
    realQueueId: 1,
    identity: `I${queueOffset}`,
    ...more,
  };
}

function endOf({ physicalOffset, queueOffset, uniqKey }: Half, commitOrRollback = 8) {
  return {
    topic: undefined,
    producerGroup: "g",
    tranStateTableOffset: queueOffset,
    commitLogOffset: physicalOffset,
    commitOrRollback,
    fromTransactionCheck: undefined,
    msgId: uniqKey,
    transactionId: uniqKey,
  };
}

const after = (ms: number) => ({ monotonicMs: ms, wallMs: START.wallMs + ms });

describe("Halves", () => {
  it("ends nothing that is not durable", () => {
    const halves = new Halves(OPTIONS);
    const first = half(0);
    halves.stored(first);
    const refused = halves.end(endOf(first), START);
    assert.match(refused.kind === "refuse" ? refused.remark : "", /not durable yet/);
    assert.equal(halves.firstDueMs, undefined);
    halves.arrived(0, START);
    assert.equal(halves.end(endOf(first), START).kind, "commit");
    assert.equal(halves.end(endOf(first), START).kind, "refuse");
  });

  it("does not end a later transaction that lies where an earlier one lay", () => {
    const halves = new Halves(OPTIONS);
    halves.stored(half(0));
    halves.arrived(0, START);
    const late = endOf(half(0, { uniqKey: "lost in a crash" }));
    assert.equal(halves.end(late, START).kind, "refuse");
    assert.equal(halves.end({ ...late, msgId: "" }, START).kind, "refuse");
    const byPlace = `${"0".repeat(16)}${(1_000).toString(16).padStart(16, "0")}`;
    assert.equal(halves.end({ ...late, msgId: byPlace }, START).kind, "commit");
  });

  it("takes a copy that is found behind what could not be read for what it is, and no second transaction", () => {
    const halves = new Halves(OPTIONS);
    halves.hold(0);
    halves.found(half(0), undefined, START);
    const copy = half(2, { checkTimes: 2, identity: "I0", uniqKey: "K0" });
    halves.hold(2);
    assert.equal(halves.copyFound(copy), 0);
    assert.equal(halves.size, 1);
    const older = half(1, { checkTimes: 1, identity: "I0", uniqKey: "K0" });
    assert.equal(halves.copyFound(older), 1);
    assert.equal(halves.copyFound(half(3)), undefined, "no copy");
    assert.equal(halves.copyFound(half(3, { checkTimes: 1 })), undefined, "of no unfinished half");
    const decision = halves.end(endOf(half(0)), START);
    assert.ok(decision.kind === "commit");
    assert.equal(halves.finish(decision.transaction), 2);
    assert.equal(halves.end(endOf(copy), START).kind, "refuse");
  });

  it("is done up to the first place whose op is not durable", () => {
    const halves = new Halves(OPTIONS);
    const all = [0, 1, 2].map((offset) => halves.stored(half(offset)));
    for (const offset of [0, 1, 2]) halves.arrived(offset, START);
    assert.equal(halves.progress, 0);
    halves.finish(all[1]!);
    halves.released([1]);
    assert.equal(halves.progress, 0);
    halves.finish(all[0]!);
    assert.equal(halves.progress, 0);
    halves.released([0]);
    assert.equal(halves.progress, 2);
    halves.finish(all[2]!);
    halves.released([2]);
    assert.equal(halves.progress, 3);
  });

  it("does not count a check that nobody was there for once its copy was durable", () => {
    const halves = new Halves(OPTIONS);
    const transaction = halves.stored(half(0));
    halves.arrived(0, START);
    assert.equal(halves.takeDue(after(5_999)), undefined);
    assert.equal(halves.takeDue(after(6_000))?.kind, "check");
    halves.copied(transaction, half(1, { checkTimes: halves.nextCheckTimes(transaction) }));
    assert.equal(halves.arrived(1, after(6_000)).kind, "ask");
    halves.unheard(transaction);
    for (const offset of [2, 3]) {
      assert.equal(halves.takeDue(after(36_000 * offset))?.kind, "check", `copy ${offset}`);
      halves.copied(transaction, half(offset, { checkTimes: halves.nextCheckTimes(transaction) }));
      assert.equal(halves.arrived(offset, after(36_000 * offset)).kind, "ask");
    }
    assert.equal(transaction.half.checkTimes, 2);
    assert.equal(halves.takeDue(after(HOUR_MS / 2))?.kind, "park");
  });

  it("parks what is as old as messages are kept, whatever its immunity", () => {
    const halves = new Halves(OPTIONS);
    halves.stored(half(0, { immunityMs: 10 * HOUR_MS }));
    halves.arrived(0, START);
    assert.equal(halves.firstDueMs, HOUR_MS);
    assert.equal(halves.takeDue(after(HOUR_MS))?.kind, "park");
  });

  it("goes on with a transaction whose commit the log did not take", () => {
    const halves = new Halves(OPTIONS);
    const first = half(0);
    const transaction = halves.stored(first);
    halves.arrived(0, START);
    assert.equal(halves.end(endOf(first), START).kind, "commit");
    assert.equal(halves.takeDue(after(7_000)), undefined);
    halves.postpone(transaction, 8_000);
    assert.equal(halves.takeDue(after(8_000))?.kind, "check");
    assert.equal(halves.end(endOf(first, 12), after(8_000)).kind, "rollback");
  });
});
