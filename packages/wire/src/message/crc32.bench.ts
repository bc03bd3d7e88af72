/**
 * Nanoseconds of processor time for the checksum of records of several lengths that lie behind each other, by Node's
 * function and by ours: `node --conditions=orbitmq-source --import tsx packages/wire/src/crc32.bench.ts`
 */
import { bodyCrc, bodyCrcBetween } from "./crc32.ts";

const BLOCK_BYTES = 256 * 1024;
const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
for (let at = 0; at < BLOCK_BYTES; at += 1) block[at] = Math.imul(at, 2654435761) >>> 13;
let kept = 0;

function nanoseconds(length: number, sum: (from: number, to: number) => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round += 1) {
    let count = 0;
    const before = process.cpuUsage();
    for (let pass = 0; pass < 20; pass += 1) {
      for (let at = 0; at + length <= BLOCK_BYTES; at += length, count += 1) kept ^= sum(at, at + length);
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (1000 * (user + system)) / count);
  }
  return best;
}

for (const length of [32, 128, 311, 512, 640, 1235, 4096]) {
  const node = nanoseconds(length, (from, to) => bodyCrc(new Uint8Array(block.buffer, from, to - from)));
  const ours = nanoseconds(length, (from, to) => bodyCrcBetween(block, from, to));
  console.log(`${`${length} B`.padStart(7)}: zlib ${node.toFixed(0)} ns, ours ${ours.toFixed(0)} ns`);
}
if (kept === 1) console.log("");
