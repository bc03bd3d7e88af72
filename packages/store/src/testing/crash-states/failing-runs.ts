/** Runs on disks that fail: a sync, a write, or for want of space; the process is started again and goes on. */
import { bodyOf, Recorder, type Recording } from "./recorder.ts";
import { type Between, betweenOf } from "./seeded-between.ts";

/** Sends until the store has failed, or for `rounds` rounds. */
function sendOn(recorder: Recorder, name: string, rounds: number, between: Between): void {
  for (let round = 0; round < rounds; round += 1) {
    for (let index = between(2, 5); index > 0; index -= 1) {
      recorder.send(bodyOf(`${name}${round}-${index}`, between(60, 900)), { queueId: between(0, 1) });
    }
    recorder.settle();
    recorder.look();
  }
}

/** After a failed sync the page cache shows more than the disk has; the next process reads it. */
async function failedSync(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", between(1, 4), between);
  let left = between(1, 3);
  const { files } = recorder.driver.host;
  files.fault = (what, path) =>
    what === "sync" && path.includes("commitlog") && --left === 0 ? "EIO" : undefined;
  sendOn(recorder, "failing", 8, between);
  if (recorder.driver.store.status().state !== "failed") throw new Error("no sync has failed");
  await recorder.killAndStart();
  recorder.look();
  sendOn(recorder, "again", between(1, 3), between);
  return recorder.finished();
}

async function failedWrite(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", between(1, 4), between);
  let left = between(1, 4);
  const { files } = recorder.driver.host;
  files.fault = (what, path) =>
    what === "write" && path.includes("commitlog") && --left === 0 ? "EIO" : undefined;
  sendOn(recorder, "failing", 8, between);
  if (recorder.driver.store.status().state !== "failed") throw new Error("no write has failed");
  if (between(0, 1) === 0) await recorder.stopAndStart();
  else await recorder.killAndStart();
  sendOn(recorder, "again", between(1, 3), between);
  return recorder.finished();
}

/** Queues, mark and state cannot be written for a while; the log can. */
async function failingDerivedFiles(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", 2, between);
  const what = between(0, 1) === 0 ? "sync" : "write";
  const { files } = recorder.driver.host;
  files.fault = (operation, path) =>
    operation === what && !path.includes("commitlog") && between(0, 2) > 0 ? "EIO" : undefined;
  sendOn(recorder, "failing", 3, between);
  recorder.advance(11_000);
  sendOn(recorder, "later", 2, between);
  recorder.advance(11_000);
  files.fault = () => undefined;
  recorder.advance(11_000);
  if (between(0, 1) === 0) await recorder.stopAndStart();
  else await recorder.killAndStart();
  sendOn(recorder, "again", 1, between);
  return recorder.finished();
}

async function fullDisk(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", 2, between);
  const { files } = recorder.driver.host;
  files.freeBytes = between(2, 9) * 4096;
  const isFull = () => recorder.driver.store.status().refusal?.reason === "DISK_FULL";
  for (let round = 0; round < 40 && !isFull(); round += 1) sendOn(recorder, `filling${round}-`, 1, between);
  if (!isFull()) throw new Error("the disk is not full");
  recorder.advance(11_000);
  if (between(0, 2) === 0) await recorder.killAndStart();
  recorder.driver.host.files.freeBytes = Number.POSITIVE_INFINITY;
  recorder.advance(6_000);
  sendOn(recorder, "resumed", 3, between);
  recorder.advance(11_000);
  return recorder.finished();
}

export const failingRuns = {
  "failed sync": failedSync,
  "failed write": failedWrite,
  "failing queue files": failingDerivedFiles,
  "full disk": fullDisk,
};
