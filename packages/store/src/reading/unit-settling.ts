/**
 * Settles a queue unit that cannot be trusted: the unit is compared with the record it points at, and where they
 * disagree the record is looked for in the log, between the records of the unit's neighbours. Afterwards the unit
 * in the run is sure: confirmed, corrected, or lost (the record itself is damaged).
 *
 *   compare → confirmed | corrected (the tags code)
 *   compare → bounds → search → corrected | confirmed (nothing is missing: a blank, or a message that expired) | lost
 *
 * A block whose units are all sure gets its checksum again, and its file what was corrected.
 */
import { HostError, type Logger } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { BLANK_UNIT_SIZE, type ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import type { FileUnits, QueueUnits } from "../consume-queue/queue-units.ts";
import { readDispatchFields, SCHEDULE_TOPIC } from "../dispatch/dispatch-fields.ts";
import type { Damages } from "../integrity/damages.ts";
import { searchLog } from "./log-search.ts";
import { whatIsWrong } from "./record-check.ts";
import { readStored, type StoredParts } from "./stored-record.ts";

export interface SettlingParts extends StoredParts {
  readonly units: QueueUnits;
  readonly queueFiles: ConsumeQueueFiles;
  /** One past the newest readable record. */
  readonly readable: () => number;
  readonly segmentBytes: number;
  readonly delaysMs: readonly number[];
  readonly damages: Damages;
  readonly logger: Logger;
}

/** What a queue unit must say of a record. */
interface Unit {
  readonly position: number;
  readonly size: number;
  readonly tagsCode: number;
}

/** How many neighbours are tried before the log's start or end is taken as a bound. */
const NEIGHBOURS_MAX = 1000;

export class UnitSettling {
  readonly #parts: SettlingParts;

  constructor(parts: SettlingParts) {
    this.#parts = parts;
  }

  /** Settles the unit at `offset` of `run`; `done` may be called at once. */
  settle(queue: ConsumeQueue, run: FileUnits, offset: number, done: () => void): void {
    const isSame = (unit: Unit) =>
      unit.position === run.physicalOffsetAt(offset) &&
      unit.size === run.sizeAt(offset) &&
      unit.tagsCode === run.tagsCodeAt(offset);
    this.#truth(queue, run, offset, (unit, wrong) => {
      if (unit !== undefined) {
        if (isSame(unit)) run.confirm(offset);
        else {
          this.#parts.damages.wrongUnit(queue, offset, unit.position, wrong);
          run.correct(offset, unit.position, unit.size, unit.tagsCode);
        }
        this.#healBlock(queue, run, offset);
        done();
        return;
      }
      this.#search(queue, run, offset, wrong, () => {
        this.#healBlock(queue, run, offset);
        done();
      });
    });
  }

  /** What the unit must be, by the record that it points at; `undefined` when that is not its record. */
  #truth(
    queue: ConsumeQueue,
    run: FileUnits,
    offset: number,
    done: (unit: Unit | undefined, wrong: string) => void,
  ): void {
    const position = run.physicalOffsetAt(offset);
    const size = run.sizeAt(offset);
    if (size === BLANK_UNIT_SIZE) {
      done(undefined, "it is blank");
      return;
    }
    readStored(this.#parts, position, this.#parts.readable(), (record, reason) => {
      if (record === undefined) return done(undefined, reason);
      const topicBytes = Buffer.from(queue.topic);
      const expected = { queueId: queue.queueId, topicBytes };
      const wrong = whatIsWrong(record, 0, record.length, position, offset, expected);
      if (wrong !== undefined) return done(undefined, wrong);
      done(this.#unitOf(record, position, run.tagsCodeAt(offset)), "its size or tags code is another");
    });
  }

  #unitOf(record: Buffer, position: number, stored: number): Unit {
    const { topic, tagsCode } = readDispatchFields(record, 0, this.#parts.delaysMs);
    // The time of delivery follows from settings that may have changed since; nobody filters by it.
    return { position, size: record.length, tagsCode: topic === SCHEDULE_TOPIC ? stored : tagsCode };
  }

  /** Looks for the record between those of the neighbours. */
  #search(queue: ConsumeQueue, run: FileUnits, offset: number, wrong: string, done: () => void): void {
    const { damages, logStart, readable } = this.#parts;
    this.#neighbour(queue, run, offset, -1, (before) => {
      this.#neighbour(queue, run, offset, 1, (after) => {
        const from = before === undefined ? logStart() : before.position + before.size;
        const to = after === undefined ? readable() : after.position;
        searchLog(this.#parts, from, to, queue, offset, (found) => {
          if (found.record !== undefined) {
            const unit = this.#unitOf(found.record, found.position, run.tagsCodeAt(offset));
            damages.wrongUnit(queue, offset, unit.position, wrong);
            run.correct(offset, unit.position, unit.size, unit.tagsCode);
          } else if (found.brokenAt >= 0) {
            run.lose(offset, { position: found.brokenAt, reason: found.reason });
          } else if (run.sizeAt(offset) === BLANK_UNIT_SIZE || from === logStart()) {
            // Nothing is missing between the neighbours, or the log no longer reaches back to it.
            run.confirm(offset);
          } else {
            run.lose(offset, { position: run.physicalOffsetAt(offset), reason: wrong });
          }
          done();
        });
      });
    });
  }

  /** The nearest unit in a direction whose record is there; `undefined` when none is near. */
  #neighbour(
    queue: ConsumeQueue,
    run: FileUnits,
    offset: number,
    step: 1 | -1,
    done: (unit: Unit | undefined) => void,
  ): void {
    let at = offset;
    let isInLoop = false;
    let isReady = false;
    let current = run;
    const tryNext = (): void => {
      at += step;
      if (Math.abs(at - offset) > NEIGHBOURS_MAX || at < queue.minOffset || at >= queue.end) {
        done(undefined);
        return;
      }
      if (at >= queue.ringStart) {
        done({ position: queue.physicalOffsetAt(at), size: queue.sizeAt(at), tagsCode: 0 });
        return;
      }
      if (at >= current.start && at < current.end) {
        this.#truth(queue, current, at, (unit) => {
          if (unit === undefined) again();
          else done(unit);
        });
        return;
      }
      this.#parts.units.read(queue, at, (_error, read) => {
        if (read === undefined) return done(undefined);
        current = read;
        at -= step;
        again();
      });
    };
    // A loop where answers come at once, so that a long row of them takes no stack.
    const again = (): void => {
      isReady = true;
      if (isInLoop) return;
      isInLoop = true;
      while (isReady) {
        isReady = false;
        tryNext();
      }
      isInLoop = false;
    };
    again();
  }

  /** When all units of a full block are sure: its checksum is noted and its file corrected. */
  #healBlock(queue: ConsumeQueue, run: FileUnits, offset: number): void {
    const { queueFiles, logger } = this.#parts;
    const { checksums } = queueFiles;
    const start = checksums.blockStart(offset);
    const end = checksums.blockEnd(start);
    if (end > queue.written) return;
    const bytes = run.sureBytes(start, end);
    if (bytes === undefined) return;
    try {
      queueFiles.repairUnits(queue, start, bytes);
      checksums.put(queue, start, end - start, plainCrc32(bytes));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      logger.warn(
        { err: error },
        "a ConsumeQueue cannot be corrected; it is compared with the log each time",
      );
    }
  }
}
