/**
 * Units, slots and checks of arbitrary bytes: read or refused, never an exception, and what was written is read back.
 * ORBITMQ_FUZZ_RUNS raises the number (default 300).
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { seededRandom } from "../testing/crash-model.ts";
import { decodeTimerCheck, encodeTimerCheck, TIMER_CHECK_BYTES } from "./timer-check.ts";
import { readTimerSlot, TIMER_SLOT_BYTES, writeTimerSlot } from "./timer-slot.ts";
import { readTimerUnit, TIMER_UNIT_BYTES, writeTimerUnit } from "./timer-unit.ts";

const RUNS = 10 * Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 300);

/** Mostly zeros, so that some of it is valid. */
function noise(random: () => number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = random() < 0.7 ? 0 : Math.floor(random() * 256);
}

it(`units (${RUNS} of them)`, () => {
  const random = seededRandom(11);
  for (let run = 0; run < RUNS; run++) {
    const bytes = Buffer.alloc(Math.floor(random() * 2 * TIMER_UNIT_BYTES));
    noise(random, bytes);
    if (bytes.length >= 16 && random() < 0.8) {
      bytes.writeInt32BE(TIMER_UNIT_BYTES, 0);
      bytes.writeInt32BE(Math.floor(random() * 16), 12);
    }
    const unit = readTimerUnit(bytes, 0, 1_000);
    if (unit === undefined) continue;
    assert.ok(unit.prevPos < 1_000 && unit.slotMs >= 0 && unit.physicalOffset >= 0 && unit.recordSize > 0);
    const again = Buffer.alloc(TIMER_UNIT_BYTES);
    writeTimerUnit(unit, unit.prevPos, again, 0);
    // Nobody reads what is reserved beyond its low digits.
    assert.deepEqual(again.subarray(0, 44), bytes.subarray(0, 44));
  }
});

it(`slots (${RUNS} of them)`, () => {
  const random = seededRandom(12);
  const bytes = Buffer.alloc(TIMER_SLOT_BYTES);
  for (let run = 0; run < RUNS; run++) {
    noise(random, bytes);
    const slot = readTimerSlot(bytes, 0, 1_000);
    if (slot === undefined) continue;
    const again = Buffer.alloc(TIMER_SLOT_BYTES);
    writeTimerSlot(slot, 1_000, again, 0);
    assert.deepEqual(again.subarray(0, 28), bytes.subarray(0, 28));
  }
});

it(`checks (${RUNS} of them)`, () => {
  const random = seededRandom(13);
  for (let run = 0; run < RUNS; run++) {
    const bytes = Buffer.alloc(Math.floor(random() * 2 * TIMER_CHECK_BYTES));
    noise(random, bytes);
    const check = decodeTimerCheck(bytes);
    if (check !== undefined) assert.deepEqual(decodeTimerCheck(encodeTimerCheck(check)), check);
  }
});
