import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readTimerUnit, TIMER_UNIT_BYTES, type TimerUnit, writeTimerUnit } from "./timer-unit.ts";

const unit: TimerUnit = {
  prevPos: 104,
  magic: 1,
  writeTimeMs: 1_700_000_000_123,
  slotMs: 1_700_000_060_000,
  physicalOffset: 1_073_741_900,
  recordSize: 321,
  topicHash: -7,
  isPutOff: true,
  restS: 1_234_567_890,
};
const POSITION = 156;

function written(): Buffer {
  const bytes = Buffer.alloc(TIMER_UNIT_BYTES + 3);
  writeTimerUnit(unit, unit.prevPos, bytes, 3);
  return bytes;
}

describe("a unit of the timer log", () => {
  it("is read as it was written", () => {
    assert.deepEqual(readTimerUnit(written(), 3, POSITION), unit);
  });

  it("does not know a rest that is beyond its four bytes", () => {
    const bytes = Buffer.alloc(TIMER_UNIT_BYTES);
    writeTimerUnit({ ...unit, restS: 2 ** 31 }, unit.prevPos, bytes, 0);
    assert.deepEqual(readTimerUnit(bytes, 0, POSITION), { ...unit, restS: 0 });
  });

  it("is refused when any of its bits has flipped", () => {
    for (let bit = 0; bit < TIMER_UNIT_BYTES * 8; bit++) {
      const bytes = written();
      const at = 3 + (bit >> 3);
      bytes[at] = bytes[at]! ^ (1 << (bit & 7));
      assert.equal(readTimerUnit(bytes, 3, POSITION), undefined, `bit ${bit}`);
    }
  });

  it("is believed without a checksum, as RocketMQ writes it", () => {
    const bytes = written();
    bytes.fill(0, 3 + 44);
    assert.deepEqual(readTimerUnit(bytes, 3, POSITION), { ...unit, isPutOff: false, restS: 0 });
  });
});
