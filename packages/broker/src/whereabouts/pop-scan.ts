/**
 * Which consumer groups have popped messages at given places and are not done with them: looks through the checkpoints
 * in memory, some thousand a turn, since there may be a million of them. Who asks while a look is under way waits for
 * the next, which serves all who wait.
 *
 *   idle → looking (a part per turn) → idle | looking again
 */
import type { Clock, Timers } from "@orbitmq/host";
import type { PopWhereabouts } from "@orbitmq/wire";
import type { CheckPoint, CheckPoints } from "../popping/check-points.ts";

/** Checkpoints looked at in one turn. */
const CHECK_POINTS_PER_TURN = 10_000;

export interface Place {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
}

/** For each place, in the order they were asked for. */
export type PopScanDone = (pops: readonly (readonly PopWhereabouts[])[]) => void;

interface Asked {
  readonly places: readonly Place[];
  readonly found: PopWhereabouts[][];
  readonly done: PopScanDone;
}

export class PopScan {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #table: Pick<CheckPoints, "all" | "size">;
  #waiting: Asked[] = [];
  #isLooking = false;

  constructor(clock: Clock, timers: Timers, table: Pick<CheckPoints, "all" | "size">) {
    this.#clock = clock;
    this.#timers = timers;
    this.#table = table;
  }

  /** `done` is called at once when nothing is popped. */
  find(places: readonly Place[], done: PopScanDone): void {
    const asked = { places, found: places.map(() => []), done };
    if (places.length === 0 || this.#table.size === 0) done(asked.found);
    else {
      this.#waiting.push(asked);
      this.#look();
    }
  }

  #look(): void {
    if (this.#isLooking || this.#waiting.length === 0) return;
    this.#isLooking = true;
    const served = this.#waiting.splice(0);
    const wanted = new Map<string, { readonly place: Place; readonly found: PopWhereabouts[] }[]>();
    for (const { places, found } of served) {
      for (const [index, place] of places.entries()) {
        const key = `${place.topic}@${place.queueId}`;
        wanted.set(key, [...(wanted.get(key) ?? []), { place, found: found[index]! }]);
      }
    }
    const checkPoints = this.#table.all();
    const turn = (): void => {
      for (let count = 0; count < CHECK_POINTS_PER_TURN; count++) {
        const next = checkPoints.next();
        if (next.done === true) {
          this.#isLooking = false;
          for (const { done, found } of served) done(found);
          this.#look();
          return;
        }
        const checkPoint = next.value;
        const here = wanted.get(`${checkPoint.topic}@${checkPoint.queueId}`);
        if (here === undefined || checkPoint.isGone) continue;
        for (const { place, found } of here) {
          const index = checkPoint.offsets.indexOf(place.queueOffset);
          if (index >= 0) found.push(this.#tell(checkPoint, index));
        }
      }
      this.#timers.afterTurn(turn);
    };
    turn();
  }

  #tell(checkPoint: CheckPoint, index: number): PopWhereabouts {
    const { group, popTime, ackedBits, revivedBits, deadlineMs, poppedBy } = checkPoint;
    const bit = 1 << index;
    const state = (revivedBits & bit) !== 0 ? "revived" : (ackedBits & bit) !== 0 ? "acknowledged" : "open";
    const waitMs = Math.max(0, deadlineMs - this.#clock.monotonicMs());
    return { group, popTime, visibleAtMs: this.#clock.wallMs() + waitMs, state, inOrder: false, poppedBy };
  }
}
