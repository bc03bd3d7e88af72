import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import { decodeCommand } from "./decode-command.ts";
import { asBuffer, FrameDecoder } from "./frame.ts";
import { FrameChunkPool } from "./frame-chunk-pool.ts";
import { FrameWriter, type OutgoingFrame } from "./frame-writer.ts";
import { type RemotingCommand, SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "./remoting-command.ts";

function outgoing(overrides: Partial<OutgoingFrame> = {}): OutgoingFrame {
  return {
    serializeType: SERIALIZE_ROCKETMQ,
    code: 310,
    language: 13,
    version: 513,
    opaque: 42,
    flag: 0,
    ...overrides,
  };
}

function decoded(slices: readonly Uint8Array[]): RemotingCommand[] {
  const commands: RemotingCommand[] = [];
  const decoder = new FrameDecoder((buffer, start, end) => {
    commands.push(decodeCommand(Buffer.from(buffer.subarray(start, end))));
  });
  decoder.feed(Buffer.concat(slices));
  assert.equal(decoder.bufferedBytes, 0);
  return commands;
}

const awkward = [
  ["plain", "text"],
  ["quote", 'say "hi" \\ / \u0001\u0002\n'],
  ["unicode", "grün 😀 \u2028"],
  ["long", "x".repeat(300)],
  ["empty", ""],
  ["lone", "\u007f"],
] as const;

describe("FrameWriter", () => {
  for (const serializeType of [SERIALIZE_JSON, SERIALIZE_ROCKETMQ] as const) {
    const encoding = serializeType === SERIALIZE_JSON ? "JSON" : "ROCKETMQ";

    it(`writes ${encoding} frames that decode to what was written`, () => {
      const writer = new FrameWriter();
      const header: OutgoingFrame["header"] = (sink) => {
        for (const [name, value] of awkward) sink.put(name, value);
      };
      const remark = 'a "remark"\n grün';
      writer.frame(
        outgoing({ serializeType, header, remark, flag: 3, body: [Buffer.from("ab"), Buffer.from("c")] }),
      );
      writer.frame(outgoing({ serializeType, opaque: -1 }));
      const [first, second] = decoded(writer.take()!.slices);
      for (const [name, value] of awkward) assert.equal(first!.ext.get(name), value, name);
      assert.deepEqual(
        [first!.code, first!.language, first!.version, first!.opaque, first!.flag, first!.remark],
        [310, 13, 513, 42, 3, remark],
      );
      assert.equal(Buffer.from(first!.body).toString(), "abc");
      assert.deepEqual([second!.opaque, second!.remark, second!.body.length], [-1, undefined, 0]);
      assert.equal(first!.serializeType, serializeType);
    });

    it(`writes ${encoding} frames across chunks of any size`, () => {
      for (const chunkBytes of [16, 64, 200, 1000]) {
        const writer = new FrameWriter({ pool: new FrameChunkPool(chunkBytes), copiedSliceBytesMax: 10 });
        const bodies = [0, 5, 10, 11, 3000];
        for (const [i, bytes] of bodies.entries()) {
          const header: OutgoingFrame["header"] = (sink) => {
            for (const [name, value] of awkward.slice(0, i + 1)) sink.put(name, value);
          };
          writer.frame(outgoing({ serializeType, opaque: i, header, body: [Buffer.alloc(bytes, i)] }));
        }
        const total = writer.byteLength;
        const batch = writer.take()!;
        assert.equal(batch.byteLength, total);
        assert.equal(Buffer.concat(batch.slices).length, total);
        const commands = decoded(batch.slices);
        assert.deepEqual(
          commands.map(({ opaque, body }) => [opaque, body.length]),
          bodies.map((bytes, i) => [i, bytes]),
        );
        assert.equal(commands[4]!.ext.get("empty"), "");
        batch.release();
      }
    });
  }

  it("writes codes that do not fit 16 bits as JSON", () => {
    const writer = new FrameWriter();
    for (const code of [32_767, 32_768, -32_768, -32_769, 200_050]) writer.frame(outgoing({ code }));
    assert.deepEqual(
      decoded(writer.take()!.slices).map(({ code, serializeType }) => [code, serializeType]),
      [
        [32_767, SERIALIZE_ROCKETMQ],
        [32_768, SERIALIZE_JSON],
        [-32_768, SERIALIZE_ROCKETMQ],
        [-32_769, SERIALIZE_JSON],
        [200_050, SERIALIZE_JSON],
      ],
    );
  });

  it("passes large slices of bodies on as they are and copies small ones", () => {
    const writer = new FrameWriter({ copiedSliceBytesMax: 100 });
    const small = Buffer.alloc(100, 1);
    const mixed = [Buffer.alloc(101, 2), Buffer.alloc(0), Buffer.alloc(60, 3), Buffer.alloc(300, 4)];
    writer.frame(outgoing({ body: [small] }));
    writer.frame(outgoing({ body: mixed }));
    writer.frame(outgoing());
    const { slices } = writer.take()!;
    assert.equal(slices.length, 5);
    assert.equal(slices[1], mixed[0]);
    assert.deepEqual(slices[2], mixed[2]);
    assert.equal(slices[3], mixed[3]);
    const bodies = decoded(slices).map(({ body }) => asBuffer(body).toString("latin1"));
    assert.deepEqual(bodies, [small.toString("latin1"), Buffer.concat(mixed).toString("latin1"), ""]);
  });

  it("goes on in other chunks with a body of many small slices, which are pooled like the first", () => {
    const pool = new FrameChunkPool(256);
    for (let slice = 1; slice < 300; slice += 7) {
      const writer = new FrameWriter({ pool });
      const body = Array.from({ length: 40 }, (_, index) => Buffer.alloc(slice, index));
      for (let opaque = 0; opaque < 3; opaque++) writer.frame(outgoing({ opaque, body }));
      const batch = writer.take()!;
      const commands = decoded(batch.slices);
      assert.deepEqual(
        commands.map((command) => [command.opaque, asBuffer(command.body).equals(Buffer.concat(body))]),
        [0, 1, 2].map((opaque) => [opaque, true]),
      );
      batch.release();
    }
  });

  it("moves to a new chunk behind a slice without losing or repeating a byte", () => {
    for (let valueBytes = 0; valueBytes < 200; valueBytes++) {
      const writer = new FrameWriter({ pool: new FrameChunkPool(128), copiedSliceBytesMax: 0 });
      const header: OutgoingFrame["header"] = (sink) => sink.put("v", "x".repeat(valueBytes));
      for (let opaque = 0; opaque < 4; opaque++)
        writer.frame(outgoing({ opaque, header, body: [Buffer.from("body")] }));
      assert.deepEqual(
        decoded(writer.take()!.slices).map(({ opaque, ext }) => [opaque, ext.get("v")?.length]),
        [0, 1, 2, 3].map((opaque) => [opaque, valueBytes]),
      );
    }
  });

  it("appends nothing when the header callback throws or the frame is too long", () => {
    const writer = new FrameWriter({ frameBytesMax: 1000 });
    writer.frame(outgoing({ opaque: 1 }));
    assert.throws(
      () =>
        writer.frame(
          outgoing({
            header: (sink) => {
              sink.put("a", "b".repeat(200));
              throw new Error("no");
            },
          }),
        ),
      /no/,
    );
    assert.throws(
      () => writer.frame(outgoing({ body: [Buffer.alloc(1000)] })),
      (error) => error instanceof WireError && error.code === "FRAME_TOO_LARGE",
    );
    writer.frame(outgoing({ opaque: 2 }));
    assert.deepEqual(
      decoded(writer.take()!.slices).map(({ opaque }) => opaque),
      [1, 2],
    );
  });

  it("has nothing to take before a frame and after taking", () => {
    const writer = new FrameWriter();
    assert.equal(writer.take(), undefined);
    writer.frame(outgoing());
    assert.ok(writer.take());
    assert.equal(writer.take(), undefined);
    assert.equal(writer.byteLength, 0);
  });

  it("uses a chunk again only after its batch was released, and only once", () => {
    const pool = new FrameChunkPool(1024);
    const writer = new FrameWriter({ pool });
    writer.frame(outgoing({ opaque: 1 }));
    const first = writer.take()!;
    writer.frame(outgoing({ opaque: 2 }));
    const second = writer.take()!;
    assert.notEqual(first.slices[0]!.buffer, second.slices[0]!.buffer);
    first.release();
    assert.throws(() => first.release(), /released once/);
    writer.frame(outgoing({ opaque: 3 }));
    const third = writer.take()!;
    assert.equal(third.slices[0]!.buffer, first.slices[0]!.buffer);
    assert.equal(decoded(second.slices)[0]!.opaque, 2);
    assert.equal(decoded(third.slices)[0]!.opaque, 3);
  });

  it("refuses a frame written from inside a header callback", () => {
    const writer = new FrameWriter();
    assert.throws(
      () => writer.frame(outgoing({ header: () => writer.frame(outgoing()) })),
      /header callback/,
    );
  });
});
