/**
 * A small file of state whose folder is made when there is something to keep, so that a start by itself leaves
 * nothing behind.
 */
import type { Host, Logger } from "@orbitmq/host";
import { StateFile } from "@orbitmq/store";

export class LazyFolderFile {
  readonly #host: Pick<Host, "files" | "timers">;
  readonly #folder: string;
  readonly #file: StateFile;
  #isMade = false;

  constructor(host: Pick<Host, "files" | "timers">, path: string, logger: Logger) {
    this.#host = host;
    this.#folder = /^(.*)\/[^/]+$/.exec(path)?.[1] ?? ".";
    this.#file = new StateFile(host, path, logger);
  }

  get path(): string {
    return this.#file.path;
  }

  load<T>(parse: (text: string) => T): { readonly value: T } | undefined {
    return this.#file.load(parse);
  }

  /** Blocking. Throws HostError. */
  saveSync(text: string): void {
    this.#makeFolder();
    this.#file.saveSync(text);
  }

  save(text: string, done: (error: Error | undefined) => void): void {
    try {
      this.#makeFolder();
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#file.save(text, done);
  }

  #makeFolder(): void {
    if (!this.#isMade && this.#folder !== "") this.#host.files.makeFolderSync(this.#folder);
    this.#isMade = true;
  }

  close(): void {
    this.#file.close();
  }
}
