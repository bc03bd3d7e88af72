/**
 * The way of a message into the log: checked, placed, encoded once into the memory that the file write and later
 * pulls use, noted for dispatch and for who waits. Everything or nothing: a refused append has changed nothing.
 */
import { assert, type Clock, physicalOffset, queueOffset } from "@orbitmq/host";
import { type RecordSource, recordSize, WireError } from "@orbitmq/wire";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { QueueTable } from "../consume-queue/queue-table.ts";
import type { Dispatch } from "../dispatch/dispatch.ts";
import { isDispatched, tagsCodeOf } from "../dispatch/dispatch-fields.ts";
import type { IndexService } from "../index-file/index-service.ts";
import type { AppendRefusal, AppendResult, AppendWaiter, Durability } from "../message-store.ts";
import type { AckGate } from "./ack-gate.ts";
import type { CommitLog } from "./commit-log.ts";
import { readEncoded } from "./encoded-records.ts";
import { RecordEncoder } from "./record-encoder.ts";
import { sealBytes, withoutSeal } from "./record-seal.ts";

export interface AppenderParts {
  readonly clock: Clock;
  readonly log: CommitLog;
  readonly table: QueueTable;
  readonly dispatch: Dispatch;
  readonly index: IndexService;
  readonly writtenGate: AckGate;
  readonly flushedGate: AckGate;
  readonly maxMessageSize: number;
  readonly segmentBytes: number;
  readonly delaysMs: readonly number[];
  /** Whether records without `__CRC32#` may be appended up to `end`: a start after a crash must know of them. */
  allowsUnsealed(end: number): boolean;
  /** Why no space could be reserved. */
  noSpace(): { readonly reason: AppendRefusal; readonly remark: string };
}

export class Appender {
  readonly #parts: AppenderParts;
  readonly #encoder = new RecordEncoder();
  #lastStoreTimestamp = 0;
  /** Clocks are read once for all appends of a turn: reading both costs as much as half a checksum. */
  #monotonicMs = 0;
  #clockTurn = -1;
  /** Reused for every record. */
  readonly #position = { queueOffset: 0, physicalOffset: 0, storeTimestamp: 0 };

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /** Of the newest record; never decreases. */
  get lastStoreTimestamp(): number {
    return this.#lastStoreTimestamp;
  }

  begin(lastStoreTimestamp: number): void {
    this.#lastStoreTimestamp = lastStoreTimestamp;
  }

  append(message: RecordSource, durability: Durability, waiter: AppendWaiter): AppendResult {
    const input = withoutSeal(message);
    const size = this.#sizeOf(input);
    if (typeof size !== "number") return size;
    const { log, table } = this.#parts;
    if (size > log.recordBytesMax) return refused("MESSAGE_ILLEGAL", tooLong(size, log));
    const position = log.place(size);
    if (position < 0) return this.#noSpace();
    const storeTimestamp = this.#now();
    const queue = table.findOrCreate(input.topic, input.queueId);
    const first = isDispatched(input.sysFlag) ? queue.nextOffset : 0;
    this.#write(input, size, position, queue, storeTimestamp);
    this.#committed(durability, waiter);
    return {
      status: "appended",
      physicalOffset: physicalOffset(position),
      queueOffset: queueOffset(first),
      physicalOffsets: undefined,
      storeTimestamp,
      byteCount: size,
    };
  }

  appendBatch(messages: readonly RecordSource[], durability: Durability, waiter: AppendWaiter): AppendResult {
    const head = messages[0];
    if (head === undefined) return refused("MESSAGE_ILLEGAL", "the batch is empty");
    const { log, table } = this.#parts;
    const inputs: RecordSource[] = [];
    const sizes: number[] = [];
    let bytes = 0;
    for (const message of messages) {
      if (message.topic !== head.topic || message.queueId !== head.queueId) {
        return refused("MESSAGE_ILLEGAL", "the messages of a batch belong to one queue");
      }
      const input = withoutSeal(message);
      const size = this.#sizeOf(input);
      if (typeof size !== "number") return size;
      inputs.push(input);
      sizes.push(size);
      bytes += size;
    }
    if (bytes > log.recordBytesMax) return refused("MESSAGE_ILLEGAL", tooLong(bytes, log));
    const start = log.place(bytes);
    if (start < 0) return this.#noSpace();
    const storeTimestamp = this.#now();
    const queue = table.findOrCreate(head.topic, head.queueId);
    const first = isDispatched(head.sysFlag) ? queue.nextOffset : 0;
    const positions = [];
    let position = start;
    for (let index = 0; index < inputs.length; index += 1) {
      this.#write(inputs[index]!, sizes[index]!, position, queue, storeTimestamp);
      positions.push(physicalOffset(position));
      position += sizes[index]!;
    }
    this.#committed(durability, waiter);
    return {
      status: "appended",
      physicalOffset: physicalOffset(start),
      queueOffset: queueOffset(first),
      physicalOffsets: positions,
      storeTimestamp,
      byteCount: bytes,
    };
  }

  /** Appends what another log holds at the same place: whole records, and blanks that close segments. */
  appendAt(offset: number, records: Uint8Array, durability: Durability, waiter: AppendWaiter): AppendResult {
    const { log, table, dispatch, index, segmentBytes } = this.#parts;
    const bytes = Buffer.from(records.buffer, records.byteOffset, records.length);
    const found = readEncoded(bytes, offset, this.#parts);
    if (typeof found === "string") return refused("MESSAGE_ILLEGAL", found);
    const { items, end } = found;
    const head = items.find((item) => item.fields !== undefined);
    if (head?.fields === undefined) return refused("MESSAGE_ILLEGAL", "there is no record in the bytes");
    const atSegmentStart = offset % segmentBytes === 0 && offset - log.appended < segmentBytes;
    if (offset !== log.appended && !(atSegmentStart && offset > log.appended)) {
      return refused("MESSAGE_ILLEGAL", `the log ends at ${log.appended}, not at ${offset}`);
    }
    if (found.isUnsealed && !this.#parts.allowsUnsealed(end)) {
      return refused("BUSY", "records without __CRC32# are taken as soon as the store's mark tells of them");
    }
    if (!log.reserve(end)) return this.#noSpace();
    for (const { at, size, position, fields } of items) {
      if (position !== log.appended || fields === undefined) log.closeSegment();
      if (fields === undefined) continue;
      assert(position === log.appended, "a record lies where it says");
      const slab = log.memory(size);
      bytes.copy(slab.bytes, slab.used - size, at, at + size);
      const { storeTimestamp, topic, properties, sysFlag } = fields;
      this.#lastStoreTimestamp = Math.max(this.#lastStoreTimestamp, storeTimestamp);
      index.note(position, position + size, storeTimestamp, topic, properties, sysFlag);
      if (!isDispatched(fields.sysFlag)) continue;
      const queue = table.findOrCreate(fields.topic, fields.queueId);
      if (queue.nextOffset === 0) queue.load(fields.queueOffset, fields.queueOffset);
      queue.nextOffset = fields.queueOffset + 1;
      dispatch.note(queue, position + size, size, fields.tagsCode);
    }
    this.#committed(durability, waiter);
    return {
      status: "appended",
      physicalOffset: physicalOffset(head.position),
      queueOffset: queueOffset(head.fields.queueOffset),
      physicalOffsets: items.flatMap((item) =>
        item.fields === undefined ? [] : [physicalOffset(item.position)],
      ),
      storeTimestamp: this.#lastStoreTimestamp,
      byteCount: items.reduce((sum, { size, fields }) => (fields === undefined ? sum : sum + size), 0),
    };
  }

  /** Bytes the message will take, or why it is refused. */
  #sizeOf(message: RecordSource): number | AppendResult {
    const { maxMessageSize } = this.#parts;
    if (message.topic.length === 0) return refused("MESSAGE_ILLEGAL", "the topic is empty");
    if (!(message.queueId >= 0)) return refused("MESSAGE_ILLEGAL", `the queue id is ${message.queueId}`);
    if (message.body.length > maxMessageSize) {
      const remark = `the body has ${message.body.length} bytes, at most ${maxMessageSize} are allowed`;
      return refused("MESSAGE_ILLEGAL", remark);
    }
    try {
      return recordSize(message) + sealBytes(message.properties);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const tooLarge = error.code === "PROPERTIES_MALFORMED";
      return refused(tooLarge ? "PROPERTIES_SIZE_EXCEEDED" : "MESSAGE_ILLEGAL", error.message);
    }
  }

  #write(message: RecordSource, size: number, position: number, queue: ConsumeQueue, stored: number): void {
    const { log, dispatch, index, delaysMs } = this.#parts;
    const visible = isDispatched(message.sysFlag);
    const assigned = this.#position;
    assigned.queueOffset = visible ? queue.nextOffset : 0;
    assigned.physicalOffset = position;
    assigned.storeTimestamp = stored;
    const slab = log.memory(size);
    this.#encoder.write(message, slab, slab.used - size, size, assigned);
    index.note(position, position + size, stored, message.topic, message.properties, message.sysFlag);
    if (!visible) return;
    queue.nextOffset += 1;
    const tagsCode = tagsCodeOf(message.topic, message.properties, stored, delaysMs);
    dispatch.note(queue, position + size, size, tagsCode);
  }

  #committed(durability: Durability, waiter: AppendWaiter): void {
    const { log, flushedGate, writtenGate } = this.#parts;
    if (this.#clockTurn !== log.turn) {
      this.#clockTurn = log.turn;
      this.#monotonicMs = this.#parts.clock.monotonicMs();
    }
    (durability === "flushed" ? flushedGate : writtenGate).wait(log.appended, waiter, this.#monotonicMs);
    // Ends the turn, sooner or later: what was read of the clocks holds no longer than that.
    log.commit();
  }

  /** Wall time, except that it never runs backwards: store times order the log. */
  #now(): number {
    const { log } = this.#parts;
    if (this.#clockTurn === log.turn) return this.#lastStoreTimestamp;
    const wall = this.#parts.clock.wallMs();
    if (wall > this.#lastStoreTimestamp) this.#lastStoreTimestamp = wall;
    return this.#lastStoreTimestamp;
  }

  #noSpace(): AppendResult {
    const { reason, remark } = this.#parts.noSpace();
    return refused(reason, remark);
  }
}

function refused(reason: AppendRefusal, remark: string): AppendResult {
  return { status: "refused", reason, remark };
}

function tooLong(bytes: number, log: CommitLog): string {
  return `${bytes} bytes do not fit into a segment of the CommitLog (at most ${log.recordBytesMax})`;
}
