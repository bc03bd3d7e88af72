/**
 * What is going to happen, ordered by virtual time and, within one microsecond, by the order of scheduling:
 * a binary heap. A cancelled event stays where it is and is dropped when its time comes.
 */

/** Whose callback an event is. Events of a dead owner never run; those of a paused one wait. */
export interface EventOwner {
  /** Names the owner in the trace; unique in its world. */
  readonly id: number;
  readonly alive: boolean;
  readonly pausedUntilUs: number;
}

export interface SimEvent {
  atUs: number;
  sequence: number;
  readonly owner: EventOwner | undefined;
  /** Index in the trace's table of kinds. */
  readonly kind: number;
  /** A number worth seeing in the trace: bytes, a file id. */
  readonly detail: number;
  cancelled: boolean;
  run: () => void;
}

function before(a: SimEvent, b: SimEvent): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.sequence < b.sequence);
}

export class EventQueue {
  readonly #heap: SimEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): SimEvent | undefined {
    return this.#heap[0];
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as SimEvent;
      if (!before(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  pop(): SimEvent | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    const size = heap.length;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      let child = heap[childIndex] as SimEvent;
      if (childIndex + 1 < size) {
        const right = heap[childIndex + 1] as SimEvent;
        if (before(right, child)) {
          child = right;
          childIndex++;
        }
      }
      if (!before(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return top;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}
