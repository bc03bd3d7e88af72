/**
 * The fingerprint of a run: every event that ran is mixed into a 64-bit hash, so that two runs of one seed can
 * be compared bit for bit without keeping anything. On request the lines themselves are kept or passed on.
 */

/** What can happen in a simulated world; the index is what goes into the hash. */
export const TRACE_KINDS = [
  "timer",
  "turn",
  "fault",
  "disk-write",
  "disk-truncate",
  "disk-piece",
  "disk-done",
  "disk-sync",
  "disk-name",
  "disk-crash",
  "net-take",
  "net-arrive",
  "net-closed",
  "net-connect",
  "net-accept",
  "net-listen",
  "net-resolve",
  "process-start",
  "process-end",
  "note",
] as const;
export type TraceKind = (typeof TRACE_KINDS)[number];

const KIND_INDEX = new Map<string, number>(TRACE_KINDS.map((name, index) => [name, index]));

/** The number that stands for `kind` in events. */
export function traceKind(kind: TraceKind): number {
  return KIND_INDEX.get(kind) as number;
}

export class Trace {
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  #count = 0;
  readonly #line: ((line: string) => void) | undefined;

  /** `line` is called with one readable line for each entry. */
  constructor(line?: (line: string) => void) {
    this.#line = line;
  }

  get recordsLines(): boolean {
    return this.#line !== undefined;
  }

  /** Entries so far. */
  get count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits over everything noted so far. */
  get digest(): string {
    const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  add(atUs: number, kind: number, owner: number, detail: number): void {
    this.#count++;
    this.mix(atUs | 0);
    this.mix((kind << 24) ^ (owner << 12) ^ detail);
    if (this.#line !== undefined) {
      this.#line(`${(atUs / 1000).toFixed(3).padStart(12)} ${TRACE_KINDS[kind]} p${owner} ${detail}`);
    }
  }

  /** A decision or remark that is not an event of its own. */
  note(atUs: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.mix(text.charCodeAt(i));
    if (this.#line !== undefined) this.#line(`${(atUs / 1000).toFixed(3).padStart(12)} ${text}`);
  }

  /** Contents: bytes that were sent or written. */
  bytes(bytes: Uint8Array): void {
    let h = this.#low;
    for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
    this.#low = h;
    this.mix(bytes.length);
  }

  mix(value: number): void {
    const high = Math.imul(this.#high ^ value, 0x01000193);
    const low = Math.imul(this.#low ^ ((value << 13) | (value >>> 19)), 0x85ebca6b);
    this.#high = high ^ (low >>> 15);
    this.#low = low ^ (high >>> 13);
  }
}
