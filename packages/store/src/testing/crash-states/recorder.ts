/**
 * Drives a store through a run and writes its history: what was sent, acknowledged, shown and taken away, and
 * when. Processes die and start again over the same disk, whose operations are noted throughout.
 */
import assert from "node:assert/strict";
import { type PhysicalOffset, physicalOffset } from "@orbitmq/host";
import type { RecordInput } from "@orbitmq/wire";
import { isDispatched } from "../../dispatch/dispatch-fields.ts";
import type { Durability } from "../../message-store.ts";
import type { StoreOptions } from "../../store-options.ts";
import type { DiskImage, DiskOperation } from "../fake-disk.ts";
import { finish } from "../fake-host.ts";
import { message, Outcome, StoreDriver } from "../store-driver.ts";
import { History, type Message } from "./history.ts";

/** Throws a Violation when something is wrong with the recovered store. */
export type ExtraCheck = (driver: StoreDriver, operation: number, image: DiskImage) => void | Promise<void>;

/** A recorded run, ready to be crashed anywhere. */
export interface Recording {
  /** What the disk held before the first operation. */
  readonly start: DiskImage | undefined;
  readonly operations: readonly DiskOperation[];
  /** Crashes before so many operations are not looked at. */
  readonly first: number;
  readonly history: History;
  readonly options: Partial<StoreOptions>;
  readonly extra: ExtraCheck | undefined;
}

/** A body whose name says which it is; equal bodies make equally long records. */
export const bodyOf = (name: string, length: number): string => `${name}/`.padEnd(length, name);

export class Recorder {
  driver: StoreDriver;
  readonly history: History;
  readonly options: Partial<StoreOptions>;
  readonly #start: DiskImage | undefined;
  readonly #isSync: boolean;
  first = 0;
  extra: ExtraCheck | undefined;

  private constructor(
    driver: StoreDriver,
    options: Partial<StoreOptions>,
    start: DiskImage | undefined,
    history: History,
  ) {
    this.driver = driver;
    this.options = options;
    this.history = history;
    this.#start = start;
    this.#isSync = options.flushDiskType !== "ASYNC_FLUSH";
  }

  static async start(options: Partial<StoreOptions> = {}): Promise<Recorder> {
    return new Recorder(await StoreDriver.open(options), options, undefined, new History());
  }

  /** Goes on with a disk that a crash of another run has left; what that run had promised still holds. */
  static async recover(before: Recorder, image: DiskImage): Promise<Recorder> {
    const { options, history } = before;
    for (const each of history.messages) history.promisedBefore(each);
    const recorder = new Recorder(await StoreDriver.open(options, image), options, image, history);
    history.cut(recorder.driver.store.status().writtenOffset, 0, recorder.now);
    return recorder;
  }

  /** Disk operations done so far. */
  get now(): number {
    return this.driver.host.files.operations.length;
  }

  finished(): Recording {
    const { history, options, first, extra } = this;
    return {
      start: this.#start,
      operations: this.driver.host.files.operations,
      first,
      history,
      options,
      extra,
    };
  }

  settle(): void {
    this.driver.host.settle();
  }

  advance(ms: number): void {
    this.driver.host.advance(ms);
  }

  /** Appends one message; `undefined` when the store refuses it. */
  send(
    body: string,
    more: Partial<RecordInput> = {},
    durability: Durability = "flushed",
  ): Message | undefined {
    const input = message(body, more);
    const waiter = new Outcome();
    const result = this.driver.store.append(input, durability, waiter);
    if (result.status === "refused") return undefined;
    const visible = isDispatched(input.sysFlag);
    const sent = this.history.add(input, { ...result, visible }, this.now);
    if (durability === "flushed") this.#promiseWhenSettled(waiter, [sent]);
    return sent;
  }

  sendBatch(bodies: readonly string[], more: Partial<RecordInput> = {}): void {
    const waiter = new Outcome();
    const inputs = bodies.map((body) => message(body, more));
    const result = this.driver.store.appendBatch(inputs, "flushed", waiter);
    assert.equal(result.status, "appended");
    if (result.status !== "appended") return;
    const { storeTimestamp, queueOffset, physicalOffsets } = result;
    const sent = inputs.map((input, index) =>
      this.history.add(
        input,
        {
          queueOffset: queueOffset + index,
          physicalOffset: physicalOffsets![index]!,
          storeTimestamp,
          visible: true,
        },
        this.now,
      ),
    );
    this.#promiseWhenSettled(waiter, sent);
  }

  /** Appends what another store holds at the same place. `messages` are the ones within `records`. */
  replicate(start: PhysicalOffset, records: Uint8Array, messages: readonly Message[]): void {
    const waiter = new Outcome();
    const result = this.driver.store.appendAt(start, records, "flushed", waiter);
    assert.equal(result.status, "appended", JSON.stringify(result));
    const copies = messages.map((one) => this.history.add(one.input, one, this.now));
    this.#promiseWhenSettled(waiter, copies);
  }

  /** As `replicate`, of messages that no run of ours has sent; waits where the store wants to be asked again. */
  copy(
    start: PhysicalOffset,
    records: Uint8Array,
    copied: readonly { readonly input: RecordInput; readonly at: Parameters<History["add"]>[1] }[],
  ): void {
    const waiter = new Outcome();
    let result = this.driver.store.appendAt(start, records, "flushed", waiter);
    if (result.status === "refused" && result.reason === "BUSY") {
      this.settle();
      result = this.driver.store.appendAt(start, records, "flushed", waiter);
    }
    assert.equal(result.status, "appended", JSON.stringify(result));
    this.#promiseWhenSettled(
      waiter,
      copied.map(({ input, at }) => this.history.add(input, at, this.now)),
    );
  }

  /** Reads what has become readable; under SYNC_FLUSH it must stay. */
  look(): void {
    if (!this.#isSync) return;
    const { store } = this.driver;
    for (const one of this.history.messages) {
      const { topic, queueId } = one.input;
      const isThere = one.visible && one.withdrawnAt === Number.POSITIVE_INFINITY;
      if (isThere && one.queueOffset < store.readableEnd(topic, queueId)) this.history.promise(one, this.now);
    }
  }

  /** The store has announced that what the queue has below `to` goes. */
  expired(topic: string, queueId: number, to: number): void {
    this.history.expire(topic, queueId, to, this.now);
  }

  async truncate(offset: number): Promise<void> {
    const begun = this.now;
    await finish(this.driver.host, this.driver.store.truncateTo(physicalOffset(offset)));
    this.history.cut(offset, begun, this.now);
  }

  /** kill -9 and a new start: what was only in memory is gone, the page cache is not. */
  async killAndStart(): Promise<void> {
    const begun = this.now;
    this.driver = await StoreDriver.open(this.options, this.driver.host.files);
    this.history.cut(this.driver.store.status().writtenOffset, begun, this.now);
  }

  async stop(): Promise<void> {
    await this.driver.stop();
  }

  async stopAndStart(): Promise<void> {
    await this.stop();
    // A store that failed has kept less than it was sent.
    await this.killAndStart();
  }

  #promiseWhenSettled(waiter: Outcome, messages: readonly Message[]): void {
    const { files } = this.driver.host;
    waiter.onSettled = (outcome) => {
      if (outcome !== "reached") return;
      for (const one of messages) this.history.promise(one, files.operations.length);
    };
  }
}
