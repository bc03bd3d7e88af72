/** Runs of a store that takes over another's log: `appendAt`, and `truncateTo` where the two have parted. */
import { physicalOffset } from "@orbitmq/host";
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

export const replicatedRuns = { appendAt, "truncateTo and appendAt": parted };
