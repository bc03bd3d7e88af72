/**
 * Things with deadlines, the earliest first, each removable at any time in O(log n): a binary heap whose
 * elements know their place. Parked pulls come and go by the thousand and share one timer.
 */
import { assert } from "@orbitmq/host";

export interface HasDeadline {
  readonly deadlineMs: number;
  /** Written by the heap only; -1 while outside. */
  heapIndex: number;
}

export class DeadlineHeap<T extends HasDeadline> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The element with the earliest deadline. */
  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    assert(item.heapIndex === -1, "an element is in one heap at most, once");
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#up(item.heapIndex);
  }

  /** Elements that are not here are fine. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    assert(this.#items[index] === item, "a heap index names another element");
    const last = this.#items.pop();
    assert(last !== undefined, "an empty heap holds an element");
    item.heapIndex = -1;
    if (last === item) return;
    this.#items[index] = last;
    last.heapIndex = index;
    this.#up(index);
    this.#down(last.heapIndex);
  }

  #up(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent).deadlineMs <= this.#at(index).deadlineMs) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #down(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= this.#items.length) return;
      const right = left + 1;
      const isRight = right < this.#items.length && this.#at(right).deadlineMs < this.#at(left).deadlineMs;
      const child = isRight ? right : left;
      if (this.#at(index).deadlineMs <= this.#at(child).deadlineMs) return;
      this.#swap(child, index);
      index = child;
    }
  }

  #at(index: number): T {
    return this.#items[index]!;
  }

  #swap(a: number, b: number): void {
    const itemA = this.#at(a);
    const itemB = this.#at(b);
    this.#items[a] = itemB;
    this.#items[b] = itemA;
    itemB.heapIndex = a;
    itemA.heapIndex = b;
  }
}
