/**
 * Checks a store against itself: every record with its checksums, every queue unit and index item with its record, every
 * checksum of ours with its block. Nothing is changed. On a running store it goes up to the flushed mark, and to the dispatched
 * one for the queues.
 */
import { type Files, HostError } from "@orbitmq/host";
import { BLANK_UNIT_SIZE, UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import { blockUnitsOf } from "../consume-queue/unit-checksums.ts";
import {
  type DispatchFields,
  isDispatched,
  parseDelayLevels,
  readDispatchFields,
} from "../dispatch/dispatch-fields.ts";
import { BlockChecksums } from "../integrity/block-checksums.ts";
import { OpenFileCache } from "../open-file-cache.ts";
import { STORE_DEFAULTS } from "../store-options.ts";
import { offsetName } from "../store-paths.ts";
import { findUnit } from "./find-unit.ts";
import { walkLog } from "./log-walk.ts";
import { StoreView, type ViewOptions } from "./store-view.ts";
import { IndexCheck } from "./verify-index.ts";

export interface Finding {
  /**
   * `record`: a place of the log without the record it should hold. `unit`: a queue unit that is not what its record
   * says. `queue`: units without records. `checksum`: a block of a queue file is not what it was. `index`: an IndexFile
   * does not lead to the records it should.
   */
  readonly kind: "record" | "unit" | "queue" | "checksum" | "index";
  readonly file: string;
  /** Byte in the file. */
  readonly byte: number;
  /** Offset in the log, for `record` and `unit`. */
  readonly offset?: number;
  readonly topic?: string;
  readonly queueId?: number;
  readonly queueOffset?: number;
  readonly reason: string;
}

export interface VerifyReport {
  readonly records: number;
  readonly logBytes: number;
  readonly queues: number;
  readonly units: number;
  /** How far the log was looked at. */
  readonly end: number;
  /** How many findings there are; of many only the first are in `findings`. */
  readonly damages: number;
  readonly findings: readonly Finding[];
}

/** What of how much is done, in bytes of the log. */
export type Progress = (done: number, total: number) => void;

const FINDINGS_MAX = 1000;
const PROGRESS_STEP = 4 * 1024 * 1024;

/** Blocking. Throws StoreError as {@link StoreView}, HostError. */
export function verifyStore(files: Files, options: ViewOptions, progress: Progress = () => {}): VerifyReport {
  return new Verification(files, options).run(progress);
}

interface QueueCount {
  readonly topic: string;
  readonly queueId: number;
  /** Records that must have a unit. */
  records: number;
}

class Verification {
  readonly #view: StoreView;
  readonly #files: Files;
  readonly #delaysMs = parseDelayLevels(STORE_DEFAULTS.messageDelayLevel);
  readonly #queues = new Map<string, QueueCount>();
  readonly #findings: Finding[] = [];
  #damages = 0;
  #records = 0;
  #units = 0;
  #firstOffset = 0;
  #end = 0;
  readonly #index: IndexCheck;
  /** Units of records below are expected in the files. */
  #unitsBelow = 0;

  constructor(files: Files, options: ViewOptions) {
    this.#files = files;
    this.#view = new StoreView(files, options);
    this.#index = new IndexCheck(this.#view, (finding) => this.#found(finding));
  }

  run(progress: Progress): VerifyReport {
    const view = this.#view;
    try {
      const { minOffset, limit, mark } = view;
      this.#unitsBelow = mark === undefined ? Number.POSITIVE_INFINITY : mark.dispatchedOffset;
      this.#end = minOffset;
      let told = minOffset;
      for (const entry of walkLog(view, minOffset, limit, mark !== undefined)) {
        if (entry.kind === "damage") this.#damaged(entry.position, entry.reason);
        else this.#record(entry.bytes, entry.at, entry.size, entry.position);
        this.#end = entry.kind === "damage" ? entry.end : entry.position + entry.size;
        if (this.#end - told < PROGRESS_STEP) continue;
        told = this.#end;
        progress(told - minOffset, limit - minOffset);
      }
      if (mark !== undefined) this.#end = limit;
      this.#index.end();
      // What a running store has deleted since counts for neither side.
      this.#firstOffset = view.logFiles.find(({ start }) => !view.isGone(start))?.start ?? limit;
      for (const queue of view.queues()) this.#queue(queue);
      progress(limit - minOffset, limit - minOffset);
      return {
        records: this.#records,
        logBytes: this.#end - minOffset,
        queues: this.#queues.size,
        units: this.#units,
        end: this.#end,
        damages: this.#damages,
        findings: this.#findings,
      };
    } finally {
      view.close();
    }
  }

  #found(finding: Finding): void {
    this.#damages += 1;
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push(finding);
  }

  #damaged(position: number, reason: string): void {
    this.#index.damaged(position);
    const file = this.#view.fileAt(position);
    if (file === undefined) return;
    const byte = position - file.start;
    const owner = findUnit(this.#view, position);
    if (owner !== undefined) this.#countOf(owner).records += 1;
    this.#found({ kind: "record", file: file.path, byte, offset: position, ...owner, reason });
  }

  #record(bytes: Buffer, at: number, size: number, position: number): void {
    this.#records += 1;
    const fields = readDispatchFields(bytes, at, this.#delaysMs);
    this.#index.record(fields, position);
    if (!isDispatched(fields.sysFlag) || position >= this.#unitsBelow) return;
    this.#countOf(fields).records += 1;
    const { topic, queueId, queueOffset } = fields;
    const reason = this.#wrongUnit(fields, size, position);
    if (reason === undefined) return;
    const { bytes: fileBytes } = this.#view.queueFiles(topic, queueId);
    const unitAt = queueOffset * UNIT_BYTES;
    const byte = fileBytes === 0 ? 0 : unitAt % fileBytes;
    const file = `${this.#view.paths.consumeQueue}/${topic}/${queueId}/${offsetName(unitAt - byte)}`;
    this.#found({ kind: "unit", file, byte, offset: position, topic, queueId, queueOffset, reason });
  }

  #wrongUnit(fields: DispatchFields, size: number, position: number): string | undefined {
    const { topic, queueId, queueOffset, tagsCode } = fields;
    const unit = this.#view.unitAt(topic, queueId, queueOffset);
    if (unit === undefined || unit.size === 0) return "the record has no unit";
    if (unit.position !== position) return `it points at ${unit.position}, the record lies at ${position}`;
    if (unit.size !== size) return `it says ${unit.size} bytes, the record has ${size}`;
    const isTime = topic === "SCHEDULE_TOPIC_XXXX";
    return unit.tagsCode === tagsCode || isTime
      ? undefined
      : `its tags code is ${unit.tagsCode}, not ${tagsCode}`;
  }

  #countOf({ topic, queueId }: { topic: string; queueId: number }): QueueCount {
    const key = `${queueId} ${topic}`;
    let count = this.#queues.get(key);
    if (count === undefined) {
      count = { topic, queueId, records: 0 };
      this.#queues.set(key, count);
    }
    return count;
  }

  /** Counts the units of a queue that point into what was walked, and compares blocks with their checksums. */
  #queue({ topic, queueId }: { topic: string; queueId: number }): void {
    const count = this.#countOf({ topic, queueId });
    const { starts, bytes: fileBytes } = this.#view.queueFiles(topic, queueId);
    const end = Math.min(this.#end, this.#unitsBelow);
    const folder = `${this.#view.paths.consumeQueue}/${topic}/${queueId}`;
    let units = 0;
    for (const start of starts) {
      const path = `${folder}/${offsetName(start * UNIT_BYTES)}`;
      const bytes = this.#readWhole(path, fileBytes);
      if (bytes === undefined) continue;
      for (let at = 0; at + UNIT_BYTES <= bytes.length; at += UNIT_BYTES) {
        const size = bytes.readInt32BE(at + 8);
        if (size === 0 || size === BLANK_UNIT_SIZE) continue;
        const position = bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
        if (position >= this.#firstOffset && position < end) units += 1;
      }
      this.#checksums(topic, queueId, start, bytes, path);
    }
    this.#units += units;
    if (units <= count.records) return;
    const reason = `${units} units point into the log, ${count.records} records belong to the queue`;
    this.#found({ kind: "queue", file: folder, byte: 0, topic, queueId, reason });
  }

  #checksums(topic: string, queueId: number, start: number, bytes: Buffer, path: string): void {
    const fileUnits = bytes.length / UNIT_BYTES;
    if (!Number.isInteger(fileUnits) || fileUnits === 0) return;
    const blockBytes = blockUnitsOf(fileUnits) * UNIT_BYTES;
    const sums = `${this.#view.paths.checksums}/consumequeue/${topic}/${queueId}/${offsetName(start * UNIT_BYTES)}`;
    const cache = new OpenFileCache(this.#files, 1);
    try {
      const blocks = Math.ceil(bytes.length / blockBytes);
      const known = new BlockChecksums(this.#files, cache, blockBytes).readSync(sums, 0, blocks);
      for (let block = 0; block < blocks; block += 1) {
        const at = block * blockBytes;
        if (known.check(block, bytes.subarray(at, at + blockBytes)) !== "different") continue;
        const queueOffset = start + at / UNIT_BYTES;
        const reason = "the block is not what it was when its checksum was made";
        this.#found({ kind: "checksum", file: path, byte: at, topic, queueId, queueOffset, reason });
      }
    } finally {
      cache.closeAll();
    }
  }

  #readWhole(path: string, length: number): Buffer | undefined {
    const file = this.#view.tryOpen(path);
    if (file === undefined) return undefined;
    const bytes = Buffer.alloc(length);
    try {
      return bytes.subarray(0, file.readSync(bytes, 0));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#found({ kind: "queue", file: path, byte: 0, reason: error.message });
      return undefined;
    }
  }
}
