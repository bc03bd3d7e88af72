/** A queue in an array that is used round and round; taking from its front costs no move of the rest. */
const ITEMS_MIN = 16;
/** An array larger than this is not kept once the queue is empty. */
const ITEMS_KEPT = 1_024;

export class Fifo<T> {
  /** A power of two of them. */
  #items: (T | undefined)[] = new Array(ITEMS_MIN).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item;
    this.#length += 1;
  }

  /** The first item, which stays. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** The item that came last, which stays. */
  last(): T | undefined {
    return this.#items[(this.#head + this.#length - 1) & (this.#items.length - 1)];
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && this.#items.length > ITEMS_KEPT) this.clear();
    return item;
  }

  clear(): void {
    this.#items = new Array(ITEMS_MIN).fill(undefined);
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const items = this.#items;
    const grown = [...items.slice(this.#head), ...items.slice(0, this.#head)];
    for (let i = items.length; i > 0; i--) grown.push(undefined);
    this.#items = grown;
    this.#head = 0;
  }
}
