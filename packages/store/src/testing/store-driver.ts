/** What store tests say again and again: a small store on a fake host, messages, reads. */
import assert from "node:assert/strict";
import { type Logger, silentLogger } from "@orbitmq/host";
import { type MessageRecord, type RecordInput, readRecords } from "@orbitmq/wire";
import { FileMessageStore } from "../file-message-store.ts";
import type {
  AppendOutcome,
  AppendResult,
  AppendWaiter,
  Durability,
  GetRequest,
  GetResult,
  KeyQuery,
} from "../message-store.ts";
import type { StoreOptions } from "../store-options.ts";
import type { DiskImage, FakeDisk } from "./fake-disk.ts";
import { FakeHost, finish } from "./fake-host.ts";

/** Small enough that a few messages cross segments, files and limits. */
export const SMALL: Omit<StoreOptions, "home"> = {
  mappedFileSizeCommitLog: 16 * 1024,
  mappedFileSizeConsumeQueue: 400,
  maxMessageSize: 4 * 1024,
  zeroChunkBytes: 4096,
  zeroAheadBytes: 8192,
  maxHashSlotNum: 64,
  maxIndexNum: 32,
  slabBytes: 4096,
  hotTailBytes: 16 * 1024,
  coldBlockBytes: 4096,
  coldCacheBytes: 16 * 1024,
  flushConsumeQueueLeastBytes: 8 * 1024,
  cleanResourceInterval: 0,
  spaceReserveBytes: 0,
};

export const HOME = "/data/store";
const LOOPBACK = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f);

export function message(body: string, more: Partial<RecordInput> = {}): RecordInput {
  return {
    topic: "T",
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_699_999_999_000,
    bornHost: LOOPBACK,
    storeHost: LOOPBACK,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: `UNIQ_KEY\u0001key-${body.slice(0, 8)}\u0002TAGS\u0001tag\u0002`,
    ...more,
  };
}

export class Outcome implements AppendWaiter {
  outcome: AppendOutcome | undefined;
  onSettled: ((outcome: AppendOutcome) => void) | undefined;

  appendSettled(outcome: AppendOutcome): void {
    assert.equal(this.outcome, undefined, "a waiter is settled once");
    this.outcome = outcome;
    this.onSettled?.(outcome);
  }
}

export interface Read {
  readonly result: GetResult;
  readonly records: MessageRecord[];
  readonly bodies: string[];
}

export class StoreDriver {
  readonly host: FakeHost;
  readonly store: FileMessageStore;

  constructor(
    options: Partial<StoreOptions> = {},
    image?: DiskImage | FakeDisk,
    logger: Logger = silentLogger,
  ) {
    this.host = new FakeHost(image);
    this.store = new FileMessageStore(this.host, { home: HOME, ...SMALL, ...options }, logger);
  }

  /** A started store. */
  static async open(
    options: Partial<StoreOptions> = {},
    image?: DiskImage | FakeDisk,
    logger: Logger = silentLogger,
  ): Promise<StoreDriver> {
    const driver = new StoreDriver(options, image, logger);
    await driver.start();
    return driver;
  }

  start(): Promise<void> {
    return finish(this.host, this.store.start());
  }

  async stop(inTime?: () => boolean): Promise<void> {
    await finish(this.host, this.store.stop(inTime));
  }

  /** Appends and returns the waiter; the append must be accepted. */
  send(
    input: RecordInput,
    durability: Durability = "flushed",
  ): { result: AppendResult & { status: "appended" }; waiter: Outcome } {
    const waiter = new Outcome();
    const result = this.store.append(input, durability, waiter);
    assert.equal(result.status, "appended", result.status === "refused" ? result.remark : "");
    return { result: result as AppendResult & { status: "appended" }, waiter };
  }

  /** Appends and lets the disk work until it is durable. */
  sendNow(input: RecordInput): AppendResult & { status: "appended" } {
    const { result, waiter } = this.send(input);
    this.host.settle();
    assert.equal(waiter.outcome, "reached");
    return result;
  }

  /** One read; released after its records are copied. */
  read(offset: number, more: Partial<Omit<GetRequest, "offset">> = {}): Read {
    let read: Read | undefined;
    const request = { topic: "T", queueId: 0, offset, messagesMax: 32, bytesMax: 262_144, ...more };
    this.store.get(request, (result) => {
      const bytes = Buffer.concat(result.slices);
      assert.equal(bytes.length, result.byteCount);
      const records = readRecords(bytes, { checkCrc: true });
      assert.equal(records.length, result.messageCount);
      const bodies = records.map((record) => Buffer.from(record.body).toString());
      result.release();
      read = { result, records, bodies };
    });
    this.host.settle();
    assert.ok(read !== undefined, "the read has come to an end");
    return read;
  }

  /** Messages by key, of all times. */
  query(key: string, more: Partial<KeyQuery> = {}): MessageRecord[] {
    let records: MessageRecord[] | undefined;
    const all = { topic: "T", messagesMax: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER };
    this.store.queryByKey({ ...all, key, ...more }, (result) => {
      assert.equal(result.messageCount, result.slices.length);
      records = readRecords(Buffer.concat(result.slices), { checkCrc: true });
      result.release();
    });
    this.host.settle();
    assert.ok(records !== undefined, "the query has come to an end");
    return records;
  }

  /** Everything in a queue, from its first message to its end. */
  readAll(topic = "T", queueId = 0): MessageRecord[] {
    const records: MessageRecord[] = [];
    let offset: number = this.store.minOffset(topic, queueId);
    while (offset < this.store.readableEnd(topic, queueId)) {
      const { result, records: some } = this.read(offset, { topic, queueId });
      assert.equal(result.status, "FOUND", `at ${topic}/${queueId}/${offset}`);
      assert.ok(result.nextBeginOffset > offset, "reading goes on");
      records.push(...some);
      offset = result.nextBeginOffset;
    }
    return records;
  }

  bodies(topic = "T", queueId = 0): string[] {
    return this.readAll(topic, queueId).map((record) => Buffer.from(record.body).toString());
  }

  /** A copy of the disk, as another process finds it after this one was killed. */
  killed(options: Partial<StoreOptions> = {}): Promise<StoreDriver> {
    return StoreDriver.open(options, this.host.files.image());
  }
}
