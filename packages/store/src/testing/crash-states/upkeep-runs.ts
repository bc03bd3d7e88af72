/** Runs of what keeps a store in order while it is used: removal for age, records given up, backups. */
import { silentLogger } from "@orbitmq/host";
import { SkipList } from "../../integrity/skip-list.ts";
import type { StoreOptions } from "../../store-options.ts";
import { storePaths } from "../../store-paths.ts";
import { backupStore } from "../../tools/backup-store.ts";
import type { DiskImage } from "../fake-disk.ts";
import { HOME, StoreDriver } from "../store-driver.ts";
import { fail } from "./judge.ts";
import { bodyOf, Recorder, type Recording } from "./recorder.ts";
import { type Between, betweenOf } from "./seeded-between.ts";

const HOUR_MS = 3_600_000;
const COPY = "/copy";

function sendSome(recorder: Recorder, name: string, count: number, between: Between): void {
  for (let index = 0; index < count; index += 1) {
    const properties = `UNIQ_KEY\u0001${name}-${index}\u0002TAGS\u0001t\u0002`;
    const more = { queueId: between(0, 9) === 0 ? 2 : index % 2, properties };
    recorder.send(bodyOf(`${name}-${index}`, between(300, 900)), more);
    if (between(0, 4) === 0) recorder.settle();
  }
  recorder.settle();
}

/** What the running process removes may be gone from then on. */
function watchRemoval(recorder: Recorder): void {
  recorder.driver.store.onRemoval({
    messagesRemoved: (removed) => {
      for (const { topic, queueId, to } of removed) recorder.expired(topic, queueId, to);
    },
  });
}

/** Segments, queue files and IndexFiles removed for their age, by the clock or as closely to the head as can be. */
async function retention(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const isHasty = seed % 2 === 0;
  const options: Partial<StoreOptions> = {
    fileReservedTime: isHasty ? 0 : 3,
    deleteWhen: Array.from({ length: 24 }, (_, hour) => `${hour}`).join(";"),
    deleteFileBatchMax: between(1, 3),
    cleanResourceInterval: 10_000,
    deleteCommitLogFilesInterval: between(0, 1) * 100,
    mappedFileSizeConsumeQueue: between(1, 3) * 100,
    maxIndexNum: between(10, 60),
  };
  const recorder = await Recorder.start(options);
  watchRemoval(recorder);
  sendSome(recorder, "old", between(50, 80), between);
  recorder.advance(30_000);
  recorder.first = recorder.now;
  if (!isHasty) recorder.advance(2 * HOUR_MS);
  sendSome(recorder, "young", between(20, 30), between);
  if (!isHasty) recorder.advance(HOUR_MS + 60_000);
  for (let round = 0; round < 5; round += 1) {
    recorder.driver.store.deleteExpiredFiles();
    recorder.advance(between(1, 60));
    sendSome(recorder, `meanwhile${round}`, between(1, 4), between);
    recorder.look();
    if (round === 2) {
      if (between(0, 1) === 0) await recorder.killAndStart();
      else await recorder.stopAndStart();
      watchRemoval(recorder);
    }
    recorder.advance(between(0, 1) * 11_000);
  }
  if (recorder.driver.store.status().minOffset === 0) throw new Error("nothing was removed");
  return recorder.finished();
}

/** Decisions of an operator, made while messages come: those that were told stay, and mean nothing to whole records. */
async function givenUp(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  const path = storePaths(HOME).skips;
  const decisions: { readonly offset: number; readonly begun: number; confirmed: number }[] = [];
  for (let round = 0; round < 7; round += 1) {
    sendSome(recorder, `g${round}`, between(1, 5), between);
    recorder.look();
    const { messages } = recorder.history;
    const { physicalOffset: offset } = messages[between(0, messages.length - 1)]!;
    const entry = { offset, end: offset + 100, reason: "a test", skippedMs: round };
    const decision = { offset, begun: recorder.now, confirmed: Number.POSITIVE_INFINITY };
    decisions.push(decision);
    new SkipList(recorder.driver.host, path, silentLogger).addSync(entry);
    decision.confirmed = recorder.now;
    if (round === 4) await recorder.killAndStart();
    recorder.advance(between(0, 1) * 6_000);
  }
  recorder.extra = ({ host }, operation) => {
    const list = new SkipList(host, path, silentLogger);
    list.load();
    const known = new Set(list.all.map(({ offset }) => offset));
    for (const { offset, confirmed } of decisions) {
      if (confirmed <= operation && !known.has(offset)) fail(`${offset} was given up, and is not any more`);
    }
    for (const offset of known) {
      if (!decisions.some((one) => one.offset === offset && one.begun <= operation))
        fail(`nobody has given ${offset} up`);
    }
  };
  return recorder.finished();
}

/** The copy in the image, as a store of its own. */
function copyOf(image: DiskImage): DiskImage {
  const files = new Map<string, Buffer>();
  for (const [path, bytes] of image.files) {
    if (path.startsWith(`${COPY}/`)) files.set(HOME + path.slice(COPY.length), bytes);
  }
  const folders = [...image.folders].filter((path) => path === COPY || path.startsWith(`${COPY}/`));
  return {
    files,
    folders: new Set([...image.folders, ...folders.map((path) => HOME + path.slice(COPY.length))]),
  };
}

/** Backups, full and incremental, of a store that is used: one that was told to be done can be restored from. */
async function backup(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const recorder = await Recorder.start();
  const done: { readonly bodies: ReadonlyMap<number, readonly string[]>; readonly at: number }[] = [];
  for (let round = 0; round < 4; round += 1) {
    sendSome(recorder, `b${round}`, between(4, 25), between);
    if (between(0, 1) === 0) recorder.advance(11_000);
    recorder.look();
    const { driver } = recorder;
    if (round === 0) recorder.first = recorder.now;
    const bodies = new Map([0, 1, 2].map((queueId) => [queueId, driver.bodies("T", queueId)]));
    backupStore(driver.host, { home: HOME }, COPY);
    done.push({ bodies, at: recorder.now });
    if (round === 2) await recorder.killAndStart();
  }
  recorder.extra = async (_driver, operation, image) => {
    const last = done.findLast(({ at }) => at <= operation);
    if (last === undefined) return;
    const restored = await StoreDriver.open(recorder.options, copyOf(image));
    for (const [queueId, bodies] of last.bodies) {
      const found = restored.bodies("T", queueId);
      if (bodies.some((body, index) => found[index] !== body))
        fail(
          `the copy has ${found.length} messages of T/${queueId}, not the ${bodies.length} it was made of`,
        );
    }
  };
  return recorder.finished();
}

export const upkeepRuns = { retention, "store skip": givenUp, backup };
