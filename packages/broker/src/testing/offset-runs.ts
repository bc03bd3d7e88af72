/**
 * Runs of a store with committed offsets beside it, for crash states: whatever a crash takes, a group goes on at an
 * offset it has committed, never behind the end of its queue, and no message that comes after the crash is skipped,
 * not even after another one.
 */
import { type HostError, silentLogger } from "@orbitmq/host";
import { StateFile } from "@orbitmq/store";
import {
  betweenOf,
  bodyOf,
  CrashModel,
  type DiskImage,
  fail,
  HOME,
  LOSE_ALL,
  message,
  Recorder,
  type Recording,
  StoreDriver,
} from "@orbitmq/store/testing";
import { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { Offsets, type OffsetsSnapshot, parseOffsets } from "../consumer-groups/offsets.ts";

const GROUP = "G";
const QUEUES = [0, 1];
const INTERVAL_MS = 5_000;

/** One save of the file, in numbers of disk operations. */
interface Save {
  readonly offsets: OffsetsSnapshot;
  readonly begun: number;
  confirmed: number;
}

/** Notes what is saved, and when it surely is. */
class NotedFile extends StateFile {
  readonly #driver: StoreDriver;
  readonly #saves: Save[];

  constructor(driver: StoreDriver, saves: Save[]) {
    super(driver.host, `${HOME}/config/consumerOffset.json`, silentLogger);
    this.#driver = driver;
    this.#saves = saves;
  }

  override save(text: string, done?: (error: HostError | undefined) => void): void {
    const save = this.#note(text);
    super.save(text, (error) => {
      if (error === undefined) save.confirmed = this.#now;
      done?.(error);
    });
  }

  override saveSync(text: string): void {
    const save = this.#note(text);
    super.saveSync(text);
    save.confirmed = this.#now;
  }

  get #now(): number {
    return this.#driver.host.files.operations.length;
  }

  #note(text: string): Save {
    const save = { offsets: parseOffsets(text), begun: this.#now, confirmed: Number.POSITIVE_INFINITY };
    this.#saves.push(save);
    return save;
  }
}

function openOffsets(driver: StoreDriver, saves: Save[]): OffsetRegistry {
  const { host, store } = driver;
  const registry = new OffsetRegistry({
    clock: host.clock,
    timers: host.timers,
    logger: silentLogger,
    offsets: new Offsets(1, host.clock.wallMs()),
    store,
    file: new NotedFile(driver, saves),
    flushConsumerOffsetInterval: INTERVAL_MS,
  });
  registry.load();
  return registry;
}

const offsetIn = ({ entries }: OffsetsSnapshot, queueId: number): number | undefined =>
  entries.find((entry) => entry.queueId === queueId)?.offset;

/** What the file may say for a queue after a crash: the newest confirmed save, or one that was under way. */
function possibleOffsets(
  saves: readonly Save[],
  operation: number,
  queueId: number,
): Set<number | undefined> {
  const confirmed = saves.findLast((save) => save.confirmed <= operation);
  const possible = new Set<number | undefined>([confirmed && offsetIn(confirmed.offsets, queueId)]);
  const from = confirmed === undefined ? 0 : saves.indexOf(confirmed);
  for (const save of saves.slice(from))
    if (save.begun <= operation) possible.add(offsetIn(save.offsets, queueId));
  return possible;
}

async function checkOffsets(
  driver: StoreDriver,
  operation: number,
  image: DiskImage,
  saves: readonly Save[],
): Promise<void> {
  const registry = openOffsets(driver, []);
  const ends = new Map<number, number>();
  for (const queueId of QUEUES) {
    const end = driver.store.readableEnd("T", queueId);
    const offset = registry.get(GROUP, "T", queueId);
    const possible = possibleOffsets(saves, operation, queueId);
    const expected = [...possible].map((one) => (one === undefined ? undefined : Math.min(one, end)));
    if (!expected.includes(offset))
      fail(`T/${queueId} goes on at ${offset}, not at one of ${expected.join()}`);
    if (offset === end && [...possible].some((one) => one !== undefined && one > end)) ends.set(queueId, end);
  }
  // A group was set back: messages come, and the power goes once more.
  for (const [queueId, end] of ends) {
    const used = await StoreDriver.open(driver.store.options, image);
    openOffsets(used, []);
    for (let count = 0; count < 12; count += 1) used.sendNow(message(`new-${count}`, { queueId }));
    const model = new CrashModel(image);
    for (const done of used.host.files.operations) model.apply(done);
    const again = await StoreDriver.open(driver.store.options, model.crash(LOSE_ALL));
    const offset = openOffsets(again, []).get(GROUP, "T", queueId);
    if (offset === undefined || offset > end) {
      fail(
        `T/${queueId} was set back to ${end}; after another crash it goes on at ${offset}: messages are skipped`,
      );
    }
  }
}

/** Offsets committed and saved while messages come, under ASYNC_FLUSH and SYNC_FLUSH. */
async function committedOffsets(seed: number): Promise<Recording> {
  const between = betweenOf(seed);
  const flushDiskType = seed % 4 === 0 ? "SYNC_FLUSH" : "ASYNC_FLUSH";
  const recorder = await Recorder.start({
    flushDiskType,
    flushIntervalCommitLog: 20_000,
    flushCommitLogThoroughInterval: 40_000,
  });
  const saves: Save[] = [];
  let registry = openOffsets(recorder.driver, saves);
  for (let round = 0; round < 7; round += 1) {
    for (let index = between(1, 5); index > 0; index -= 1) {
      const more = { queueId: between(0, 1) };
      recorder.send(
        bodyOf(`o${round}-${index}`, between(40, 300)),
        more,
        between(0, 5) === 0 ? "flushed" : "written",
      );
    }
    recorder.settle();
    for (const queueId of QUEUES) {
      const end = recorder.driver.store.readableEnd("T", queueId);
      if (between(0, 3) > 0) registry.commit(GROUP, "T", queueId, Math.max(0, end - between(0, 2)), "a test");
    }
    recorder.advance(between(0, 2) * 3_000);
    if (round === 4) {
      if (between(0, 1) === 0) {
        registry.stop();
        await recorder.stopAndStart();
      } else await recorder.killAndStart();
      registry = openOffsets(recorder.driver, saves);
    }
  }
  recorder.extra = (driver, operation, image) => checkOffsets(driver, operation, image, saves);
  return recorder.finished();
}

export const offsetRuns = { "committed offsets": committedOffsets };
