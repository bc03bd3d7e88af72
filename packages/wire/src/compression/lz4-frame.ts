/**
 * LZ4 frames, the form in which RocketMQ compresses bodies with LZ4. Grammar, little-endian:
 *
 *   frame = magic:u32 flags:u8 blockMaximum:u8 [contentSize:u64] [dictionaryId:u32] headerChecksum:u8
 *           { blockSize:u32 block [blockChecksum:u32] } 0:u32 [contentChecksum:u32]
 *
 * The highest bit of blockSize marks a block stored as it is. Checksums are verified where present.
 */

import { WireError } from "../wire-error.ts";
import { decodeLz4Block, encodeLz4Block, lz4BlockBytesMax } from "./lz4-block.ts";
import { xxHash32 } from "./xxhash32.ts";

const MAGIC = 0x184d2204;
const FLAG_DICTIONARY = 0x01;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_BLOCKS_INDEPENDENT = 0x20;
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const RAW_BLOCK = 0x80000000;
/** What the 4 MiB block size code allows. */
const BLOCK_BYTES_MAX = 4 * 1024 * 1024;
const BLOCK_CODE_4_MIB = 0x70;
const FIRST_GUESS_RATIO = 4;

function failed(what: string): WireError {
  return new WireError("CODEC_FAILED", `an LZ4 frame is damaged: ${what}`);
}

/** Grows as blocks are decoded, never beyond its limit. */
class Output {
  bytes: Buffer;
  length = 0;
  readonly #bytesMax: number;

  constructor(firstGuess: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.bytes = Buffer.allocUnsafe(Math.min(firstGuess, bytesMax));
  }

  grow(): void {
    if (this.bytes.length === this.#bytesMax) {
      throw new WireError("CODEC_FAILED", `an LZ4 frame grows beyond ${this.#bytesMax} bytes`);
    }
    const grown = Buffer.allocUnsafe(Math.min(2 * this.bytes.length + 1024, this.#bytesMax));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Throws WireError CODEC_FAILED when the frame is damaged or its content longer than `bytesMax`. */
export function decodeLz4Frame(source: Buffer, bytesMax: number): Buffer {
  if (source.length < 7 || source.readUInt32LE(0) !== MAGIC) throw failed("its magic is wrong");
  const flags = source[4]!;
  if ((flags & VERSION_MASK) !== VERSION) throw failed("its version is unknown");
  if ((flags & FLAG_DICTIONARY) !== 0) throw failed("it needs a dictionary");
  const descriptorEnd = 6 + ((flags & FLAG_CONTENT_SIZE) !== 0 ? 8 : 0);
  if (source.length < descriptorEnd + 1) throw failed("it is cut off");
  if (((xxHash32(source, 4, descriptorEnd) >>> 8) & 0xff) !== source[descriptorEnd]) {
    throw failed("its header does not match its checksum");
  }
  const output = new Output(source.length * FIRST_GUESS_RATIO, bytesMax);
  const end = decodeBlocks(source, descriptorEnd + 1, output, (flags & FLAG_BLOCK_CHECKSUM) !== 0);
  const content = output.bytes.subarray(0, output.length);
  if ((flags & FLAG_CONTENT_CHECKSUM) !== 0) {
    if (source.length - end < 4) throw failed("it is cut off");
    if (xxHash32(content) !== source.readUInt32LE(end)) throw failed("it does not match its checksum");
  }
  return content;
}

/** Decodes up to and including the end mark; returns where that ends. */
function decodeBlocks(source: Buffer, start: number, output: Output, hasChecksums: boolean): number {
  let at = start;
  for (;;) {
    if (source.length - at < 4) throw failed("it is cut off");
    const word = source.readUInt32LE(at);
    at += 4;
    if (word === 0) return at;
    const size = word & 0x7fffffff;
    const checksumBytes = hasChecksums ? 4 : 0;
    if (size > BLOCK_BYTES_MAX || size + checksumBytes > source.length - at) {
      throw failed(`it has a block of ${size} bytes`);
    }
    if (hasChecksums && xxHash32(source, at, at + size) !== source.readUInt32LE(at + size)) {
      throw failed("a block does not match its checksum");
    }
    if ((word & RAW_BLOCK) !== 0) appendRaw(source, at, size, output);
    else appendBlock(source, at, at + size, output);
    at += size + checksumBytes;
  }
}

function appendRaw(source: Buffer, at: number, size: number, output: Output): void {
  while (output.bytes.length - output.length < size) output.grow();
  source.copy(output.bytes, output.length, at, at + size);
  output.length += size;
}

function appendBlock(source: Buffer, at: number, end: number, output: Output): void {
  for (;;) {
    const length = decodeLz4Block(source, at, end, output.bytes, output.length);
    if (length === -1) throw failed("a block cannot be decoded");
    if (length >= 0) {
      output.length = length;
      return;
    }
    output.grow();
  }
}

/** One frame of independent 4 MiB blocks without checksums, as RocketMQ's producers write it. */
export function encodeLz4Frame(source: Buffer): Buffer {
  const blocks = Math.ceil(source.length / BLOCK_BYTES_MAX);
  const target = Buffer.allocUnsafe(15 + 4 * blocks + lz4BlockBytesMax(source.length) + 16 * blocks);
  let at = target.writeUInt32LE(MAGIC, 0);
  target[at++] = VERSION | FLAG_BLOCKS_INDEPENDENT;
  target[at++] = BLOCK_CODE_4_MIB;
  target[at] = (xxHash32(target, 4, at) >>> 8) & 0xff;
  at++;
  for (let start = 0; start < source.length; start += BLOCK_BYTES_MAX) {
    const end = Math.min(start + BLOCK_BYTES_MAX, source.length);
    const blockEnd = encodeLz4Block(source, start, end, target, at + 4);
    const size = blockEnd - at - 4;
    if (size < end - start) {
      target.writeUInt32LE(size, at);
      at = blockEnd;
    } else {
      target.writeUInt32LE(((end - start) | RAW_BLOCK) >>> 0, at);
      source.copy(target, at + 4, start, end);
      at += 4 + end - start;
    }
  }
  return target.subarray(0, target.writeUInt32LE(0, at));
}
