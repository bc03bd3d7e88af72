import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "./seeded-random.ts";

test("the same seed and label give the same numbers", () => {
  const a = new SeededRandom(42, "x");
  const b = new SeededRandom(42, "x");
  for (let i = 0; i < 1000; i++) assert.equal(a.next32(), b.next32());
});

test("another seed, another label or a seed beyond 32 bits gives other numbers", () => {
  const first = (seed: number, label: string) => {
    const random = new SeededRandom(seed, label);
    return [random.next32(), random.next32()].join();
  };
  const streams = [first(1, ""), first(2, ""), first(1, "a"), first(1, "b"), first(2 ** 32 + 1, "")];
  assert.equal(new Set(streams).size, streams.length);
});

test("numbers are uniform and stay within their bounds", () => {
  const random = new SeededRandom(7);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = random.int(10);
    counts[value] = (counts[value] as number) + 1;
    const float = random.float();
    assert.ok(float >= 0 && float < 1);
    const between = random.between(-3, 3);
    assert.ok(between >= -3 && between <= 3 && Number.isInteger(between));
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
  assert.equal(random.int(1), 0);
  assert.ok(random.int(2 ** 32) < 2 ** 32);
});

test("a chance of zero draws nothing and a chance of one always holds", () => {
  const a = new SeededRandom(3);
  const b = new SeededRandom(3);
  assert.equal(a.chance(0), false);
  assert.equal(a.next32(), b.next32());
  for (let i = 0; i < 100; i++) assert.equal(a.chance(1), true);
});
