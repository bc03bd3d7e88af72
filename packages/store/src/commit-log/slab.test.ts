import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HotTail } from "./hot-tail.ts";
import { SlabPool } from "./slab.ts";

describe("a slab", () => {
  it("is used anew only when its owner and every reader have let go", () => {
    const pool = new SlabPool(64);
    const slab = pool.take(10);
    pool.retain(slab);
    pool.disown(slab);
    assert.equal(pool.pinnedBytes, 64);
    assert.notEqual(pool.take(10), slab);
    pool.release(slab);
    assert.equal(pool.pinnedBytes, 0);
    assert.equal(pool.take(10), slab);
    pool.release(slab);
    assert.throws(() => pool.release(slab), /no more often than retained/);
  });

  it("is kept for the next one when it is free, as many as the pool is told to keep", () => {
    for (const [freeMax, kept] of [
      [undefined, 4],
      [6, 6],
    ]) {
      const pool = new SlabPool(64, freeMax);
      const used = new Set(Array.from({ length: 8 }, () => pool.take(10)));
      for (const slab of used) pool.disown(slab);
      const again = Array.from({ length: 8 }, () => pool.take(10));
      assert.equal(again.filter((slab) => used.has(slab)).length, kept);
    }
  });

  it("is as large as a record needs", () => {
    const pool = new SlabPool(64);
    const large = pool.take(1000);
    assert.equal(large.bytes.length, 1000);
    pool.disown(large);
    assert.equal(pool.take(64).bytes.length, 64);
  });
});

describe("the hot tail", () => {
  function filled() {
    const tail = new HotTail(new SlabPool(100), 250);
    for (const start of [0, 100, 300]) tail.extend(start, 1).used = 100;
    return tail;
  }

  it("finds the slab that holds a position, and none for what lies between or behind", () => {
    const tail = filled();
    assert.deepEqual(
      [0, 99, 100, 199, 200, 299, 300, 399, 400].map((position) => tail.find(position)?.start),
      [0, 0, 100, 100, undefined, undefined, 300, 300, undefined],
    );
  });

  it("lets go of the oldest slabs only beyond its size and only once durable", () => {
    const tail = filled();
    tail.evict(50);
    assert.equal(tail.start, 0);
    tail.evict(400);
    assert.equal(tail.start, 100);
    tail.evict(400);
    assert.equal(tail.start, 100);
  });

  it("never appends to a slab that was cut: readers may hold what was cut off", () => {
    const tail = filled();
    tail.truncate(150);
    assert.deepEqual([tail.last?.end, tail.last?.sealed], [150, true]);
    assert.equal(tail.find(150), undefined);
    tail.truncate(0);
    assert.equal(tail.last, undefined);
    assert.equal(tail.start, Number.POSITIVE_INFINITY);
  });
});
