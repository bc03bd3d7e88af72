import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import { FRAME_BYTES_MAX, FrameDecoder } from "./frame.ts";

function frame(headerBytes: number, bodyBytes: number, fill = 0x61): Buffer {
  const bytes = Buffer.alloc(8 + headerBytes + bodyBytes, fill);
  bytes.writeInt32BE(4 + headerBytes + bodyBytes, 0);
  bytes.writeInt32BE(headerBytes, 4);
  return bytes;
}

function collect(frameBytesMax?: number): { decoder: FrameDecoder; frames: Buffer[]; sources: Buffer[] } {
  const frames: Buffer[] = [];
  const sources: Buffer[] = [];
  const decoder = new FrameDecoder((buffer, start, end) => {
    sources.push(buffer);
    frames.push(Buffer.from(buffer.subarray(start, end)));
  }, frameBytesMax);
  return { decoder, frames, sources };
}

function throwsCode(code: string, run: () => void): void {
  assert.throws(run, (error) => error instanceof WireError && error.code === code);
}

describe("FrameDecoder", () => {
  it("hands on frames inside a chunk without copying them", () => {
    const { decoder, frames, sources } = collect();
    const chunk = Buffer.concat([frame(3, 5), frame(0, 0), frame(20, 0)]);
    decoder.feed(chunk);
    assert.deepEqual(frames, [frame(3, 5), frame(0, 0), frame(20, 0)]);
    assert.ok(sources.every((source) => source === chunk));
    assert.equal(decoder.bufferedBytes, 0);
  });

  it("takes a plain Uint8Array", () => {
    const { decoder, frames } = collect();
    decoder.feed(new Uint8Array(frame(3, 5)));
    assert.deepEqual(frames, [frame(3, 5)]);
  });

  it("assembles a frame cut at every possible place", () => {
    const whole = Buffer.concat([frame(3, 5, 1), frame(2, 9, 2)]);
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        const { decoder, frames } = collect();
        decoder.feed(whole.subarray(0, first));
        decoder.feed(whole.subarray(first, second));
        decoder.feed(whole.subarray(second));
        assert.deepEqual(Buffer.concat(frames), whole);
        assert.equal(frames.length, 2);
      }
    }
  });

  it("keeps a copy of an unfinished frame, not the chunk", () => {
    const { decoder, frames } = collect();
    const chunk = frame(3, 5).subarray(0, 10);
    decoder.feed(chunk);
    assert.equal(decoder.bufferedBytes, 10);
    chunk.fill(0);
    decoder.feed(frame(3, 5).subarray(10));
    assert.deepEqual(frames, [frame(3, 5)]);
  });

  it("does not allocate what a length promises before it arrives", () => {
    const beginning = Buffer.alloc(100);
    beginning.writeInt32BE(15 * 1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 200 }, () => collect().decoder);
    for (const decoder of decoders) decoder.feed(beginning);
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024);
    assert.ok(decoders.every(({ bufferedBytes }) => bufferedBytes === 100));
  });

  it("refuses a frame beyond the limit as soon as its prefix is there", () => {
    const { decoder, frames } = collect(1000);
    decoder.feed(frame(0, 992));
    assert.equal(frames.length, 1);
    throwsCode("FRAME_TOO_LARGE", () => decoder.feed(frame(0, 993).subarray(0, 8)));
    assert.equal(FRAME_BYTES_MAX, 16_777_216);
  });

  it("refuses lengths that contradict each other, also when the prefix comes in pieces", () => {
    for (const [total, headerBytes] of [
      [3, 0],
      [-1, 0],
      [-0x80000000, 0],
      [10, 7],
    ] as const) {
      const bytes = Buffer.alloc(64);
      bytes.writeInt32BE(total, 0);
      bytes.writeInt32BE(headerBytes, 4);
      throwsCode("FRAME_MALFORMED", () => collect().decoder.feed(bytes));
      const { decoder } = collect();
      decoder.feed(bytes.subarray(0, 5));
      throwsCode("FRAME_MALFORMED", () => decoder.feed(bytes.subarray(5)));
    }
  });

  it("hands on what came before a bad length and ignores what comes after", () => {
    const { decoder, frames } = collect();
    const bad = Buffer.alloc(8, 0xff);
    throwsCode("FRAME_MALFORMED", () => decoder.feed(Buffer.concat([frame(1, 1), bad])));
    assert.deepEqual(frames, [frame(1, 1)]);
    decoder.feed(frame(1, 1));
    assert.equal(frames.length, 1);
  });

  it("stops in the middle of a chunk when told to", () => {
    let seen = 0;
    const decoder = new FrameDecoder(() => {
      seen++;
      decoder.stop();
    });
    decoder.feed(Buffer.concat([frame(1, 1), frame(1, 1), frame(1, 1).subarray(0, 9)]));
    assert.equal(seen, 1);
    assert.equal(decoder.bufferedBytes, 0);
  });
});
