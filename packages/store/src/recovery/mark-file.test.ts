/** Mark files of any content and history: the newest whole mark is what is loaded, and a flipped bit is never believed. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { seededRandom } from "../testing/crash-model.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { type Mark, MarkFile } from "./mark-file.ts";

const PATH = "/mark";
const SEEDS = 60;

function anyMark(random: () => number): Mark {
  const below = (bound: number) => Math.floor(random() * bound);
  const flushedOffset = below(2) === 0 ? below(1000) : 2 ** 40 + below(2 ** 31);
  return {
    state: below(2) === 0 ? "running" : "stopped",
    nonce: below(2 ** 32),
    flushedOffset,
    dispatchedOffset: flushedOffset - below(Math.min(flushedOffset + 1, 5000)),
    writeLimit: flushedOffset + below(2 ** 30),
    truncateTo: below(2) === 0 ? -1 : below(2 ** 40),
    lastStoreTimestamp: 1_700_000_000_000 + below(2 ** 31),
    segmentBytes: 2 ** (12 + below(19)),
    checkpoint: Uint8Array.from({ length: 40 }, () => below(256)),
    unsealedTo: below(2 ** 40),
  };
}

function load(host: FakeHost): Mark | undefined {
  return new MarkFile(host.files, PATH).load();
}

it(`the last mark saved is the one loaded, through blocking saves, others and reopening (${SEEDS} seeds)`, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const host = new FakeHost();
    let file = new MarkFile(host.files, PATH);
    assert.equal(file.load(), undefined);
    file.open();
    let last: Mark | undefined;
    for (let saves = 1 + Math.floor(random() * 8); saves > 0; saves -= 1) {
      last = anyMark(random);
      if (random() < 0.5) file.saveSync(last);
      else {
        file.save(last, (error) => assert.equal(error, undefined));
        host.settle();
      }
      if (random() < 0.3) {
        file.close();
        file = new MarkFile(host.files, PATH);
        assert.deepEqual(file.load(), last, `seed ${seed}`);
        file.open();
      }
      assert.deepEqual(load(host), last, `seed ${seed}`);
    }
  }
});

it(`a mark with a flipped bit, or cut off, is not believed: the one before counts (${SEEDS} seeds)`, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const host = new FakeHost();
    const file = new MarkFile(host.files, PATH);
    file.open();
    const [before, last] = [anyMark(random), anyMark(random)];
    file.saveSync(before);
    file.saveSync(last);
    const inode = host.files.names.get(PATH)!;
    const whole = Buffer.from(inode.bytes);
    // The second save of a file goes to its first slot.
    const at = Math.floor(random() * 512);
    const damaged = Buffer.from(whole);
    damaged[at] = damaged[at]! ^ (1 << Math.floor(random() * 8));
    inode.bytes = damaged;
    assert.deepEqual(load(host), before, `seed ${seed}, byte ${at}`);
    inode.bytes = whole.subarray(0, 4096 + Math.floor(random() * 512));
    assert.deepEqual(load(host), last, `seed ${seed}`);
    inode.bytes = whole.subarray(0, Math.floor(random() * 512));
    assert.equal(load(host), undefined, `seed ${seed}`);
  }
});

it("what was flushed since a mark counts with that mark only, and only while it is whole", () => {
  const host = new FakeHost();
  const file = new MarkFile(host.files, PATH);
  file.open();
  const mark: Mark = { ...anyMark(seededRandom(1)), state: "running", truncateTo: -1, writeLimit: 2 ** 50 };
  const { nonce, flushedOffset, lastStoreTimestamp } = mark;
  file.saveSync(mark);
  file.note(nonce, flushedOffset + 100, lastStoreTimestamp + 7);
  const noted = {
    ...mark,
    flushedOffset: flushedOffset + 100,
    lastStoreTimestamp: lastStoreTimestamp + 7,
  };
  assert.deepEqual(load(host), noted);

  const inode = host.files.names.get(PATH)!;
  const whole = Buffer.from(inode.bytes);
  for (let at = 8192; at < whole.length; at += 1) {
    const damaged = Buffer.from(whole);
    damaged[at] = damaged[at]! ^ 0x10;
    inode.bytes = damaged;
    assert.deepEqual(load(host), mark, `byte ${at}`);
    inode.bytes = whole.subarray(0, at);
    assert.deepEqual(load(host), mark, `cut off at ${at}`);
  }
  inode.bytes = whole;

  file.save({ ...mark, flushedOffset: flushedOffset + 50 }, () => {});
  assert.equal(load(host)?.flushedOffset, flushedOffset + 50, "it was noted after the mark before");
  file.note(nonce, flushedOffset + 60, 0);
  assert.equal(load(host)?.flushedOffset, flushedOffset + 60, "while a save is under way");
  assert.equal(load(host)?.lastStoreTimestamp, lastStoreTimestamp);
  host.settle();
  file.note(nonce, flushedOffset + 40, 0);
  assert.equal(load(host)?.flushedOffset, flushedOffset + 50, "less than the mark says");
  file.note(nonce, 2 ** 50 + 1, 0);
  assert.equal(load(host)?.flushedOffset, flushedOffset + 50, "beyond what may have been written");
  file.note(nonce + 1, flushedOffset + 80, 0);
  assert.equal(load(host)?.flushedOffset, flushedOffset + 50, "another store's");
  for (const other of [{ state: "stopped" }, { truncateTo: flushedOffset }] as const) {
    file.saveSync({ ...mark, ...other });
    file.note(nonce, flushedOffset + 90, 0);
    assert.equal(load(host)?.flushedOffset, flushedOffset, JSON.stringify(other));
  }
});
