/**
 * A small state that is saved often and must survive every crash as it was before or after a save: two slots of 512
 * bytes, 4096 apart, written in turn and each synced before the other is touched, so that one of them is always whole.
 * The file has its full length from the start: a save is one write and one fdatasync in place.
 *
 *   slot: magic:u32 version:u32 sequence:i64 …the content, zeros…  crc:u32      (512 bytes, big-endian; crc as in
 *         records, over the 508 bytes before it)
 */
import { assert, type Files, type HostError, type OpenFile } from "@orbitmq/host";
import { bodyCrc, readInt64, writeInt64 } from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";

export const SLOT_BYTES = 512;
const SLOT_STEP = 4096;
/** What lies behind both slots. */
export const SLOTS_END = 2 * SLOT_STEP;
const BYTES_MIN = SLOT_STEP + SLOT_BYTES;
const CRC_AT = SLOT_BYTES - 4;

export interface SlotFormat {
  readonly magic: number;
  /** Raised when older versions would misread the file. */
  readonly version: number;
  /** What the file has behind its slots; default 0. */
  readonly moreBytes?: number;
}

export class TwoSlotFile {
  readonly #files: Files;
  readonly #path: string;
  readonly #format: SlotFormat;
  #file: OpenFile | undefined;
  /** Of the slot that is on disk for certain. */
  #sequence = 0;
  /** Of the slot written last, whether it is on disk or not. */
  #newest = 0;

  constructor(files: Files, path: string, format: SlotFormat) {
    this.#files = files;
    this.#path = path;
    this.#format = format;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  get newest(): number {
    return this.#newest;
  }

  /** The file, once opened. */
  get file(): OpenFile {
    assert(this.#file !== undefined, "the file of slots is open");
    return this.#file;
  }

  /**
   * The newest whole slot with its sequence, and all of the file; `undefined` when there is none. Throws StoreError
   * VERSION when a newer version has written it.
   */
  load(): { readonly slot: Buffer; readonly sequence: number; readonly bytes: Buffer } | undefined {
    const content = this.#files.readWholeSync(this.#path);
    if (content === undefined) return undefined;
    const { magic, version } = this.#format;
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    let newest: Buffer | undefined;
    for (const at of [0, SLOT_STEP]) {
      if (bytes.length < at + SLOT_BYTES) continue;
      const slot = bytes.subarray(at, at + SLOT_BYTES);
      if (slot.readUInt32BE(0) !== magic || slot.readUInt32BE(CRC_AT) !== bodyCrc(slot.subarray(0, CRC_AT)))
        continue;
      const written = slot.readUInt32BE(4);
      if (written > version) {
        throw new StoreError(
          "VERSION",
          `${this.#path} has format ${written}, this version knows ${version}: start a newer OrbitMQ`,
        );
      }
      const sequence = readInt64(slot, 8);
      if (sequence < this.#sequence) continue;
      this.#sequence = sequence;
      newest = slot;
    }
    return newest === undefined ? undefined : { slot: newest, sequence: this.#sequence, bytes };
  }

  /** Opens the file for saving; created with its full length when missing. The folder is not synced here. */
  open(): void {
    if (this.#file !== undefined) return;
    const file = this.#files.openSync(this.#path, { create: true });
    const { moreBytes = 0 } = this.#format;
    const length = moreBytes === 0 ? BYTES_MIN : SLOTS_END + moreBytes;
    const sizeBytes = file.sizeSync();
    if (sizeBytes < length) {
      const from = sizeBytes < BYTES_MIN ? 0 : BYTES_MIN;
      file.writeSync(new Uint8Array(length - from), from);
      file.fdatasyncSync();
    }
    this.#file = file;
  }

  /** Saves a slot whose content is filled in, without blocking; one at a time. After a failure the older slot still counts. */
  save(slot: Buffer, done: (error: HostError | undefined) => void): void {
    const sequence = this.#sequence + 1;
    try {
      this.#write(slot, sequence);
    } catch (error) {
      done(error as HostError);
      return;
    }
    this.file.fdatasync("other", (error) => {
      // A blocking save may have taken the same slot meanwhile; its content is the newer.
      if (error === undefined) this.#sequence = Math.max(this.#sequence, sequence);
      done(error);
    });
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(slot: Buffer): void {
    this.#write(slot, this.#sequence + 1);
    this.file.fdatasyncSync();
    this.#sequence += 1;
  }

  close(): void {
    this.#file?.closeSync();
    this.#file = undefined;
  }

  #write(slot: Buffer, sequence: number): void {
    assert(slot.length === SLOT_BYTES, "a slot is filled");
    slot.writeUInt32BE(this.#format.magic, 0);
    slot.writeUInt32BE(this.#format.version, 4);
    writeInt64(slot, sequence, 8);
    slot.writeUInt32BE(bodyCrc(slot.subarray(0, CRC_AT)), CRC_AT);
    this.file.writeSync(slot, (sequence % 2) * SLOT_STEP);
    this.#newest = sequence;
  }
}
