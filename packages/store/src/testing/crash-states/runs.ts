/**
 * The runs whose every crash is looked at: one per thing a store does to its disk. Sizes and counts come from the
 * seed, so that another seed is another run of the same kind.
 */
import type { RecordInput } from "@orbitmq/wire";
import type { StoreOptions } from "../../store-options.ts";
import { failingRuns } from "./failing-runs.ts";
import { bodyOf, Recorder, type Recording } from "./recorder.ts";
import { replicatedRuns } from "./replicated-runs.ts";
import { restartRuns } from "./restart-runs.ts";
import { betweenOf } from "./seeded-between.ts";
import { upkeepRuns } from "./upkeep-runs.ts";

export type RunKind = (seed: number) => Promise<Recording>;

/** Lets queue files, mark and checkpoint be written. */
const SAVED_MS = 11_000;
const TAGS = "TAGS\u0001tag\u0002";
const PREPARED = 0x4;

/** Properties that fill more than two sectors. */
function longProperties(name: string): string {
  return `${TAGS}LONG\u0001${name.slice(0, 8).repeat(150)}\u0002UNIQ_KEY\u0001${name.slice(0, 8)}\u0002`;
}

async function appends(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  const rounds = between(8, 14);
  for (let round = 0; round < rounds; round += 1) {
    recorder.send(bodyOf(`a${round}`, between(30, 1300)));
    recorder.send(bodyOf(`b${round}`, 200), { queueId: 1 });
    if (round % 3 === 0) {
      recorder.sendBatch([bodyOf(`c${round}`, between(20, 900)), bodyOf(`d${round}`, between(20, 1600))]);
    }
    if (between(0, 3) === 0) recorder.send(bodyOf(`h${round}`, 90), { sysFlag: PREPARED });
    if (between(0, 3) === 0)
      recorder.send(bodyOf(`l${round}`, 60), { properties: longProperties(`l${round}`) });
    recorder.settle();
    recorder.look();
    if (round % 4 === 1) recorder.advance(SAVED_MS);
  }
  recorder.send("never acknowledged", { queueId: 9 });
  recorder.driver.host.turn();
  await recorder.stop();
  return recorder.finished();
}

/** Equally long records in growing batches: a torn one could be taken for the one that came in its place. */
async function equalRecords(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  for (let round = 0; round < 9; round += 1) {
    for (let index = between(1, 2 + round); index >= 0; index -= 1) {
      recorder.send(`r${round}-${index}`.padEnd(128, "="));
    }
    if (round % 3 === 1) {
      recorder.send(`long${round}`.padEnd(128, "="), { properties: longProperties(`long${round}`) });
    }
    recorder.settle();
    recorder.look();
    if (round === 4) await recorder.killAndStart();
  }
  return recorder.finished();
}

async function asyncFlush(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start({ flushDiskType: "ASYNC_FLUSH" });
  for (let round = 0; round < 8; round += 1) {
    for (let index = between(2, 7); index > 0; index -= 1) {
      recorder.send(bodyOf(`s${round}-${index}`, between(60, 500)), { queueId: between(0, 1) }, "written");
    }
    recorder.settle();
    if (round % 3 === 2) recorder.send(bodyOf(`flushed${round}`, 128));
    recorder.settle();
    if (round % 3 === 1) recorder.advance(SAVED_MS);
    if (round === 5) await recorder.killAndStart();
  }
  return recorder.finished();
}

/** Queues that roll their files, and topics that come into being while others are written. */
async function queueFiles(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start({
    mappedFileSizeConsumeQueue: 100,
    flushConsumeQueueLeastBytes: 512,
  });
  const topics: Partial<RecordInput>[] = [{ queueId: 0 }, { queueId: 3 }];
  for (let round = 0; round < 7; round += 1) {
    if (round % 2 === 1)
      topics.push({ topic: `Topic${round}`.padEnd(round === 5 ? 140 : 8, "n"), queueId: round });
    for (const [index, more] of topics.entries()) {
      for (let count = between(1, 5); count > 0; count -= 1) {
        recorder.send(bodyOf(`q${round}-${index}-${count}`, 40), more);
      }
    }
    recorder.settle();
    recorder.look();
    recorder.advance(between(0, 2) === 0 ? 1_500 : SAVED_MS);
  }
  await recorder.stop();
  return recorder.finished();
}

async function truncation(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  const sent = [];
  for (let index = 0; index < 50; index += 1) {
    const length = seed % 2 === 0 ? 128 : between(60, 1500);
    sent.push(recorder.send(bodyOf(`t${index}`, length), { queueId: index % 2 })!);
    if (between(0, 6) === 6) recorder.settle();
  }
  recorder.settle();
  if (between(0, 1) === 0) recorder.advance(SAVED_MS);
  recorder.look();
  recorder.first = recorder.now;
  await recorder.truncate(sent[between(5, 49)]!.physicalOffset);
  for (let index = 0; index < between(2, 9); index += 1) {
    recorder.send(bodyOf(`u${index}`, 128), { queueId: index % 2 });
  }
  recorder.settle();
  recorder.look();
  if (between(0, 1) === 0) recorder.advance(SAVED_MS);
  else await recorder.killAndStart();
  recorder.send("after all".padEnd(128, "="));
  recorder.settle();
  return recorder.finished();
}

/** Long runs of zeros ahead of few appends, and of many. */
async function zeroAhead(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const options: Partial<StoreOptions> = { zeroChunkBytes: 4096, zeroAheadBytes: between(4, 24) * 1024 };
  const recorder = await Recorder.start(options);
  for (let round = 0; round < 10; round += 1) {
    for (let count = between(1, round % 4 === 3 ? 16 : 2); count > 0; count -= 1) {
      recorder.send(bodyOf(`z${round}-${count}`, between(100, 1500)));
    }
    // Some appends come while a sync is under way.
    recorder.driver.host.turn();
    recorder.send(bodyOf(`y${round}`, between(30, 3000)), { queueId: 1 });
    recorder.settle();
    recorder.look();
  }
  return recorder.finished();
}

/** IndexFiles of a few items each: written, rolled, slots and headers behind them, again after a kill and a cut. */
async function indexRoll(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start({ maxIndexNum: between(5, 12), maxHashSlotNum: between(1, 6) });
  for (let round = 0; round < 10; round += 1) {
    for (let index = between(1, 4); index >= 0; index -= 1) {
      const name = `i${round}-${index}`;
      const properties = `UNIQ_KEY\u0001${name}\u0002KEYS\u0001a${index} b${round}\u0002${TAGS}`;
      recorder.send(bodyOf(name, 60), { properties, queueId: between(0, 1) });
    }
    recorder.settle();
    recorder.look();
    if (round % 3 !== 1) recorder.advance(round % 2 === 0 ? SAVED_MS : 70_000);
    if (round === 4) await recorder.killAndStart();
  }
  await recorder.stop();
  return recorder.finished();
}

/** By name; the names are those of the report. */
export const RUNS: Readonly<Record<string, RunKind>> = {
  appends,
  "equal records": equalRecords,
  ASYNC_FLUSH: asyncFlush,
  "queue files": queueFiles,
  "index roll": indexRoll,
  "zero ahead": zeroAhead,
  truncation,
  ...failingRuns,
  ...replicatedRuns,
  ...restartRuns,
  ...upkeepRuns,
};
