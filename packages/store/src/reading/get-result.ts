/** What a read of a queue returns: views into slabs and blocks that stay until they are released. */
import { assert, type QueueOffset, queueOffset } from "@orbitmq/host";
import type { Slab, SlabPool } from "../commit-log/slab.ts";
import type { GetResult, GetStatus } from "../message-store.ts";

export class StoredMessages implements GetResult {
  status: GetStatus;
  nextBeginOffset: QueueOffset;
  readonly minOffset: QueueOffset;
  readonly maxOffset: QueueOffset;
  messageCount = 0;
  byteCount = 0;
  suggestPullingFromSlave = false;
  heldAt = -1;
  readonly #slices: Uint8Array[] = [];
  readonly #slabs: Slab[] = [];
  readonly #pools: SlabPool[] = [];
  #lastSlab: Slab | undefined;
  #lastEnd = 0;
  /** The slice being made: neighbouring records of `#lastSlab` up to `#lastEnd`; -1 when there is none. */
  #sliceStart = -1;
  #released = false;

  constructor(status: GetStatus, next: number, min: number, max: number) {
    this.status = status;
    this.nextBeginOffset = queueOffset(next);
    this.minOffset = queueOffset(min);
    this.maxOffset = queueOffset(max);
  }

  get slices(): readonly Uint8Array[] {
    this.#closeSlice();
    return this.#slices;
  }

  #closeSlice(): void {
    if (this.#sliceStart < 0) return;
    this.#slices.push(this.#lastSlab!.bytes.subarray(this.#sliceStart, this.#lastEnd));
    this.#sliceStart = -1;
  }

  /** Adds a record as a view into `slab`, which is held until `release`; neighbours become one slice. */
  addView(pool: SlabPool, slab: Slab, position: number, size: number): void {
    const at = position - slab.start;
    if (slab !== this.#lastSlab || at !== this.#lastEnd || this.#sliceStart < 0) {
      this.#closeSlice();
      this.#sliceStart = at;
      if (slab !== this.#lastSlab) {
        pool.retain(slab);
        this.#slabs.push(slab);
        this.#pools.push(pool);
      }
    }
    this.#lastSlab = slab;
    this.#lastEnd = at + size;
    this.#count(size);
  }

  /** Adds a record that is the caller's own copy. */
  addCopy(bytes: Uint8Array): void {
    this.#closeSlice();
    this.#slices.push(bytes);
    this.#lastSlab = undefined;
    this.#count(bytes.length);
  }

  release(): void {
    assert(!this.#released, "a result is released once");
    this.#released = true;
    for (let index = 0; index < this.#slabs.length; index += 1) {
      this.#pools[index]!.release(this.#slabs[index]!);
    }
  }

  #count(size: number): void {
    this.messageCount += 1;
    this.byteCount += size;
  }
}
