/** What a program has printed so far, and waiting for what it will print. */
export type JsonLine = Readonly<Record<string, unknown>>;

export class ProgramLines {
  /** Every line so far. */
  readonly lines: JsonLine[] = [];
  readonly #waiting = new Set<() => void>();
  #ended: (() => string) | undefined;

  add(line: JsonLine): void {
    this.lines.push(line);
    this.#wake();
  }

  /** No line will follow; `why` is told to those who still wait for one. */
  end(why: () => string): void {
    this.#ended ??= why;
    this.#wake();
  }

  /** The first line, printed already or later, that `accepts`; fails when the program ends without one. */
  line(accepts: (line: JsonLine) => boolean): Promise<JsonLine> {
    return this.until(() => this.lines.find(accepts));
  }

  /** Waits until `look` at the lines so far finds something. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        const found = look();
        if (found === undefined && this.#ended === undefined) return;
        this.#waiting.delete(wake);
        if (found !== undefined) resolve(found);
        else reject(new Error(`the program ended without the awaited line\n${this.#ended?.() ?? ""}`));
      };
      this.#waiting.add(wake);
      wake();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
