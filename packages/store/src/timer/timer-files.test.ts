import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { writeInt64 } from "@orbitmq/wire";
import { FakeHost } from "../testing/fake-host.ts";
import { SlotReader, TimerDamage } from "./slot-reader.ts";
import { TimerFiles } from "./timer-files.ts";
import { BLANK_MAGIC, type TimerEntry, TimerMagic, writeTimerUnit } from "./timer-unit.ts";

const HOME = "/store";
/** Room for three units and a blank, and no more. */
const FILE_BYTES = 3 * 52 + 16 + 40;

function fresh(host = new FakeHost()): { host: FakeHost; files: TimerFiles } {
  host.files.makeFolderSync(HOME);
  const files = new TimerFiles(
    host.files,
    { home: HOME, logFileBytes: FILE_BYTES, slots: 512 },
    silentLogger,
  );
  return { host, files };
}

const entry = (slotSec: number, physicalOffset: number, magic: number = TimerMagic.DEFAULT): TimerEntry => ({
  slotMs: slotSec * 1_000,
  magic,
  writeTimeMs: 1_000,
  physicalOffset,
  recordSize: 200,
  topicHash: 7,
  isPutOff: false,
  restS: 0,
});

function drain(files: TimerFiles, slotSec: number): number[] {
  const reader = new SlotReader(files, slotSec * 1_000);
  while (!reader.walk()) {}
  const found: number[] = [];
  for (let unit = reader.next(); unit !== undefined; unit = reader.next()) found.push(unit.physicalOffset);
  return found;
}

describe("wheel and log of timers", () => {
  it("give each slot's messages back in the order they were added, over several files", () => {
    const { files } = fresh();
    assert.equal(files.open().kind, "whole");
    for (let i = 0; i < 20; i++) files.add(entry(10 + (i % 2), i));
    files.writeOut();
    assert.equal(files.next(), 10_000);
    assert.deepEqual(drain(files, 10), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    files.take(10_000);
    assert.equal(files.next(), 11_000);
    assert.equal(files.hasRoom(10_000), false);
    files.clear(10_000);
    assert.equal(files.hasRoom(10_000), true);
    assert.deepEqual(drain(files, 11), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  });

  it("are found again after a stop, and after a kill before anything was saved", () => {
    for (const isSaved of [true, false]) {
      const { host, files } = fresh();
      files.open();
      for (let i = 0; i < 7; i++) files.add(entry(20, i));
      files.writeOut();
      if (isSaved) files.saveSync({ readTimeMs: 1_000, queueOffset: 7 }, 5_000);
      const again = fresh(host).files;
      // Without a check nobody knows what of it was delivered.
      assert.equal(again.open().kind, isSaved ? "whole" : "rebuild");
      if (isSaved) assert.deepEqual(drain(again, 20), [0, 1, 2, 3, 4, 5, 6]);
    }
  });

  it("bring slots up to the end of the log, also ones before what the check counts as delivered", () => {
    const { host, files } = fresh();
    files.open();
    files.add(entry(20, 0));
    files.saveSync({ readTimeMs: 20_000, queueOffset: 1 }, 5_000);
    files.add(entry(20, 1));
    files.add(entry(9, 2));
    files.writeOut();
    const again = fresh(host).files;
    assert.equal(again.open().kind, "whole");
    assert.equal(again.next(), 9_000);
    assert.deepEqual([drain(again, 9), drain(again, 20)], [[2], [0, 1]]);
    assert.equal(again.waiting, 3);
  });

  it("take back the last unit, and what lies behind the end does not come back", () => {
    const { host, files } = fresh();
    files.open();
    for (let i = 0; i < 5; i++) files.add(entry(20, i));
    files.saveSync({ readTimeMs: 1_000, queueOffset: 5 }, 5_000);
    const again = fresh(host).files;
    again.open();
    again.dropLast();
    again.dropLast();
    again.trim();
    again.saveSync({ readTimeMs: 1_000, queueOffset: 3 }, 6_000);
    const third = fresh(host).files;
    assert.equal(third.open().kind, "whole");
    assert.deepEqual(drain(third, 20), [0, 1, 2]);
  });

  it("are built again when a file is missing, torn or of another length, until that is saved", () => {
    const spoil: Readonly<Record<string, (host: FakeHost) => void>> = {
      wheel: ({ files }) => files.unlinkSync(`${HOME}/timerwheel`),
      log: ({ files }) => files.unlinkSync(`${HOME}/timerlog/00000000000000000000`),
      "wheel's length": ({ files }) => files.openSync(`${HOME}/timerwheel`).truncateSync(77),
      "log's length": ({ files }) => files.openSync(`${HOME}/timerlog/00000000000000000000`).truncateSync(77),
      "slot's time": ({ files }) =>
        files.openSync(`${HOME}/timerwheel`).writeSync(Buffer.from([9]), 20 * 32 + 7),
      "unit before the end": ({ files }) =>
        files.openSync(`${HOME}/timerlog/00000000000000000212`).writeSync(Buffer.alloc(52), 52),
      check: ({ files }) => files.unlinkSync(`${HOME}/config/timercheck`),
    };
    for (const [what, how] of Object.entries(spoil)) {
      const { host, files } = fresh();
      files.open();
      for (let i = 0; i < 5; i++) files.add(entry(20, i));
      files.saveSync({ readTimeMs: 1_000, queueOffset: 5 }, 5_000);
      how(host);
      for (const time of ["first", "again, after a kill"]) {
        const opened = fresh(host).files.open();
        assert.equal(opened.kind, "rebuild", `${what}, ${time}`);
        assert.equal(opened.check?.queueOffset, what === "check" ? undefined : 5);
      }
      const third = fresh(host).files;
      third.open();
      third.add(entry(20, 0));
      third.saveSync({ readTimeMs: 1_000, queueOffset: 1 }, 6_000);
      assert.equal(fresh(host).files.open().kind, "whole", what);
    }
  });

  it("believe no check of which a bit has flipped: the one before it counts; but what somebody else wrote does", () => {
    const { host, files } = fresh();
    files.open();
    files.add(entry(20, 0));
    files.saveSync({ readTimeMs: 1_000, queueOffset: 1 }, 5_000);
    files.add(entry(20, 1));
    files.save({ readTimeMs: 2_000, queueOffset: 2 }, 6_000, () => undefined);
    host.settle();
    files.close();
    const inode = host.files.names.get(`${HOME}/config/timercheck`)!;
    const whole = Buffer.from(inode.bytes);
    const readTime = (): number | undefined => fresh(host).files.open().check?.readTimeMs;
    assert.equal(readTime(), 2_000);
    for (let bit = 0; bit < 56 * 8; bit++) {
      inode.bytes = Buffer.from(whole);
      inode.bytes[bit >> 3] = inode.bytes[bit >> 3]! ^ (1 << (bit & 7));
      assert.equal(readTime(), 1_000, `bit ${bit}`);
    }
    inode.bytes = Buffer.from(whole);
    writeInt64(inode.bytes, 3_000, 0);
    inode.modifiedMs = (inode.modifiedMs ?? 0) + 1;
    assert.equal(readTime(), 3_000);
  });

  it("tell that a chain is damaged instead of ending it", () => {
    const { host, files } = fresh();
    files.open();
    for (let i = 0; i < 5; i++) files.add(entry(20, i));
    files.writeOut();
    host.files.openSync(`${HOME}/timerlog/00000000000000000000`).writeSync(Buffer.alloc(52), 52);
    assert.throws(() => drain(files, 20), TimerDamage);
  });

  it("are built again when a bit of a slot's time has flipped, also to one that is done with", () => {
    const host = new FakeHost();
    host.files.makeFolderSync(HOME);
    const open = (): TimerFiles => {
      const files = new TimerFiles(
        host.files,
        { home: HOME, logFileBytes: FILE_BYTES, slots: 500 },
        silentLogger,
      );
      opened = files.open().kind;
      return files;
    };
    let opened = "";
    const files = open();
    files.add(entry(20, 0));
    files.saveSync({ readTimeMs: 19_000, queueOffset: 1 }, 5_000);
    files.close();
    const wheel = host.files.names.get(`${HOME}/timerwheel`)!;
    const log = host.files.names.get(`${HOME}/timerlog/00000000000000000000`)!;
    const whole = Buffer.from(wheel.bytes);
    for (let bit = 0; bit < 64; bit++) {
      const flipped = Buffer.from(whole);
      const at = 20 * 32 + (bit >> 3);
      flipped[at] = flipped[at]! ^ (1 << (bit & 7));
      wheel.bytes = flipped;
      host.files.names.set(`${HOME}/timerwheel`, wheel);
      host.files.names.set(`${HOME}/timerlog/00000000000000000000`, log);
      host.files.names.delete(`${HOME}/orbitmq-timer-rebuild`);
      open();
      assert.equal(opened, "rebuild", `bit ${bit}`);
    }
  });

  it("lie on disk as RocketMQ's: units, a blank at a file's end, slots, check", () => {
    const { host, files } = fresh();
    files.open();
    for (let i = 0; i < 4; i++) files.add(entry(20, i, i === 3 ? TimerMagic.DEFAULT | TimerMagic.DELETE : 1));
    files.saveSync({ readTimeMs: 3_000, queueOffset: 4 }, 5_000);
    const first = Buffer.from(host.files.readWholeSync(`${HOME}/timerlog/00000000000000000000`)!);
    assert.equal(
      first.subarray(52, 104).toString("hex"),
      "00000034" +
        "0000000000000000" +
        "00000001" +
        "00000000000003e8" +
        "00004a38" +
        "0000000000000001" +
        "000000c8" +
        "00000007" +
        "730c9ba6" +
        "00000000",
    );
    assert.equal(first.readInt32BE(156), FILE_BYTES - 156);
    assert.equal(first.readInt32BE(168), BLANK_MAGIC);
    const wheel = Buffer.from(host.files.readWholeSync(`${HOME}/timerwheel`)!);
    assert.equal(wheel.length, 512 * 32);
    assert.equal(
      wheel.subarray(20 * 32, 21 * 32).toString("hex"),
      "0000000000000014" + "0000000000000000" + "00000000000000d4" + "00000002" + "00000000",
    );
    const check = Buffer.from(host.files.readWholeSync(`${HOME}/config/timercheck`)!);
    assert.equal(
      check.subarray(0, 32).toString("hex"),
      "0000000000000bb8" + "0000000000000108" + "0000000000000004".repeat(2),
    );
    const unit = Buffer.alloc(52);
    writeTimerUnit(entry(20, 1), 0, unit, 0);
    assert.deepEqual(unit, first.subarray(52, 104));
  });

  it("have no room for a second that is a whole turn away, until the slot is empty", () => {
    const { files } = fresh();
    files.open();
    files.add(entry(20, 0));
    assert.deepEqual(
      [20, 531, 532].map((second) => files.hasRoom(second * 1_000)),
      [true, true, false],
    );
    files.add(entry(531, 1));
    assert.deepEqual(
      [19, 20, 30].map((second) => files.hasRoom(second * 1_000)),
      [false, true, true],
    );
    files.take(20_000);
    files.clear(20_000);
    assert.equal(files.hasRoom(532_000), true);
  });

  it("remove log files whose messages are gone, never the last", () => {
    const { host, files } = fresh();
    files.open();
    for (let i = 0; i < 9; i++) files.add(entry(20, i));
    files.writeOut();
    files.removeBefore(5);
    assert.deepEqual(host.files.listSync(`${HOME}/timerlog`).map(Number).sort(), [212, 424]);
    assert.deepEqual(drain(files, 20), [3, 4, 5, 6, 7, 8]);
    files.removeBefore(100);
    assert.equal(host.files.listSync(`${HOME}/timerlog`).length, 1);
  });

  it("lose nothing when a stop overtakes a save under way", () => {
    const { host, files } = fresh();
    files.open();
    files.add(entry(20, 0));
    files.save({ readTimeMs: 1_000, queueOffset: 1 }, 5_000, () => {});
    files.saveSync({ readTimeMs: 1_000, queueOffset: 1 }, 5_000);
    files.close();
    while (host.turn()) {}
    const again = fresh(host).files;
    assert.equal(again.open().kind, "whole");
    assert.deepEqual(drain(again, 20), [0]);
  });
});
