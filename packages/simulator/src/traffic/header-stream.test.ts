import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@orbitmq/host/sim";
import { HeaderStream } from "./header-stream.ts";

function frame(header: string, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + header.length + bodyBytes, 0x78);
  bytes.writeInt32BE(4 + header.length + bodyBytes, 0);
  bytes.writeInt32BE((1 << 24) | header.length, 4);
  bytes.write(header, 8, "latin1");
  return bytes;
}

test("every header is found, however the stream is cut", () => {
  const random = new SeededRandom(5);
  for (let round = 0; round < 200; round++) {
    const headers = Array.from({ length: 12 }, (_, index) => `h${index}`.repeat(1 + random.int(200)));
    const stream = Buffer.concat(headers.map((header) => frame(header, random.pick([0, 1, 7, 5_000]))));
    const found: string[] = [];
    const watch = new HeaderStream((buffer, start, end) => {
      assert.equal(end - start, 8 + buffer.readUIntBE(start + 5, 3));
      found.push(buffer.toString("latin1", start + 8, end));
    });
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + 1 + random.int(random.pick([3, 50, 6_000])));
      watch.feed(stream.subarray(at, end));
      at = end;
    }
    assert.deepEqual(found, headers);
  }
});
