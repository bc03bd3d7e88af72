/** The queue's ring against a plain array of units, through any order of appends, flushes, cuts and shrinking. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readInt64 } from "@orbitmq/wire";
import { seededRandom } from "../testing/crash-model.ts";
import { ConsumeQueue, UNIT_BYTES } from "./consume-queue.ts";
import { UnitPool } from "./unit-pool.ts";

interface Unit {
  readonly position: number;
  readonly size: number;
  readonly tagsCode: number;
}

const SEEDS = 20;
const STEPS = 400;
/** Hashes are negative, too; delivery times fill more than 32 bits. */
const TAGS_CODES = [0, 1, -1, -(2 ** 31), 2 ** 31 - 1, 1_700_000_000_000];

function check(queue: ConsumeQueue, units: ReadonlyMap<number, Unit>, random: () => number): void {
  const { ringStart, synced, written, end, nextOffset } = queue;
  assert.ok(ringStart <= synced && synced <= written && written <= end && end <= nextOffset);
  if (ringStart === end) return;
  const from = ringStart + Math.floor(random() * (end - ringStart));
  const to = from + 1 + Math.floor(random() * (end - from));
  assert.equal(queue.physicalOffsetAt(from), units.get(from)!.position);
  assert.equal(queue.sizeAt(from), units.get(from)!.size);
  assert.equal(queue.tagsCodeAt(from), units.get(from)!.tagsCode);
  const bytes = Buffer.concat(queue.unitBytes(from, to));
  assert.equal(bytes.length, (to - from) * UNIT_BYTES);
  for (let offset = from; offset < to; offset += 1) {
    const at = (offset - from) * UNIT_BYTES;
    const found = {
      position: readInt64(bytes, at),
      size: bytes.readInt32BE(at + 8),
      tagsCode: readInt64(bytes, at + 12),
    };
    assert.deepEqual(found, units.get(offset), `unit ${offset}`);
  }
}

it(`a queue's units in memory are those of a plain array, whatever happens to them (${SEEDS} seeds)`, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const below = (bound: number) => Math.floor(random() * bound);
    // Two more queues take and give back pieces of the same memory meanwhile.
    const pool = new UnitPool();
    const [queue, ...others] = [0, 1, 2].map((id) => new ConsumeQueue("T", id, pool)) as [ConsumeQueue];
    const units = new Map<number, Unit>();
    const first = below(2) === 0 ? 0 : 2 ** 33 + below(100);
    queue.load(first, first);
    let position = below(2) === 0 ? 0 : 2 ** 45;
    for (let step = 0; step < STEPS; step += 1) {
      const what = below(10);
      for (const other of others as ConsumeQueue[]) {
        if (below(3) === 0) other.load(0, 0);
        else for (let count = below(20); count > 0; count -= 1) other.append(-1, -1, -1, 0);
      }
      if (what <= 5) {
        for (let count = 1 + below(12); count > 0; count -= 1) {
          const unit = { position, size: 100 + below(5000), tagsCode: TAGS_CODES[below(TAGS_CODES.length)]! };
          units.set(queue.end, unit);
          queue.append(unit.position, unit.size, unit.tagsCode, position - below(20_000));
          queue.nextOffset = queue.end;
          position += unit.size;
        }
      } else if (what === 6) queue.written += below(queue.end - queue.written + 1);
      else if (what === 7) queue.synced = queue.written;
      else if (what === 8) queue.shrink(position - below(40_000));
      else if (below(4) === 0 && queue.end > queue.ringStart) {
        const cut = queue.ringStart + below(queue.end - queue.ringStart + 1);
        queue.cut(cut);
        assert.equal(queue.end, cut);
      }
      check(queue, units, random);
    }
    for (const each of [queue, ...others]) each.load(0, 0);
    assert.equal(pool.bytes, 0);
  }
});

it("a hundred thousand queues with a unit each cost little more than their units, and nothing once those are on disk", () => {
  const pool = new UnitPool();
  const queues = Array.from({ length: 100_000 }, (_, id) => new ConsumeQueue("T", id, pool));
  for (const queue of queues) queue.append(0, 100, 0, 0);
  const most = 100_000 * 4 * UNIT_BYTES + 256 * 1024;
  assert.ok(pool.bytes >= 100_000 * UNIT_BYTES && pool.bytes <= most, `${pool.bytes} bytes`);
  for (const queue of queues) {
    queue.written = 1;
    queue.synced = 1;
    assert.ok(queue.shrink(1));
  }
  assert.equal(pool.bytes, 0);
  for (const queue of queues) queue.append(0, 100, 0, 1);
  assert.ok(pool.bytes <= most);
});
