/**
 * One connection of the loader with a fixed number of sends in flight. A slot whose answer came is sent again: at once
 * (closed loop), or when the next message is due (paced; its latency counts from when it was due, so that a server
 * that stands still is charged for what it kept waiting). Of a transaction the slot goes on when its commit is answered.
 */
import type { Socket } from "node:net";
import { type CommitFrame, writePlaces } from "./commit-frame.ts";
import { ReplyFrames } from "./reply-frames.ts";
import { OPAQUE_AT, type SendFrame, writeId } from "./send-frame.ts";

/** Opaques of commits are those of their halves and this. */
const COMMIT_BIT = 0x40000000;

export interface LaneOptions {
  readonly frames: readonly SendFrame[];
  readonly inFlight: number;
  /** Milliseconds between two sends of this lane; 0: closed loop. */
  readonly everyMs: number;
  /** What follows when a message was stored: it was a half, and counts when its commit was answered. */
  readonly commit?: CommitFrame | undefined;
  /** Says whether the slot goes on. */
  readonly onReply: (code: number, sentAt: number, now: number) => boolean;
}

export class Lane {
  readonly #socket: Socket;
  readonly #options: LaneOptions;
  readonly #sentAt: Float64Array;
  /** Which message each slot has under way. */
  readonly #counts: Float64Array;
  #commits: Buffer[] = [];
  readonly #free: number[] = [];
  readonly #replies: ReplyFrames;
  readonly #number: number;
  #next: number;
  #sent = 0;
  #isStopped = false;
  #dueAt: number;
  #now = 0;

  /** `number` tells its messages' ids from those of other lanes, and where it begins among the frames. */
  constructor(socket: Socket, options: LaneOptions, number: number) {
    this.#socket = socket;
    this.#options = options;
    this.#number = number;
    // Lanes do not march in step.
    this.#next = (number * 7) % options.frames.length;
    this.#sentAt = new Float64Array(options.inFlight);
    this.#counts = new Float64Array(options.inFlight);
    this.#replies = new ReplyFrames((code, opaque, data, _bodyAt, _end, headerAt) => {
      if (options.commit !== undefined && code === 0 && (opaque & COMMIT_BIT) === 0) {
        this.#commit(options.commit, opaque, data, headerAt);
        return;
      }
      const slot = opaque & ~COMMIT_BIT;
      if (options.onReply(code, this.#sentAt[slot]!, this.#now)) this.#free.push(slot);
    });
    for (let slot = 0; slot < options.inFlight; slot++) this.#free.push(slot);
    this.#dueAt = performance.now();
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#now = performance.now();
      this.#replies.take(chunk);
      this.#sendCommits();
      this.pump();
    });
    this.pump();
  }

  /** Sends no more. Returns how many are under way. */
  stop(): number {
    this.#isStopped = true;
    return this.#options.inFlight - this.#free.length;
  }

  /** Sends what may be sent now; a paced lane is called on a timer. */
  pump(): void {
    if (this.#isStopped) return;
    const now = performance.now();
    const { everyMs, frames } = this.#options;
    const free = this.#free;
    const due = everyMs === 0 ? free.length : Math.floor((now - this.#dueAt) / everyMs) + 1;
    const count = Math.min(free.length, Math.max(0, due));
    if (count === 0) return;
    let bytes = 0;
    for (let index = 0; index < count; index++)
      bytes += frames[(this.#next + index) % frames.length]!.bytes.length;
    const out = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (let index = 0; index < count; index++) {
      const slot = free.pop()!;
      const { bytes: frame, idAt } = frames[this.#next]!;
      this.#next = (this.#next + 1) % frames.length;
      frame.copy(out, at);
      out.writeInt32BE(slot, at + OPAQUE_AT);
      this.#counts[slot] = this.#sent;
      writeId(out, at + idAt, this.#number, this.#sent++);
      at += frame.length;
      this.#sentAt[slot] = everyMs === 0 ? now : this.#dueAt;
      if (everyMs > 0) this.#dueAt += everyMs;
    }
    this.#socket.write(out);
  }

  #commit(frame: CommitFrame, slot: number, answer: Buffer, headerAt: number): void {
    const out = Buffer.allocUnsafe(frame.bytes.length);
    frame.bytes.copy(out, 0);
    out.writeInt32BE(slot | COMMIT_BIT, OPAQUE_AT);
    writePlaces(out, 0, frame, answer, headerAt);
    for (const at of [frame.idAt, frame.transactionIdAt]) writeId(out, at, this.#number, this.#counts[slot]!);
    this.#commits.push(out);
  }

  #sendCommits(): void {
    if (this.#commits.length === 0) return;
    this.#socket.write(Buffer.concat(this.#commits));
    this.#commits = [];
  }
}
