import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "@orbitmq/host/sim";
import { RecordField, recordSize, writeRecord } from "@orbitmq/wire";
import { RecordEncoder } from "../commit-log/record-encoder.ts";
import { resealRecord, sealBytes } from "../commit-log/record-seal.ts";
import { Slab } from "../commit-log/slab.ts";
import { message } from "../testing/store-driver.ts";
import { isPromised, whatIsWrong } from "./record-check.ts";

const POSITION = 2 ** 40 + 123;
const OFFSET = 2 ** 33 + 7;
/** Where the record lies in its block. */
const AT = 5;

function stored(topic: string, isSealed = true): { bytes: Buffer; size: number } {
  const bytes = Buffer.alloc(1024, 0xaa);
  const input = message("b".repeat(100), { topic, queueId: 3 });
  const place = { queueOffset: OFFSET, physicalOffset: POSITION, storeTimestamp: 1_700_000_000_000 };
  if (!isSealed) return { bytes, size: writeRecord(input, bytes, AT, place) };
  const size = recordSize(input) + sealBytes(input.properties);
  new RecordEncoder().write(input, new Slab(bytes), AT, size, place);
  return { bytes, size };
}

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const promise = (topic: string, queueId = 3) => ({ queueId, topicBytes: Buffer.from(topic) });

describe("a record from disk", () => {
  for (const topic of ["Topic", "t".repeat(200)]) {
    it(`is the promised one with a topic of ${topic.length} bytes, and not with any bit before its checksum changed`, () => {
      const { bytes, size } = stored(topic);
      const digitsAt = size - 11;
      assert.equal(isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise(topic)), true);
      for (let bit = AT * 8; bit < (AT + size) * 8; bit += 1) {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const isBelieved = isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise(topic));
        const at = (bit >> 3) - AT;
        const isOfSealName = (at >= digitsAt - 9 && at < digitsAt) || at === size - 1;
        assert.equal(isBelieved, isOfSealName, `bit ${bit & 7} of byte ${at}`);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      }
    });
  }

  it("is not the promised one of another place, queue, topic or size", () => {
    const { bytes, size } = stored("Topic");
    assert.equal(isPromised(viewOf(bytes), AT, size, POSITION + 1, OFFSET, promise("Topic")), false);
    assert.equal(isPromised(viewOf(bytes), AT, size, POSITION, OFFSET - 2 ** 32, promise("Topic")), false);
    assert.equal(isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise("Topic", 4)), false);
    assert.equal(isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise("Topit")), false);
    assert.equal(isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise("Topi")), false);
    assert.equal(isPromised(viewOf(bytes), AT, size - 1, POSITION, OFFSET, promise("Topic")), false);
  });

  it("is refused, and nothing behind it is read, whatever size its unit says at the end of a block", () => {
    const { bytes, size } = stored("Topic");
    const random = new SeededRandom(7);
    for (let short = 0; short <= size; short += 1) {
      const block = Buffer.from(bytes.subarray(0, AT + short));
      for (let round = 0; round < 20; round += 1) {
        if (short >= 4) block.writeInt32BE(short, AT);
        assert.equal(
          isPromised(viewOf(block), AT, short, POSITION, OFFSET, promise("Topic")),
          short === size,
        );
        const at = AT + random.int(short + 1);
        if (short < size && at < block.length) block[at] = random.int(256);
      }
    }
  });

  it("is looked at closer when it has no seal, and is then right", () => {
    const { bytes, size } = stored("Topic", false);
    assert.equal(isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise("Topic")), false);
    assert.equal(whatIsWrong(bytes, AT, size, POSITION, OFFSET, promise("Topic")), undefined);
  });

  it("whose lengths lead astray is refused although its seal matches", () => {
    const { bytes, size } = stored("Topic");
    const bodyLengthAt = AT + RecordField.BORN_HOST + 8 + 8 + 8 + 4 + 8;
    assert.equal(bytes.readInt32BE(bodyLengthAt), 100);
    for (const length of [-1, 99, 101, 2 ** 31 - 1]) {
      bytes.writeInt32BE(length, bodyLengthAt);
      // As a writer gone wrong would leave it; the seal lies at the end whatever the lengths say.
      resealRecord(bytes, AT, size);
      assert.equal(
        isPromised(viewOf(bytes), AT, size, POSITION, OFFSET, promise("Topic")),
        false,
        `${length}`,
      );
    }
  });
});
