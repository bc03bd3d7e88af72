/**
 * Memory for units of queues, shared by all queues of a store. A hundred thousand queues hold a few units each, and a
 * buffer of its own would cost each of them ten times what is in it. Pieces of one size are cut out of chunks; a
 * piece that is given back is the next one taken, and a chunk none of whose pieces is taken goes.
 *
 *   piece: free (its first four bytes name the next free one) → taken → free
 *   chunk: listed (has free pieces) → full → listed → gone
 */
import { assert } from "@orbitmq/host";

const CHUNK_BYTES = 128 * 1024;
const PIECES_MIN = 16;
const NONE = -1;

/** Memory of some pieces of the same size; only the pool makes it. */
export class UnitChunk {
  readonly bytes: Buffer;
  readonly pieceBytes: number;
  taken = 0;
  /** Place among the chunks with free pieces; -1: it has none. */
  listed = NONE;
  /** Where the newest free piece begins; -1: none was given back. */
  #free = NONE;
  /** What lies behind was never taken. */
  #fresh = 0;

  constructor(pieceBytes: number, pieces: number) {
    this.bytes = Buffer.allocUnsafeSlow(pieceBytes * pieces);
    this.pieceBytes = pieceBytes;
  }

  get isFull(): boolean {
    return this.#free === NONE && this.#fresh === this.bytes.length;
  }

  take(): number {
    let at = this.#free;
    if (at === NONE) {
      at = this.#fresh;
      this.#fresh += this.pieceBytes;
    } else this.#free = this.bytes.readInt32LE(at);
    this.taken += 1;
    return at;
  }

  giveBack(at: number): void {
    assert(this.taken > 0 && at % this.pieceBytes === 0 && at < this.#fresh, "the piece was taken");
    this.bytes.writeInt32LE(this.#free, at);
    this.#free = at;
    this.taken -= 1;
  }
}

/** Chunks of one size of pieces. */
interface SizeClass {
  /** Those with free pieces; the last is taken from. */
  readonly listed: UnitChunk[];
  /** Of all chunks, full ones, too. */
  pieces: number;
}

export class UnitPool {
  readonly #classes = new Map<number, SizeClass>();
  #bytes = 0;
  /** Where the piece begins that was taken last. */
  takenAt = 0;

  /** Of all chunks there are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The chunk of a piece of `pieceBytes` that is the caller's from now on; it begins at `takenAt`. */
  take(pieceBytes: number): UnitChunk {
    const of = this.#classOf(pieceBytes);
    const chunk = of.listed.at(-1) ?? this.#makeChunk(of, pieceBytes);
    this.takenAt = chunk.take();
    if (chunk.isFull) unlist(of, chunk);
    return chunk;
  }

  giveBack(chunk: UnitChunk, at: number): void {
    const of = this.#classOf(chunk.pieceBytes);
    chunk.giveBack(at);
    if (chunk.taken === 0) {
      if (chunk.listed !== NONE) unlist(of, chunk);
      of.pieces -= chunk.bytes.length / chunk.pieceBytes;
      this.#bytes -= chunk.bytes.length;
    } else if (chunk.listed === NONE) list(of, chunk);
  }

  #classOf(pieceBytes: number): SizeClass {
    let of = this.#classes.get(pieceBytes);
    if (of === undefined) {
      of = { listed: [], pieces: 0 };
      this.#classes.set(pieceBytes, of);
    }
    return of;
  }

  /** Few pieces at first, as many again as there are later; large ones have a chunk each. */
  #makeChunk(of: SizeClass, pieceBytes: number): UnitChunk {
    const most = Math.max(1, Math.floor(CHUNK_BYTES / pieceBytes));
    const few = Math.max(1, Math.floor(CHUNK_BYTES / 16 / pieceBytes));
    const pieces = Math.min(most, Math.max(of.pieces, Math.min(few, PIECES_MIN)));
    const chunk = new UnitChunk(pieceBytes, pieces);
    of.pieces += pieces;
    this.#bytes += chunk.bytes.length;
    list(of, chunk);
    return chunk;
  }
}

function list({ listed }: SizeClass, chunk: UnitChunk): void {
  chunk.listed = listed.length;
  listed.push(chunk);
}

function unlist({ listed }: SizeClass, chunk: UnitChunk): void {
  const last = listed.pop()!;
  if (last !== chunk) {
    listed[chunk.listed] = last;
    last.listed = chunk.listed;
  }
  chunk.listed = NONE;
}
