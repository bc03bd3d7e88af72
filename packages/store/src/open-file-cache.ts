/**
 * A bounded number of open files, the least recently used closed first. There may be a hundred thousand
 * ConsumeQueue files and thousands of segments; each is opened when it is needed.
 */
import type { Files, OpenFile } from "@orbitmq/host";

export class OpenFileCache {
  readonly #files: Files;
  readonly #max: number;
  /** In order of use, the least recent first. */
  readonly #open = new Map<string, OpenFile>();

  constructor(files: Files, max: number) {
    this.#files = files;
    this.#max = max;
  }

  /** The file, opened if it is not; throws HostError ENOENT when there is none. Valid until the next call. */
  get(path: string, writable = true): OpenFile {
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const file = this.#files.openSync(path, { writable });
    this.put(path, file);
    return file;
  }

  /** The file if it is open. Valid until the next call. */
  opened(path: string): OpenFile | undefined {
    return this.#open.has(path) ? this.get(path) : undefined;
  }

  /** Adds a file that was opened elsewhere, a new one. */
  put(path: string, file: OpenFile): void {
    this.close(path);
    this.#open.set(path, file);
    if (this.#open.size <= this.#max) return;
    for (const [oldest] of this.#open) {
      this.close(oldest);
      return;
    }
  }

  close(path: string): void {
    this.#open.get(path)?.closeSync();
    this.#open.delete(path);
  }

  closeAll(): void {
    for (const file of this.#open.values()) file.closeSync();
    this.#open.clear();
  }
}
