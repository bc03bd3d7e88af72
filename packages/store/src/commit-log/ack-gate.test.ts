import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { FakeHost } from "../testing/fake-host.ts";
import { AckGate } from "./ack-gate.ts";

function gate() {
  const host = new FakeHost();
  const log: string[] = [];
  const made = new AckGate(host, 5_000, silentLogger);
  const wait = (end: number, then?: () => void) =>
    made.wait(end, {
      appendSettled: (outcome) => {
        log.push(`${end} ${outcome}`);
        then?.();
      },
    });
  return { host, log, gate: made, wait };
}

describe("the ack gate", () => {
  it("settles in order what every position has reached, and nothing else", () => {
    const { log, gate: made, wait } = gate();
    const flush = made.addPosition(0);
    const replica = made.addPosition(0);
    for (const end of [10, 20, 20, 30]) wait(end);
    flush.advance(30);
    assert.deepEqual(log, []);
    replica.advance(20);
    assert.deepEqual(log, ["10 reached", "20 reached", "20 reached"]);
    replica.advance(5);
    replica.advance(30);
    assert.equal(log[3], "30 reached");
    assert.equal(made.waiting, 0);
  });

  it("lets waiters append from within their settlement", () => {
    const { log, gate: made, wait } = gate();
    const flush = made.addPosition(0);
    wait(10, () => wait(30));
    wait(20, () => wait(40));
    flush.advance(20);
    assert.deepEqual(log, ["10 reached", "20 reached"]);
    flush.advance(40);
    assert.deepEqual(log.slice(2), ["30 reached", "40 reached"]);
  });

  it("times out the oldest first, each after its own wait, with one timer for all", () => {
    const { host, log, gate: made, wait } = gate();
    made.addPosition(0);
    wait(10);
    host.advance(3_000);
    wait(20);
    assert.equal(host.armed, 1);
    host.advance(1_999);
    assert.deepEqual(log, []);
    host.advance(1);
    assert.deepEqual(log, ["10 timeout"]);
    host.advance(3_000);
    assert.deepEqual(log, ["10 timeout", "20 timeout"]);
    assert.equal(host.armed, 0);
  });

  it("fails those behind a position in order and keeps the others", () => {
    const { log, gate: made, wait } = gate();
    const flush = made.addPosition(0);
    for (const end of [10, 20, 30]) wait(end);
    made.fail(10);
    assert.deepEqual(log, ["20 failed", "30 failed"]);
    wait(15);
    flush.advance(15);
    assert.deepEqual(log.slice(2), ["10 reached", "15 reached"]);
  });

  it("survives a waiter that throws", () => {
    const { log, gate: made, wait } = gate();
    const flush = made.addPosition(0);
    wait(10, () => {
      throw new Error("broken waiter");
    });
    wait(20);
    flush.advance(20);
    assert.deepEqual(log, ["10 reached", "20 reached"]);
  });

  it("grows beyond its first ring without mixing up who waits", () => {
    const { log, gate: made, wait } = gate();
    const flush = made.addPosition(0);
    for (let end = 1; end <= 100; end += 1) wait(end);
    flush.advance(60);
    for (let end = 101; end <= 2_000; end += 1) wait(end);
    flush.advance(2_000);
    assert.deepEqual(
      log,
      Array.from({ length: 2_000 }, (_, index) => `${index + 1} reached`),
    );
  });
});
