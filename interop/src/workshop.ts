/**
 * A test file's own place: a temporary folder, and everything started there, ended in the opposite order when the file
 * is over, whether its tests passed or not.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export class Workshop {
  readonly folder: string;
  readonly #endings: (() => unknown)[] = [];
  #folders = 0;

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `interop-${name}-`));
    after(async () => {
      for (const end of this.#endings.reverse()) await end();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** A path below the folder, another one at each call; nothing is there. */
  place(name: string): string {
    return join(this.folder, `${name}-${++this.#folders}`);
  }

  /** `end` is called after the last test. It must be harmless when the thing has ended already. */
  ends<T>(thing: T, end: (thing: T) => unknown): T {
    this.#endings.push(() => end(thing));
    return thing;
  }
}
