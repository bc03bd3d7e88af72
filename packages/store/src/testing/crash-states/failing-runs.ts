/** Runs on disks that fail: a sync, a write, or for want of space; the process is started again and goes on. */
import { Recorder, type Recording } from "./recorder.ts";
import { betweenOf } from "./seeded-between.ts";

/** Sends until the store has failed, or for `rounds` rounds. */
function sendOn(recorder: Recorder, name: string, rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < 4; index += 1) {
      recorder.send(`${name}${round}-${index}`.padEnd(128, "="), { queueId: index % 2 });
    }
    recorder.settle();
    recorder.look();
  }
}

/** After a failed sync the page cache shows more than the disk has; the next process reads it. */
async function failedSync(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", between(1, 4));
  let left = between(1, 3);
  const { files } = recorder.driver.host;
  files.fault = (what, path) =>
    what === "sync" && path.includes("commitlog") && --left === 0 ? "EIO" : undefined;
  sendOn(recorder, "failing", 5);
  if (recorder.driver.store.status().state !== "failed") throw new Error("no sync has failed");
  await recorder.killAndStart();
  recorder.look();
  sendOn(recorder, "again", between(1, 3));
  return recorder.finished();
}

async function failedWrite(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", between(1, 4));
  let left = between(1, 4);
  const { files } = recorder.driver.host;
  files.fault = (what, path) =>
    what === "write" && path.includes("commitlog") && --left === 0 ? "EIO" : undefined;
  sendOn(recorder, "failing", 6);
  if (recorder.driver.store.status().state !== "failed") throw new Error("no write has failed");
  if (between(0, 1) === 0) await recorder.stopAndStart();
  else await recorder.killAndStart();
  sendOn(recorder, "again", between(1, 3));
  return recorder.finished();
}

/** Queues, mark and state cannot be written for a while; the log can. */
async function failingDerivedFiles(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", 2);
  const what = between(0, 1) === 0 ? "sync" : "write";
  const { files } = recorder.driver.host;
  files.fault = (operation, path) =>
    operation === what && !path.includes("commitlog") && between(0, 2) > 0 ? "EIO" : undefined;
  sendOn(recorder, "failing", 3);
  recorder.advance(11_000);
  sendOn(recorder, "later", 2);
  recorder.advance(11_000);
  files.fault = () => undefined;
  recorder.advance(11_000);
  if (between(0, 1) === 0) await recorder.stopAndStart();
  else await recorder.killAndStart();
  sendOn(recorder, "again", 1);
  return recorder.finished();
}

async function fullDisk(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  sendOn(recorder, "before", 2);
  const { files } = recorder.driver.host;
  files.freeBytes = between(2, 9) * 4096;
  const isFull = () => recorder.driver.store.status().refusal?.reason === "DISK_FULL";
  for (let round = 0; round < 40 && !isFull(); round += 1) sendOn(recorder, `filling${round}-`, 1);
  if (!isFull()) throw new Error("the disk is not full");
  recorder.advance(11_000);
  if (between(0, 2) === 0) await recorder.killAndStart();
  recorder.driver.host.files.freeBytes = Number.POSITIVE_INFINITY;
  recorder.advance(6_000);
  sendOn(recorder, "resumed", 3);
  recorder.advance(11_000);
  return recorder.finished();
}

export const failingRuns = {
  "failed sync": failedSync,
  "failed write": failedWrite,
  "failing queue files": failingDerivedFiles,
  "full disk": fullDisk,
};
