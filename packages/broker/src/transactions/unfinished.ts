/**
 * Which halves of a log are unfinished, and which of its places lack an op. Pure: what a start decides, whatever moment
 * a crash has cut the log at, and whoever wrote it.
 *
 * A place of the half queue is done with when
 *   - an op names it, or names where RocketMQ had it first before it put it off;
 *   - a record of type COMMIT, or one that parks it, names its position, and the crash came before the op;
 *   - a later copy of the half, of a check or carried to the log's end, has taken its place.
 */
import type { Half } from "./halves.ts";

export interface LoggedHalf {
  readonly half: Half;
  /** Where the half lay first, when RocketMQ has put it off and that is still there. */
  readonly rootPosition: number | undefined;
}

export interface Found {
  /** In the order of the half queue. */
  readonly open: readonly LoggedHalf[];
  /** Places that are done with and that no op names, ascending. */
  readonly lackingOps: readonly number[];
}

/** Halves are added in their order; `isDone` tells of the ops. */
export class Unfinished {
  readonly #isDone: (queueOffset: number) => boolean;
  /** By identity: there may be several halves of one message when its producer has sent it again. */
  readonly #live = new Map<string, LoggedHalf[]>();
  readonly #lacking: number[] = [];
  #first: number | undefined;

  constructor(isDone: (queueOffset: number) => boolean) {
    this.#isDone = isDone;
  }

  /** The lowest position of a half that may be unfinished. */
  get firstPosition(): number | undefined {
    return this.#first;
  }

  add(logged: LoggedHalf): void {
    const { half } = logged;
    const { queueOffset, identity, checkTimes, isCopy, rootOffset } = half;
    let same = this.#live.get(identity) ?? [];
    if (isCopy) {
      const before = predecessor(same, checkTimes);
      if (before !== undefined) {
        this.#lacking.push(before.half.queueOffset);
        same = same.filter((each) => each !== before);
      }
    }
    if (this.#isDone(queueOffset)) {
      // Nothing is left to do.
    } else if (rootOffset !== undefined && this.#isDone(rootOffset)) this.#lacking.push(queueOffset);
    else if (rootOffset !== undefined && same.some((each) => each.half.queueOffset === rootOffset)) {
      // Put off, and the crash came before RocketMQ had forgotten where it lay first: that counts.
      this.#lacking.push(queueOffset);
    } else {
      same = [...same, logged];
      this.#first = Math.min(this.#first ?? half.physicalOffset, half.physicalOffset);
    }
    if (same.length > 0) this.#live.set(identity, same);
    else this.#live.delete(identity);
  }

  /** `finishedAt`: positions that commits and parked records name. */
  result(finishedAt: ReadonlySet<number>): Found {
    const open: LoggedHalf[] = [];
    const lackingOps = [...this.#lacking];
    for (const same of this.#live.values()) {
      for (const logged of same) {
        const { half, rootPosition } = logged;
        const isFinished =
          finishedAt.has(half.physicalOffset) || (rootPosition !== undefined && finishedAt.has(rootPosition));
        if (isFinished) lackingOps.push(half.queueOffset);
        else open.push(logged);
      }
    }
    open.sort((a, b) => a.half.queueOffset - b.half.queueOffset);
    return { open, lackingOps: lackingOps.sort((a, b) => a - b) };
  }
}

/** The one whose place a copy with so many checks has taken. */
function predecessor(same: readonly LoggedHalf[], checkTimes: number): LoggedHalf | undefined {
  let found: LoggedHalf | undefined;
  for (const each of same) {
    const times = each.half.checkTimes;
    if (times <= checkTimes && (found === undefined || times > found.half.checkTimes)) found = each;
  }
  return found;
}
