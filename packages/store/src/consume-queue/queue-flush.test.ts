/** Rounds of the queues' files on a fake disk, with positions that a test moves. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { HostError, silentLogger } from "@orbitmq/host";
import { OpenFileCache } from "../open-file-cache.ts";
import { resolveStoreOptions } from "../store-options.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { HOME, SMALL } from "../testing/store-driver.ts";
import { ConsumeQueue } from "./consume-queue.ts";
import { ConsumeQueueFiles } from "./consume-queue-files.ts";
import { QueueFlush, type QueueFlushSource } from "./queue-flush.ts";

class Room implements QueueFlushSource {
  readonly host = new FakeHost();
  readonly files: ConsumeQueueFiles;
  readonly flush: QueueFlush;
  readonly said: string[] = [];
  dispatched = 0;
  hotStart = 0;

  constructor() {
    const { files } = this.host;
    const cache = new OpenFileCache(files, 100);
    const sums = { root: `${HOME}/sums`, logger: silentLogger };
    this.files = new ConsumeQueueFiles(files, `${HOME}/consumequeue`, 400, cache, sums);
    const options = resolveStoreOptions({ ...SMALL, home: HOME });
    this.flush = new QueueFlush(this.host, this.files, options, this, silentLogger);
  }

  get flushed(): number {
    return this.dispatched;
  }
  flushLog(): void {}
  flushIndex(_offset: number, done: () => void): void {
    done();
  }
  queuesFlushed(offset: number): void {
    this.said.push(`flushed to ${offset}`);
  }
  queuesLeftOut(queues: ReadonlySet<ConsumeQueue>): void {
    this.said.push(`left out ${[...queues].map(({ queueId }) => queueId).join()}`);
  }
  releaseSpace(): boolean {
    return false;
  }

  /** Queues with a message each. */
  queues(count: number): ConsumeQueue[] {
    return Array.from({ length: count }, (_, id) => {
      const queue = new ConsumeQueue("T", id);
      queue.append(this.dispatched, 100, 0, 0);
      this.dispatched += 100;
      this.flush.queueChanged(queue);
      return queue;
    });
  }
}

it("no round begins amid a blocking one in slices: it would find nothing to write, and say that all is on disk", () => {
  const room = new Room();
  const queues = room.queues(200);
  const slices = room.flush.flushSlices();
  let count = 0;
  while (slices.next().done !== true) {
    assert.deepEqual(room.said, []);
    assert.equal(room.flush.flushedTo, 0);
    room.flush.dispatched();
    room.host.advance(100_000);
    count += 1;
  }
  assert.ok(count > 10);
  assert.ok(queues.every(({ synced }) => synced === 1));
  assert.equal(room.flush.flushedTo, room.dispatched);
  room.queues(1);
  room.flush.dispatched();
  room.host.advance(100_000);
  assert.equal(room.flush.flushedTo, room.dispatched);
});

it("a queue that a blocking round finds damaged is left out, and that is told before the others are", () => {
  const room = new Room();
  const queues = room.queues(3);
  queues[1]!.checked = false;
  room.files.whenFirstUsed = (queue) => {
    queue.damaged = true;
    throw new HostError("EUCLEAN", "damaged");
  };
  room.flush.flushAllSync();
  assert.deepEqual(
    queues.map(({ synced }) => synced),
    [1, 0, 1],
  );
  assert.deepEqual(room.said, ["left out 1", "flushed to 300"]);
});

it("a folder that an overtaken round has synced counts as not synced: files may have been made in it meanwhile", () => {
  const room = new Room();
  const disk = room.host.files;
  room.queues(1);
  disk.held = true;
  room.flush.dispatched();
  room.host.advance(100_000);
  disk.releaseOne();
  room.host.settle();
  assert.equal(disk.waiting, 1, "the first folder is being synced");
  const folders = room.files.unsyncedFolders();
  room.flush.truncated(0);
  disk.release();
  room.host.settle();
  assert.deepEqual(room.files.unsyncedFolders(), folders);
});
