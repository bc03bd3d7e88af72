import assert from "node:assert/strict";
import { test } from "node:test";
import { Fifo } from "./fifo.ts";

test("items leave in the order they came, through any mix of both", () => {
  const fifo = new Fifo<number>();
  let pushed = 0;
  let shifted = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 37; i++) fifo.push(pushed++);
    for (let i = 0; i < 30; i++) assert.equal(fifo.shift(), shifted++);
    assert.equal(fifo.length, pushed - shifted);
    assert.equal(fifo.peek(), shifted);
    assert.equal(fifo.last(), pushed - 1);
  }
  while (fifo.length > 0) assert.equal(fifo.shift(), shifted++);
  assert.equal(shifted, pushed);
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.peek(), undefined);
  assert.equal(fifo.last(), undefined);
});

test("clearing leaves nothing", () => {
  const fifo = new Fifo<string>();
  fifo.push("a");
  fifo.clear();
  assert.equal(fifo.length, 0);
  fifo.push("b");
  assert.equal(fifo.shift(), "b");
});
