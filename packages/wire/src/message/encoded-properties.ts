/**
 * The properties of a message as the bytes they arrived in, with the places of what is acted on: a message that is
 * stored as it was sent needs no string made of them. Grammar: see message-properties.
 *
 * Reused from message to message; what it points to is valid as long as the buffer it was read from.
 */
import { copyBytes } from "../bytes/copy-bytes.ts";
import { parseInt64Bytes } from "../bytes/integer-text.ts";
import { MessageConst, PROPERTIES_BYTES_MAX } from "./message-properties.ts";

const NAME_END = 1;
const VALUE_END = 2;
/** Near the limit it matters what is added behind them. */
const PLAIN_BYTES_MAX = PROPERTIES_BYTES_MAX - 256;
const NO_BYTES = new Uint8Array(0);
const EMPTY = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));
/** Longer ones are left to the engine. */
const LOOP_BYTES_MAX = 512;

/** What a broker adds is the same for all of its messages. */
let lastEnding: Uint8Array = NO_BYTES;
let lastEndingView: DataView = NO_VIEW;

/** What a broker has to do about a message with these properties. */
const Acts = {
  /** TRAN_MSG=true. */
  HALF: 1,
  /** PGROUP, with a value. */
  GROUP: 2,
  /** A name that begins as `__CRC32#` does. */
  CHECKSUM: 4,
  OTHER: 8,
  /** One of what asks for a time, once. */
  TIMED: 16,
} as const;

const { TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS } = MessageConst;
/** What asks for a time of delivery. */
export type TimerTrigger = typeof TIMER_DELAY_SEC | typeof TIMER_DELAY_MS | typeof TIMER_DELIVER_MS;
const TIMER_TRIGGERS = [TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS].map((name) => ({
  name,
  bytes: Buffer.from(name),
}));
/** More are left to whom they may concern. */
const TIMER_DIGITS_MAX = 15;

export class EncodedProperties {
  bytes: Buffer = EMPTY;
  /** The same bytes. */
  view: DataView = NO_VIEW;
  start = 0;
  end = 0;
  /** Whole properties that follow in the record; nothing of what is looked for here. */
  ending: Uint8Array = NO_BYTES;
  /** The values of TAGS, KEYS and UNIQ_KEY; -1 where there is none. The last of a name counts. */
  tagsStart = -1;
  tagsEnd = -1;
  keysStart = -1;
  keysEnd = -1;
  uniqKeyStart = -1;
  uniqKeyEnd = -1;
  /** The value of PGROUP; -1 where there is none. */
  groupStart = -1;
  groupEnd = -1;
  /** What asks for a time, and the place of its value. */
  timerTrigger: TimerTrigger = TIMER_DELAY_SEC;
  #timerStart = 0;
  #timerEnd = 0;
  /** See {@link Acts}. */
  #acts = 0;
  /** Whether there is a __SHARDINGKEY: the message is one of an order. */
  hasShardingKey = false;

  /**
   * Nothing is there but what a broker leaves alone, TAGS, KEYS, UNIQ_KEY and WAIT=true. Names are told by their
   * first characters, so some that mean nothing are taken for one that does; never the other way round.
   */
  get isPlain(): boolean {
    return this.#acts === 0;
  }

  /** The same, but for TRAN_MSG=true and PGROUP: it is a half of a transaction. */
  get isHalf(): boolean {
    return this.#acts === (Acts.HALF | Acts.GROUP);
  }

  /** The same, but for one property that asks for a time. */
  get isTimed(): boolean {
    return this.#acts === Acts.TIMED;
  }

  /** The value of {@link timerTrigger}; NaN unless it is a number without a sign, of at most 15 digits. */
  get timerValue(): number {
    const { bytes } = this;
    const [start, end] = [this.#timerStart, this.#timerEnd];
    const isShort = end > start && end - start <= TIMER_DIGITS_MAX && bytes[start]! >= 0x30;
    return (isShort ? parseInt64Bytes(bytes, start, end) : undefined) ?? Number.NaN;
  }

  /** Whether there may be a `__CRC32#`. */
  get mayHaveChecksum(): boolean {
    return (this.#acts & Acts.CHECKSUM) !== 0;
  }

  /** Reads `bytes[start, end)`; who has a view of `bytes` gives it. */
  read(bytes: Buffer, start: number, end: number, view?: DataView): void {
    if (bytes !== this.bytes) {
      // The same buffer holds many requests.
      this.bytes = bytes;
      this.view = view ?? viewOf(bytes);
    }
    this.start = start;
    this.end = end;
    this.tagsStart = this.keysStart = this.uniqKeyStart = this.groupStart = -1;
    this.#acts = end - start <= PLAIN_BYTES_MAX ? 0 : Acts.OTHER | Acts.CHECKSUM;
    this.hasShardingKey = false;
    let at = start;
    while (at < end) {
      let middle = at;
      let byte = bytes[middle]!;
      while (byte !== NAME_END && byte !== VALUE_END && ++middle < end) byte = bytes[middle]!;
      if (middle >= end) return;
      if (byte === VALUE_END) {
        at = middle + 1;
        continue;
      }
      let valueEnd = middle + 1;
      while (valueEnd < end && bytes[valueEnd] !== VALUE_END) valueEnd++;
      if (middle > at) this.#entry(bytes, at, middle, valueEnd);
      at = valueEnd + 1;
    }
  }

  /** Bytes in the record: these, a separator where the last one is missing, and `ending`. */
  get byteLength(): number {
    const { start, end } = this;
    const separator = end > start && this.bytes[end - 1] !== VALUE_END ? 1 : 0;
    return end - start + separator + this.ending.length;
  }

  /** Writes {@link byteLength} bytes, for which there must be room; returns where they end. `view` is of `into`. */
  write(into: Buffer, at: number, view = viewOf(into)): number {
    const { bytes, start, end, ending } = this;
    const length = end - start;
    if (length <= LOOP_BYTES_MAX) copyBytes(this.view, start, view, at, length);
    else bytes.copy(into, at, start, end);
    let to = at + length;
    if (length > 0 && bytes[end - 1] !== VALUE_END) into[to++] = VALUE_END;
    if (ending !== lastEnding) {
      lastEnding = ending;
      lastEndingView = viewOf(ending);
    }
    copyBytes(lastEndingView, 0, view, to, ending.length);
    return to + ending.length;
  }

  /** All of it as text, as it will be stored. */
  text(): string {
    const out = Buffer.allocUnsafe(this.byteLength);
    return out.toString("utf8", 0, this.write(out, 0));
  }

  /** What was read as text, without what is added. */
  readText(): string {
    return this.bytes.toString("utf8", this.start, this.end);
  }

  /** TIMER_…. */
  #timer(bytes: Buffer, start: number, middle: number, end: number): void {
    const trigger = timerTriggerAt(bytes, start, middle);
    if (trigger === undefined || (this.#acts & Acts.TIMED) !== 0) {
      this.#acts |= Acts.OTHER;
      return;
    }
    this.#acts |= Acts.TIMED;
    this.timerTrigger = trigger.name;
    this.#timerStart = middle + 1;
    this.#timerEnd = end;
  }

  #entry(bytes: Buffer, start: number, middle: number, end: number): void {
    const length = middle - start;
    const second = bytes[start + 1]!;
    switch (bytes[start]) {
      case 0x55: // U
        if (length === 8 && isUniqKey(bytes, start)) {
          if (end > middle + 1) {
            this.uniqKeyStart = middle + 1;
            this.uniqKeyEnd = end;
          }
        }
        return;
      case 0x57: // W
        if (length === 4 && second === 0x41 && !isWaitTrue(bytes, start, end)) this.#acts |= Acts.OTHER;
        return;
      case 0x54: // T: TAGS; TRAN_MSG, TRACE_ON, TIMER_…
        if (length === 4 && isTags(bytes, start)) {
          this.tagsStart = middle + 1;
          this.tagsEnd = end;
        } else if (second === 0x52) this.#acts |= isTransaction(bytes, start, end) ? Acts.HALF : Acts.OTHER;
        else if (second === 0x49) this.#timer(bytes, start, middle, end);
        return;
      case 0x4b: // K
        if (length === 4 && isKeys(bytes, start)) {
          this.keysStart = middle + 1;
          this.keysEnd = end;
        }
        return;
      case 0x50: // PGROUP; POP_CK
        if (length === 6 && isGroup(bytes, start) && end > middle + 1) {
          this.groupStart = middle + 1;
          this.groupEnd = end;
          this.#acts |= Acts.GROUP;
        } else if (second < 0x61) this.#acts |= Acts.OTHER;
        return;
      case 0x44: // DELAY
      case 0x49: // INNER_NUM
      case 0x4d: // MSG_REGION, MAX_RECONSUME_TIMES
      case 0x43: // CLUSTER
      case 0x52: // REAL_TOPIC, REAL_QID, RETRY_TOPIC, RECONSUME_TIME
        if (second < 0x61) this.#acts |= Acts.OTHER;
        return;
      case 0x5f: // __…, but for the sharding key
        if (second !== 0x5f) return;
        if (bytes[start + 2] === 0x53 && bytes[start + 3] === 0x48) this.hasShardingKey = true;
        else this.#acts |= bytes[start + 2] === 0x43 ? Acts.OTHER | Acts.CHECKSUM : Acts.OTHER;
    }
  }
}

function timerTriggerAt(
  bytes: Buffer,
  start: number,
  end: number,
): (typeof TIMER_TRIGGERS)[number] | undefined {
  for (const trigger of TIMER_TRIGGERS) if (isSame(bytes, start, end, trigger.bytes)) return trigger;
  return undefined;
}

function isSame(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}

function isUniqKey(bytes: Buffer, at: number): boolean {
  return (
    bytes[at + 1] === 0x4e &&
    bytes[at + 2] === 0x49 &&
    bytes[at + 3] === 0x51 &&
    bytes[at + 4] === 0x5f &&
    bytes[at + 5] === 0x4b &&
    bytes[at + 6] === 0x45 &&
    bytes[at + 7] === 0x59
  );
}

/** An entry `WAIT U+0001 true`. */
function isWaitTrue(bytes: Buffer, at: number, end: number): boolean {
  return (
    end - at === 9 &&
    bytes[at + 2] === 0x49 &&
    bytes[at + 3] === 0x54 &&
    bytes[at + 5] === 0x74 &&
    bytes[at + 6] === 0x72 &&
    bytes[at + 7] === 0x75 &&
    bytes[at + 8] === 0x65
  );
}

/** An entry `TRAN_MSG U+0001 true`. */
function isTransaction(bytes: Buffer, at: number, end: number): boolean {
  return (
    end - at === 13 &&
    bytes[at + 2] === 0x41 &&
    bytes[at + 3] === 0x4e &&
    bytes[at + 4] === 0x5f &&
    bytes[at + 5] === 0x4d &&
    bytes[at + 6] === 0x53 &&
    bytes[at + 7] === 0x47 &&
    bytes[at + 8] === NAME_END &&
    bytes[at + 9] === 0x74 &&
    bytes[at + 10] === 0x72 &&
    bytes[at + 11] === 0x75 &&
    bytes[at + 12] === 0x65
  );
}

function isGroup(bytes: Buffer, at: number): boolean {
  return (
    bytes[at + 1] === 0x47 &&
    bytes[at + 2] === 0x52 &&
    bytes[at + 3] === 0x4f &&
    bytes[at + 4] === 0x55 &&
    bytes[at + 5] === 0x50
  );
}

function isTags(bytes: Buffer, at: number): boolean {
  return bytes[at + 1] === 0x41 && bytes[at + 2] === 0x47 && bytes[at + 3] === 0x53;
}

function isKeys(bytes: Buffer, at: number): boolean {
  return bytes[at + 1] === 0x45 && bytes[at + 2] === 0x59 && bytes[at + 3] === 0x53;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
