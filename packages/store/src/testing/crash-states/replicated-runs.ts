/** Runs of a store that takes over another's log: `appendAt`, and `truncateTo` where the two have parted. */
import { physicalOffset } from "@orbitmq/host";
import { recordSize, writeRecord } from "@orbitmq/wire";
import { message, SMALL } from "../store-driver.ts";
import type { Message } from "./history.ts";
import { bodyOf, Recorder, type Recording } from "./recorder.ts";
import { betweenOf } from "./seeded-between.ts";

/** Takes over the source's log from where the copy ends, in chunks. */
function follow(source: Recorder, copy: Recorder, chunkBytes: number, settleEvery: number): void {
  const start = copy.driver.store.status().writtenOffset;
  const subscription = source.driver.store.subscribeTail(start, { logGrew: () => {}, logCut: () => {} });
  for (let chunks = 1; subscription.position < source.driver.store.status().writtenOffset; chunks += 1) {
    const from = subscription.position;
    subscription.next(chunkBytes, (error, chunk) => {
      if (error !== undefined || chunk === undefined)
        throw new Error(`the source cannot be read: ${error?.message}`);
      const within = (one: Message) => one.physicalOffset >= from && one.physicalOffset < chunk.end;
      const messages = source.history.messages.filter((one) => one.goneAt === Infinity && within(one));
      // A chunk of blanks alone says nothing.
      if (messages.length > 0) copy.replicate(physicalOffset(from), Uint8Array.from(chunk.bytes), messages);
      chunk.release();
    });
    source.settle();
    if (chunks % settleEvery === 0) {
      copy.settle();
      copy.look();
    }
  }
  subscription.close();
  copy.settle();
  copy.look();
}

function sendTo(
  source: Recorder,
  name: string,
  count: number,
  between: (low: number, high: number) => number,
): void {
  for (let index = 0; index < count; index += 1) {
    source.send(bodyOf(`${name}${index}`, between(40, 900)), { queueId: between(0, 2) });
  }
  source.settle();
}

async function appendAt(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const source = await Recorder.start();
  const copy = await Recorder.start();
  for (let round = 0; round < 3; round += 1) {
    sendTo(source, `m${round}-`, between(8, 20), between);
    follow(source, copy, between(1, 8) * 1024, between(1, 3));
    if (round === 1) copy.advance(11_000);
  }
  await copy.stop();
  return copy.finished();
}

/** The copy is ahead by what its old source never shared; it is cut and follows the new one. */
async function parted(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const source = await Recorder.start();
  const copy = await Recorder.start();
  sendTo(source, "shared", between(5, 15), between);
  follow(source, copy, 4096, 1);
  const end = copy.driver.store.status().writtenOffset;
  sendTo(copy, "alone", between(3, 25), between);
  if (between(0, 1) === 0) copy.advance(11_000);
  copy.first = copy.now;
  await copy.truncate(end);
  sendTo(source, "new", between(3, 15), between);
  follow(source, copy, between(1, 6) * 1024, 2);
  copy.advance(11_000);
  return copy.finished();
}

/** A log copied from a broker that writes no `__CRC32#`. */
async function unsealed(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  const { host, store } = recorder.driver;
  const segmentBytes = SMALL.mappedFileSizeCommitLog!;
  const nextOffsets = [0, 0, 0];
  for (let round = 0; round < 8; round += 1) {
    const start = store.status().writtenOffset;
    const parts: Buffer[] = [];
    const copied: Parameters<Recorder["copy"]>[2][number][] = [];
    let position: number = start;
    for (let index = between(1, 6); index >= 0; index -= 1) {
      const queueId = between(0, 2);
      const input = message(bodyOf(`j${round}-${index}`, between(40, 700)), { queueId });
      const bytes = Buffer.alloc(recordSize(input));
      const room = segmentBytes - (position % segmentBytes);
      if (bytes.length + 8 > room) break;
      const storeTimestamp = host.wall;
      const queueOffset = nextOffsets[queueId]!++;
      writeRecord(input, bytes, 0, { queueOffset, physicalOffset: position, storeTimestamp });
      copied.push({ input, at: { queueOffset, physicalOffset: position, storeTimestamp, visible: true } });
      parts.push(bytes);
      position += bytes.length;
    }
    if (parts.length === 0) break;
    recorder.copy(physicalOffset(start), Buffer.concat(parts), copied);
    recorder.settle();
    recorder.look();
    recorder.advance(between(0, 1) * 6_000);
    if (round === 4) {
      await recorder.killAndStart();
      break;
    }
  }
  recorder.send(bodyOf("own", 200), { queueId: 0 });
  recorder.settle();
  return recorder.finished();
}

export const replicatedRuns = {
  appendAt,
  "truncateTo and appendAt": parted,
  "records without __CRC32#": unsealed,
};
