/**
 * Follows the end of the log for those who carry it elsewhere. Nothing is queued for a follower: it is told, at
 * most once per step, that there is more, and reads it at its own pace by position, from memory while it keeps up
 * and from disk when it lags.
 */
import { assert, type HostError, type PhysicalOffset, physicalOffset } from "@orbitmq/host";
import type { ColdBlocks } from "./cold-blocks.ts";
import type { HotTail } from "./hot-tail.ts";

export interface LogChunk {
  readonly start: PhysicalOffset;
  readonly end: PhysicalOffset;
  /** Bytes of the log from `start` on, unchanged until `release`; none when there is nothing yet. */
  readonly bytes: Uint8Array;
  /** Exactly once. */
  release(): void;
}

export interface TailFollower {
  /** There is more than at the last `next`. Must not throw. */
  logGrew(): void;
  /** The log was cut to `offset`, which lies below the follower's position; it goes on from there. */
  logCut(offset: PhysicalOffset): void;
}

export class TailSubscription {
  readonly #tail: LogTail;
  readonly #follower: TailFollower;
  #position: number;
  #busy = false;
  #cuts = 0;

  constructor(tail: LogTail, follower: TailFollower, position: number) {
    this.#tail = tail;
    this.#follower = follower;
    this.#position = position;
  }

  /** Where the next chunk starts. */
  get position(): PhysicalOffset {
    return physicalOffset(this.#position);
  }

  /** Reads the next written bytes, at most `bytesMax`, and moves behind them; one call at a time. `done` may be called at once. */
  next(bytesMax: number, done: (error: HostError | undefined, chunk: LogChunk | undefined) => void): void {
    assert(!this.#busy, "one read of a subscription at a time");
    const start = this.#position;
    const cuts = this.#cuts;
    this.#busy = true;
    this.#tail.read(start, bytesMax, (error, chunk) => {
      this.#busy = false;
      if (cuts !== this.#cuts) {
        chunk?.release();
        this.next(bytesMax, done);
        return;
      }
      if (chunk !== undefined) this.#position = chunk.end;
      done(error, chunk);
    });
  }

  close(): void {
    this.#tail.remove(this);
  }

  /** For the tail only. */
  grew(): void {
    this.#follower.logGrew();
  }

  /** For the tail only. */
  cut(offset: number): void {
    if (offset >= this.#position) return;
    this.#cuts += 1;
    this.#position = offset;
    this.#follower.logCut(physicalOffset(offset));
  }
}

export class LogTail {
  readonly #hot: HotTail;
  readonly #cold: ColdBlocks;
  readonly #segmentBytes: number;
  readonly #written: () => number;
  readonly #subscriptions = new Set<TailSubscription>();
  #told = 0;

  constructor(hot: HotTail, cold: ColdBlocks, segmentBytes: number, written: () => number) {
    this.#hot = hot;
    this.#cold = cold;
    this.#segmentBytes = segmentBytes;
    this.#written = written;
  }

  subscribe(position: number, follower: TailFollower): TailSubscription {
    const subscription = new TailSubscription(this, follower, position);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  remove(subscription: TailSubscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** The written offset has moved. */
  moved(): void {
    const written = this.#written();
    if (written === this.#told) return;
    this.#told = written;
    for (const subscription of this.#subscriptions) subscription.grew();
  }

  truncated(offset: number): void {
    this.#told = Math.min(this.#told, offset);
    for (const subscription of this.#subscriptions) subscription.cut(offset);
  }

  read(
    start: number,
    bytesMax: number,
    done: (error: HostError | undefined, chunk: LogChunk | undefined) => void,
  ): void {
    const segmentEnd = start - (start % this.#segmentBytes) + this.#segmentBytes;
    const end = Math.min(this.#written(), start + bytesMax, segmentEnd);
    const slab = this.#hot.find(start);
    if (end <= start) {
      done(
        undefined,
        chunkOf(start, new Uint8Array(0), () => {}),
      );
    } else if (slab === undefined) {
      this.#cold.assemble(start, Math.min(end - start, this.#cold.blockBytes), (error, bytes) =>
        error === undefined
          ? done(
              undefined,
              chunkOf(start, bytes, () => {}),
            )
          : done(error, undefined),
      );
    } else {
      const { pool } = this.#hot;
      pool.retain(slab);
      const bytes = slab.bytes.subarray(start - slab.start, Math.min(end, slab.end) - slab.start);
      done(
        undefined,
        chunkOf(start, bytes, () => pool.release(slab)),
      );
    }
  }
}

function chunkOf(start: number, bytes: Uint8Array, release: () => void): LogChunk {
  let released = false;
  return {
    start: physicalOffset(start),
    end: physicalOffset(start + bytes.length),
    bytes,
    release() {
      assert(!released, "a chunk is released once");
      released = true;
      release();
    },
  };
}
