import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceNumbers, parseProcLocks } from "./proc-locks.ts";

test("the lock table is parsed; waiters and lines of another shape are left out", () => {
  const table = [
    "1: POSIX  ADVISORY  WRITE 11179 fe:00:9994506 0 0",
    "1: -> POSIX  ADVISORY  WRITE 11180 fe:00:9994506 0 0",
    "2: FLOCK  ADVISORY  WRITE 0 103:05:42 0 EOF",
    "3: OFDLCK ADVISORY  READ  -1 08:01:7 128 128",
    "something else",
    "",
  ].join("\n");
  assert.deepEqual(parseProcLocks(table), [
    { kind: "POSIX", pid: 11179, deviceMajor: 0xfe, deviceMinor: 0, inode: 9994506 },
    { kind: "FLOCK", pid: 0, deviceMajor: 0x103, deviceMinor: 5, inode: 42 },
    { kind: "OFDLCK", pid: -1, deviceMajor: 8, deviceMinor: 1, inode: 7 },
  ]);
});

test("a device number is split as Linux packs it", () => {
  assert.deepEqual(deviceNumbers(0xfe00), { major: 0xfe, minor: 0 });
  assert.deepEqual(deviceNumbers(0x10305), { major: 0x103, minor: 5 });
  assert.deepEqual(deviceNumbers(0x12300845), { major: 8, minor: 0x12345 });
});
