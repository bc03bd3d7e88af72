/**
 * Stores in which one bit was flipped, in any file, log, queues, checksums or state. Starting works, or is refused
 * with a StoreError and works again once the bit is put right. A store that starts serves every message, to readers of
 * everything and to readers of one tag, and finds it by key, but what lies behind a record that is itself damaged: that one is reported
 * and holds its own queue only, until it is skipped. ORBITMQ_FUZZ_RUNS raises the number of flips (default 1,000).
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { javaHash, type MessageRecord } from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";
import { seededRandom } from "../testing/crash-model.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 1000);
const QUEUES = [0, 1, 2];
const MESSAGES = 96;
const TAGS = ["red", "green"];
const OPTIONS = { hotTailBytes: 4096 };

/** Words by which messages are asked for: of many of them, and of single ones in different places. */
const WORDS = 5;
/** Of the keys that single messages have, one in so many is asked for after each flip. */
const KEY_SHARE = 16;
const wordOf = (index: number): string => `word-${index % WORDS}`;
const tagOf = (offset: number): string => TAGS[offset % 2]!;

async function intact(stopped: boolean): Promise<DiskImage> {
  const driver = await StoreDriver.open(OPTIONS);
  for (let index = 0; index < MESSAGES; index += 1) {
    const queueId = index % QUEUES.length;
    const offset = Math.floor(index / QUEUES.length);
    const properties = `UNIQ_KEY\u0001key-${index}\u0002KEYS\u0001${wordOf(index)}\u0002TAGS\u0001${tagOf(offset)}\u0002`;
    driver.sendNow(message(`${queueId}/${offset}/`.padEnd(220, "d"), { queueId, properties }));
    if (index % 30 === 29) driver.host.advance(15_000);
  }
  driver.host.advance(70_000);
  if (stopped) await driver.stop();
  return driver.host.files.image();
}

/** Where in its file something was ever written; flips of holes hit little. */
function places(image: DiskImage): { path: string; end: number }[] {
  return [...image.files].flatMap(([path, bytes]) => {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end -= 1;
    return end === 0 ? [] : [{ path, end: Math.min(bytes.length, end + 64) }];
  });
}

interface Seen {
  readonly offsets: number[];
  /** Where the queue stands still; -1 when it does not. */
  readonly heldAt: number;
}

function readQueue(driver: StoreDriver, queueId: number, tag: string | undefined, what: string): Seen {
  const offsets: number[] = [];
  const hash = tag === undefined ? 0 : javaHash(tag);
  const matches = tag === undefined ? undefined : (code: number) => code === hash;
  let offset: number = driver.store.minOffset("T", queueId);
  const end = driver.store.readableEnd("T", queueId);
  for (let rounds = 0; offset < end; rounds += 1) {
    assert.ok(rounds < 1000, `${what}: reading comes to an end`);
    const { result, records } = driver.read(offset, { queueId, ...(matches && { matches }) });
    for (const record of records) {
      checkRecord(record, queueId, what);
      offsets.push(record.queueOffset);
    }
    if (result.status === "OFFSET_FOUND_NULL") return { offsets, heldAt: offset };
    offset = result.nextBeginOffset;
  }
  return { offsets, heldAt: -1 };
}

function checkRecord(record: MessageRecord, queueId: number, what: string): void {
  const place = `${queueId}/${record.queueOffset}/`;
  assert.equal(Buffer.from(record.body).toString(), place.padEnd(220, "d"), `${what}: a wrong message`);
  assert.ok(record.properties.includes(`TAGS\u0001${tagOf(record.queueOffset)}\u0002`), what);
}

/** Whoever asks by key finds every message that has it, and no other, but records that are damaged themselves. */
function checkKeys(driver: StoreDriver, isLog: boolean, what: string): void {
  const share = what.length % KEY_SHARE;
  const all = Array.from({ length: MESSAGES }, (_, index) => index);
  const asked = [
    ...Array.from({ length: WORDS }, (_, word) => ({
      key: `word-${word}`,
      expected: all.filter((index) => index % WORDS === word),
    })),
    ...all
      .filter((index) => index % KEY_SHARE === share)
      .map((index) => ({ key: `key-${index}`, expected: [index] })),
  ];
  const missing = new Set<number>();
  for (const { key, expected } of asked) {
    const found = driver.query(key).map(({ queueId, queueOffset }) => queueOffset * QUEUES.length + queueId);
    if (isLog) for (const index of expected) found.includes(index) || missing.add(index);
    assert.deepEqual(
      found,
      expected.filter((index) => !missing.has(index)),
      `${what}: ${key}`,
    );
  }
  assert.ok(missing.size <= 1, `${what}: ${[...missing]} are not found`);
}

/** Everything that was sent is served, or held by a damaged record; returns how many queues are held. */
function checkAll(driver: StoreDriver, isLog: boolean, what: string): number {
  let held = 0;
  for (const queueId of QUEUES) {
    const count = MESSAGES / QUEUES.length;
    assert.equal(driver.store.minOffset("T", queueId), 0, what);
    assert.equal(driver.store.readableEnd("T", queueId), count, `${what}: the end of queue ${queueId}`);
    const { offsets, heldAt } = readQueue(driver, queueId, undefined, what);
    const until = heldAt < 0 ? count : heldAt;
    assert.deepEqual(
      offsets,
      Array.from({ length: until }, (_, index) => index),
      `${what}: queue ${queueId}`,
    );
    for (const tag of TAGS) {
      const some = readQueue(driver, queueId, tag, what);
      const reach = some.heldAt < 0 ? count : some.heldAt;
      const expected = Array.from({ length: reach }, (_, index) => index).filter((at) => tagOf(at) === tag);
      const seen = some.offsets.filter((at) => tagOf(at) === tag);
      assert.deepEqual(seen, expected, `${what}: ${tag} in queue ${queueId}`);
    }
    if (heldAt < 0) continue;
    held += 1;
    assert.ok(isLog, `${what}: a queue is held although no record is damaged`);
    assert.ok(driver.store.status().integrity.corruptRecords > 0, `${what}: it is reported`);
    const rest = driver.read(heldAt + 1, { queueId });
    if (heldAt + 1 < count) assert.equal(rest.result.status, "FOUND", `${what}: what follows can be read`);
  }
  assert.ok(held <= 1, `${what}: one flip holds one queue at most`);
  checkKeys(driver, isLog, what);
  return held;
}

it(`a flipped bit is found or harmless, and no other message suffers (${RUNS} flips)`, async () => {
  const random = seededRandom(7);
  const images = [await intact(true), await intact(false)];
  const all = images.map(places);
  const counts = new Map<string, number>();
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (let run = 0; run < RUNS; run += 1) {
    const image = images[run % 2]!;
    const candidates = all[run % 2]!;
    const { path, end } = candidates[Math.floor(random() * candidates.length)]!;
    const at = Math.floor(random() * end);
    const bit = Math.floor(random() * 8);
    const bytes = Buffer.from(image.files.get(path)!);
    bytes[at] = bytes[at]! ^ (1 << bit);
    const what = `${path} byte ${at} bit ${bit}${run % 2 === 0 ? " after a stop" : " after a kill"}`;
    const isLog = path.startsWith(`${HOME}/commitlog/`);
    const flipped = { files: new Map(image.files).set(path, bytes), folders: image.folders };
    const driver = new StoreDriver(OPTIONS, flipped);
    try {
      await driver.start();
    } catch (error) {
      assert.ok(error instanceof StoreError, `${what}: ${String(error)}`);
      const again = driver.host.files.image();
      again.files instanceof Map && again.files.set(path, image.files.get(path)!);
      const repaired = await StoreDriver.open(OPTIONS, again);
      assert.equal(checkAll(repaired, false, `${what}, put right`), 0);
      count(`refused ${error.code}`);
      continue;
    }
    count(checkAll(driver, isLog, what) > 0 ? "held" : "served");
    for (const queueId of QUEUES) {
      const next = driver.store.readableEnd("T", queueId);
      assert.equal(driver.sendNow(message(`${queueId}/${next}/`, { queueId })).queueOffset, next, what);
    }
  }
  if (process.env["ORBITMQ_FUZZ_VERBOSE"] !== undefined) console.log(counts);
  assert.ok((counts.get("served") ?? 0) > RUNS / 4, JSON.stringify([...counts]));
});
