import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../testing/random.ts";
import { bodyCrc, bodyCrcBetween, joinedCrc32, plainCrc32, rangeCrc32 } from "./crc32.ts";

describe("CRC-32", () => {
  const random = new SeededRandom(1);
  const bytes = random.bytes(70_000);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

  it("of a range is the engine's, however long it is and wherever it begins", () => {
    for (let length = 0; length < 600; length++) {
      const start = random.int(100);
      const range = bytes.subarray(start, start + length);
      for (const before of [0, 1, -1, 0x7fffffff, random.int(2 ** 32) | 0]) {
        assert.equal(
          rangeCrc32(view, start, start + length, before),
          plainCrc32(range, before >>> 0) | 0,
          `${length} bytes at ${start} behind ${before}`,
        );
      }
    }
  });

  it("of two ranges follows from that of each", () => {
    const lengths = [0, 1, 2, 7, 8, 255, 4095, 4096, 4097, 8191, 8192, 65_000];
    for (const secondBytes of lengths) {
      const firstBytes = random.int(300);
      const first = plainCrc32(bytes.subarray(0, firstBytes)) | 0;
      const second = plainCrc32(bytes.subarray(firstBytes, firstBytes + secondBytes)) | 0;
      assert.equal(
        joinedCrc32(first, second, secondBytes),
        plainCrc32(bytes.subarray(0, firstBytes + secondBytes)) | 0,
        `${firstBytes} and ${secondBytes} bytes`,
      );
    }
  });

  it("of two ranges is right for bodies of any length that there can be", () => {
    const megabytes = Buffer.alloc(16 * 1024 * 1024 - 1, "record");
    const second = plainCrc32(megabytes) | 0;
    assert.equal(joinedCrc32(0x12345678, second, megabytes.length), plainCrc32(megabytes, 0x12345678) | 0);
  });

  it("of a buffer's part is the engine's, also when buffers share memory and when their bytes change", () => {
    const buffers = [
      bytes,
      bytes.subarray(3, 900),
      bytes.subarray(4, 900),
      new Uint8Array(bytes.subarray(0, 900)),
    ];
    for (let round = 0; round < 200; round++) {
      const buffer = buffers[random.int(buffers.length)]!;
      const start = random.int(100);
      const end = start + random.int(700);
      assert.equal(bodyCrcBetween(buffer, start, end), bodyCrc(buffer.subarray(start, end)));
      buffers[3]![random.int(900)]! ^= 1;
    }
  });
});
