/**
 * Records of any shape, from a seed: what is written is what is read, whatever is cut off or changed is noticed.
 * The generator is our own few lines: inputs are small, every failure names its seed, nothing needs shrinking.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { fuzzRuns, SeededRandom } from "../testing/random.ts";
import { formatProperties, parseProperties } from "./message-properties.ts";
import {
  bodyLengthAt,
  MAGIC_V1,
  MAGIC_V2,
  type MessageRecord,
  RECORD_BYTES_MIN,
  type RecordInput,
  type RecordPosition,
  recordSize,
  writeRecord,
} from "./message-record.ts";
import { checkRecord, readRecord, readRecords } from "./read-record.ts";
import { MessageSysFlag } from "./sys-flag.ts";

const RUNS = fuzzRuns(400);
/** Names and values of properties: anything but the two separators. */
const TEXTS = ["", "a", "KEYS", "grün", "消息", "🐇", " ", "a=b,c;d", "x".repeat(300)];
const INTEGERS_64 = [0, 1, -1, 2 ** 31, 2 ** 32 + 5, 2 ** 52, Number.MAX_SAFE_INTEGER, -(2 ** 40)];

function anyInput(random: SeededRandom): { input: RecordInput; pairs: [string, string][] } {
  const pairs: [string, string][] = [];
  for (let count = random.int(5); count > 0; count--) {
    pairs.push([`${random.pick(TEXTS)}${count}`, random.pick(TEXTS)]);
  }
  const topics = [
    "T",
    "orders",
    "%RETRY%group",
    "t".repeat(127),
    "t".repeat(128),
    "t".repeat(1_000),
    "потік",
  ];
  const input = {
    topic: random.pick(topics),
    queueId: random.int(2 ** 31),
    flag: random.int(2 ** 32) | 0,
    sysFlag: random.pick([0, MessageSysFlag.COMPRESSED, MessageSysFlag.TRANSACTION_PREPARED_TYPE, 0x300]),
    bornTimestamp: random.pick(INTEGERS_64),
    bornHost: random.bytes(random.pick([8, 20])),
    storeHost: random.bytes(random.pick([8, 20])),
    reconsumeTimes: random.int(100),
    preparedTransactionOffset: random.pick(INTEGERS_64),
    body: random.bytes(random.pick([0, 1, 7, 100, 5_000])),
    properties: formatProperties(pairs),
  };
  return { input, pairs };
}

function anyPosition(random: SeededRandom): RecordPosition {
  const positive = () => Math.abs(random.pick(INTEGERS_64));
  return { queueOffset: positive(), physicalOffset: positive(), storeTimestamp: positive() };
}

function written(input: RecordInput, position: RecordPosition): Buffer {
  const bytes = Buffer.alloc(recordSize(input));
  assert.equal(writeRecord(input, bytes, 0, position), bytes.length);
  return bytes;
}

function assertSame(record: MessageRecord, input: RecordInput, position: RecordPosition): void {
  const { body, bornHost, storeHost, sysFlag, ...plain } = input;
  for (const [name, value] of Object.entries({ ...plain, ...position })) {
    assert.equal(record[name as keyof MessageRecord], value, name);
  }
  assert.deepEqual([...record.body], [...body]);
  assert.deepEqual([...record.bornHost], [...bornHost]);
  assert.deepEqual([...record.storeHost], [...storeHost]);
  const v6 =
    (bornHost.length === 20 ? MessageSysFlag.BORNHOST_V6 : 0) |
    (storeHost.length === 20 ? MessageSysFlag.STOREHOST_V6 : 0);
  assert.equal(record.sysFlag, sysFlag | v6);
  assert.equal(record.magic, Buffer.byteLength(input.topic) > 127 ? MAGIC_V2 : MAGIC_V1);
}

it(`a record of any shape is read as it was written, wherever it lies (${RUNS} runs)`, () => {
  for (let seed = 0; seed < RUNS; seed++) {
    const random = new SeededRandom(seed);
    const { input, pairs } = anyInput(random);
    const position = anyPosition(random);
    const bytes = written(input, position);
    const before = random.int(20);
    const around = Buffer.concat([random.bytes(before), bytes, random.bytes(20)]);
    const found = checkRecord(around, before, around.length, { physicalOffset: position.physicalOffset });
    assert.deepEqual(found, { kind: "record", size: bytes.length }, `seed ${seed}`);
    const record = readRecord(around, before, around.length, { checkCrc: true });
    assertSame(record, input, position);
    assert.deepEqual([...parseProperties(record.properties)], pairs, `seed ${seed}`);
    assert.deepEqual(written(record, position), bytes, `seed ${seed}: written again`);
  }
});

it(`records one behind the other are read one by one (${RUNS} runs)`, () => {
  for (let seed = 0; seed < RUNS / 4; seed++) {
    const random = new SeededRandom(seed);
    const inputs = Array.from({ length: 1 + random.int(6) }, () => anyInput(random).input);
    const position = anyPosition(random);
    const records = readRecords(Buffer.concat(inputs.map((input) => written(input, position))));
    assert.equal(records.length, inputs.length);
    for (const [index, record] of records.entries()) assertSame(record, inputs[index]!, position);
  }
});

it(`a record that is cut off anywhere is short, one with another length or body is none (${RUNS} runs)`, () => {
  for (let seed = 0; seed < RUNS; seed++) {
    const random = new SeededRandom(seed);
    const { input } = anyInput(random);
    const position = anyPosition(random);
    const bytes = written(input, position);
    const cut = 8 + random.int(bytes.length - 8);
    assert.equal(checkRecord(bytes, 0, cut).kind, "short", `seed ${seed}, cut at ${cut} of ${bytes.length}`);
    const other = Buffer.from(bytes);
    const size = RECORD_BYTES_MIN + random.int(bytes.length + 50);
    other.writeInt32BE(size, 0);
    if (size !== bytes.length)
      assert.notEqual(checkRecord(other, 0, other.length).kind, "record", `seed ${seed}`);
    if (input.body.length === 0) continue;
    const damaged = Buffer.from(bytes);
    const at = bodyLengthAt(readRecord(bytes, 0, bytes.length).sysFlag) + 4 + random.int(input.body.length);
    damaged[at] = damaged[at]! ^ (1 << random.int(8));
    assert.equal(checkRecord(damaged, 0, damaged.length).kind, "bad", `seed ${seed}, body byte ${at}`);
  }
});
