/** Runs that are about starting: the first one ever, orderly stops, kills, and recoveries of what a crash left. */
import { CrashModel } from "../crash-model.ts";
import { bodyOf, Recorder, type Recording } from "./recorder.ts";
import { type Between, betweenOf } from "./seeded-between.ts";

function sendSome(recorder: Recorder, name: string, between: Between): void {
  for (let index = between(1, 6); index > 0; index -= 1) {
    recorder.send(bodyOf(`${name}-${index}`, between(40, 800)), { queueId: between(0, 2) });
  }
  recorder.settle();
  recorder.look();
}

/** A store that is created, stopped and started, at rest and in use. */
async function startAndStop(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  if (between(0, 1) === 0) await recorder.stopAndStart();
  for (let life = 0; life < 5; life += 1) {
    if (between(0, 3) > 0) sendSome(recorder, `life${life}`, between);
    if (between(0, 2) === 0) recorder.advance(11_000);
    if (between(0, 2) === 0) await recorder.killAndStart();
    else await recorder.stopAndStart();
  }
  await recorder.stop();
  return recorder.finished();
}

/** What a crash, or somebody, has done to a store before it is recovered. */
const DAMAGES: readonly ((files: Map<string, Buffer>) => void)[] = [
  () => {},
  (files) => removeIf(files, (path) => path.includes("/consumequeue/")),
  (files) => removeIf(files, (path) => path.includes("/consumequeue/T/1/")),
  (files) => removeIf(files, (path) => /consumequeue\/T\/0\/0+$/.test(path)),
  (files) => removeIf(files, (path) => path.includes("mark")),
  (files) => removeIf(files, (path) => path.includes("checkpoint") || path.includes("mark")),
];

function removeIf(files: Map<string, Buffer>, isGone: (path: string) => boolean): void {
  for (const path of files.keys()) if (isGone(path)) files.delete(path);
}

/**
 * The recovery of a store that lost power, its queues damaged in some cases, and the first work after it: every
 * operation is crashed.
 */
async function recovery(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const before = await Recorder.start();
  for (let round = between(4, 9); round > 0; round -= 1) {
    sendSome(before, `r${round}`, between);
    if (round === 4) before.advance(11_000);
  }
  before.send(bodyOf("torn", between(400, 3000)));
  before.send(bodyOf("torn too", 900), { queueId: 1 });
  before.driver.host.turn();
  const model = new CrashModel();
  for (const operation of before.driver.host.files.operations) model.apply(operation);
  const keepData = between(0, 10) / 10;
  const image = model.crash({ keepData, keepNames: 1, random: () => between(0, 999) / 1000 });
  const files = new Map(image.files);
  DAMAGES[seed % DAMAGES.length]!(files);
  const recorder = await Recorder.recover(before, { files, folders: image.folders });
  recorder.look();
  if (between(0, 1) === 0) recorder.advance(11_000);
  sendSome(recorder, "later", between);
  recorder.advance(11_000);
  if (between(0, 2) === 0) await recorder.stop();
  return recorder.finished();
}

export const restartRuns = { "start and stop": startAndStop, recovery };
