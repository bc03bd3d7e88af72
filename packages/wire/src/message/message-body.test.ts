import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import { encodeLz4Frame } from "../compression/lz4-frame.ts";
import { xxHash32 } from "../compression/xxhash32.ts";
import { canCompressZstd } from "../compression/zstd.ts";
import { goldenBytes, goldenRecords } from "../testing/golden.ts";
import { SeededRandom } from "../testing/random.ts";
import { WireError, type WireErrorCode } from "../wire-error.ts";
import {
  type BodyCompression,
  bodyCompression,
  compressBody,
  decompressBody,
  loadBodyCodec,
} from "./message-body.ts";
import { readRecord } from "./read-record.ts";
import { MessageSysFlag } from "./sys-flag.ts";

const text = Buffer.from(
  Array.from({ length: 2000 }, (_, i) => `line ${i} of an order that repeats itself, grün\n`).join(""),
);

const flags: Readonly<Record<BodyCompression, number>> = {
  ZLIB: MessageSysFlag.COMPRESSED | MessageSysFlag.COMPRESSION_ZLIB,
  LZ4: MessageSysFlag.COMPRESSED | MessageSysFlag.COMPRESSION_LZ4,
  ZSTD: MessageSysFlag.COMPRESSED | MessageSysFlag.COMPRESSION_ZSTD,
};
const compressions = Object.keys(flags) as BodyCompression[];

async function decompressed(body: Uint8Array, sysFlag: number, bytesMax?: number): Promise<Buffer> {
  await loadBodyCodec(sysFlag);
  return Buffer.from(decompressBody(body, sysFlag, bytesMax));
}

function hasCode(code: WireErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof WireError && error.code === code;
}

describe("a compressed body", () => {
  for (const compression of compressions) {
    const lower = compression.toLowerCase();

    it(`from Java with ${compression} is decompressed`, async () => {
      assert.deepEqual(await decompressed(goldenBytes(`codec/text.${lower}`), flags[compression]), text);
      assert.equal((await decompressed(goldenBytes(`codec/empty.${lower}`), flags[compression])).length, 0);
    });

    it(`with ${compression} may not grow beyond the limit`, async () => {
      const body = goldenBytes(`codec/text.${lower}`);
      assert.equal((await decompressed(body, flags[compression], text.length)).length, text.length);
      await assert.rejects(decompressed(body, flags[compression], text.length - 1), hasCode("CODEC_FAILED"));
    });

    it(`with ${compression} that is cut off is refused`, async () => {
      const body = goldenBytes(`codec/text.${lower}`);
      for (const bytes of [0, 1, 3, 5, 10, 100, body.length - 1]) {
        await assert.rejects(
          decompressed(body.subarray(0, bytes), flags[compression]),
          hasCode("CODEC_FAILED"),
          `${bytes} bytes`,
        );
      }
    });

    it(`with ${compression} comes back as it was`, async () => {
      if (compression === "ZSTD" && !canCompressZstd()) {
        assert.throws(() => compressBody(text, compression), hasCode("CODEC_UNAVAILABLE"));
        return;
      }
      for (const body of [text, Buffer.alloc(0), Buffer.from("x"), Buffer.alloc(200_000)]) {
        const { body: small, sysFlagBits } = compressBody(body, compression);
        assert.equal(bodyCompression(sysFlagBits), compression);
        assert.deepEqual(await decompressed(small, sysFlagBits), body);
      }
      assert.ok(compressBody(text, compression).body.length < text.length / 5);
    });
  }

  it("in a Java broker's log is decompressed by its sysFlag", async () => {
    const seen = new Set<BodyCompression | undefined>();
    for (const { bytes } of goldenRecords) {
      const { body, sysFlag } = readRecord(bytes);
      seen.add(bodyCompression(sysFlag));
      assert.ok((await decompressed(body, sysFlag)).length > 0);
    }
    assert.deepEqual([...seen].filter((kind) => kind !== undefined).sort(), [...compressions].sort());
  });

  it("without compression bits is zlib, as 4.x writes it", async () => {
    assert.deepEqual(await decompressed(deflateSync(text), MessageSysFlag.COMPRESSED), text);
  });

  it("is itself when the sysFlag says so", () => {
    assert.equal(decompressBody(text, MessageSysFlag.COMPRESSION_LZ4), text);
  });

  it("with compression bits nobody knows is refused", () => {
    assert.throws(
      () => decompressBody(text, MessageSysFlag.COMPRESSED | 0x700),
      hasCode("CODEC_UNAVAILABLE"),
    );
  });
});

describe("LZ4", () => {
  const random = new SeededRandom(4);

  it("stores what does not compress", async () => {
    const raw = goldenBytes("codec/random.raw");
    assert.deepEqual(await decompressed(goldenBytes("codec/random.lz4"), flags.LZ4), raw);
    assert.equal(encodeLz4Frame(raw).length, raw.length + 15);
  });

  it("comes back for every length around the format's own limits, and across blocks", async () => {
    for (let length = 0; length < 80; length++) {
      const body = Buffer.alloc(length, "abc");
      assert.deepEqual(await decompressed(encodeLz4Frame(body), flags.LZ4), body);
    }
    const large = Buffer.concat([
      random.bytes(70_000),
      Buffer.alloc(4 * 1024 * 1024 + 5, "0123456789"),
      random.bytes(20),
    ]);
    assert.deepEqual(await decompressed(encodeLz4Frame(large), flags.LZ4), large);
  });

  it("ends every block with five literals, as other decoders expect", () => {
    const frame = encodeLz4Frame(Buffer.alloc(1000, "a"));
    assert.equal(frame.subarray(frame.length - 10).toString("hex"), `50${"61".repeat(5)}00000000`);
  });

  it("with checksums and a content size is verified", async () => {
    const body = Buffer.from("hello hello hello hello");
    const header = Buffer.alloc(15);
    header.writeUInt32LE(0x184d2204, 0);
    header[4] = 0x40 | 0x20 | 0x10 | 0x08 | 0x04;
    header[5] = 0x40;
    header.writeUInt32LE(body.length, 6);
    header[14] = (xxHash32(header, 4, 14) >>> 8) & 0xff;
    const word = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value >>> 0);
      return bytes;
    };
    const size = word(0x80000000 | body.length);
    const good = [header, size, body, word(xxHash32(body)), word(0), word(xxHash32(body))];
    assert.deepEqual(await decompressed(Buffer.concat(good), flags.LZ4), body);
    for (const wrong of [0, 3, 5]) {
      const parts = good.map((part) => Buffer.from(part));
      parts[wrong]![parts[wrong]!.length - 1]! ^= 1;
      await assert.rejects(decompressed(Buffer.concat(parts), flags.LZ4), hasCode("CODEC_FAILED"));
    }
  });

  it("has the checksums of the xxHash specification", () => {
    assert.equal(xxHash32(Buffer.alloc(0)), 0x02cc5d05);
    assert.equal(xxHash32(Buffer.from("a")), 0x550d7456);
    assert.equal(xxHash32(Buffer.from("abc")), 0x32d153ff);
    assert.equal(xxHash32(Buffer.from("Nobody inspects the spammish repetition")), 0xe2293b2f);
  });

  it("refuses a frame that needs a dictionary, and references before its start", async () => {
    const dictionary = Buffer.from(encodeLz4Frame(Buffer.from("x")));
    dictionary[4]! |= 1;
    await assert.rejects(decompressed(dictionary, flags.LZ4), hasCode("CODEC_FAILED"));
    for (const [offset, isGood] of [
      ["0100", true],
      ["0200", false],
      ["0500", false],
      ["0000", false],
    ] as const) {
      // One literal "A", then a match of four bytes, then one literal "B".
      const block = Buffer.from(`1041${offset}1042`, "hex");
      const frame = Buffer.concat([
        encodeLz4Frame(Buffer.alloc(0)).subarray(0, 7),
        Buffer.from(`06000000${block.toString("hex")}00000000`, "hex"),
      ]);
      if (isGood) assert.equal((await decompressed(frame, flags.LZ4)).toString(), "AAAAAB");
      else await assert.rejects(decompressed(frame, flags.LZ4), hasCode("CODEC_FAILED"));
    }
  });
});

describe("Zstandard", () => {
  it("refuses a frame that promises more than the limit before it allocates anything", async () => {
    // Single segment, 8-byte content size of 2^40, one raw block.
    const frame = Buffer.from(`28b52ffd${"e0"}${"0000000000010000"}${"010000"}`, "hex");
    await assert.rejects(decompressed(frame, flags.ZSTD), hasCode("CODEC_FAILED"));
    // A window of 2 GiB.
    const window = Buffer.from(`28b52ffd${"00"}${"a8"}${"010000"}`, "hex");
    await assert.rejects(decompressed(window, flags.ZSTD), hasCode("CODEC_FAILED"));
  });
});
