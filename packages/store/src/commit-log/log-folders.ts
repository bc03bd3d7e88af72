/**
 * The folders that the CommitLog's segments lie in (RocketMQ: storePathCommitLog with several paths,
 * readOnlyCommitLogStorePaths). All are read; a new segment gets its folder by its number, in turn over those
 * that may be written and are not nearly full, or over all writable ones when all are. RocketMQ chooses by the
 * same rule, but nothing depends on it: a segment is found wherever it lies.
 */
import { assert } from "@orbitmq/host";
import { StoreError } from "../store-error.ts";

export class LogFolders {
  /** Where new segments may be created; sorted. */
  readonly writable: readonly string[];
  /** Every folder, each once; the writable ones first. */
  readonly all: readonly string[];
  readonly #readOnly: ReadonlySet<string>;
  /** Writable folders whose disk is nearly full. */
  full: ReadonlySet<string> = new Set();

  /**
   * Both as RocketMQ writes them, paths separated by `,`; a path in both is read-only. Throws StoreError
   * ILLEGAL_OPTION when none is left to write to.
   */
  constructor(storePathCommitLog: string, readOnlyCommitLogStorePaths: string) {
    const readOnly = split(readOnlyCommitLogStorePaths);
    this.#readOnly = new Set(readOnly);
    this.writable = [...new Set(split(storePathCommitLog))]
      .filter((folder) => !this.#readOnly.has(folder))
      .sort();
    if (this.writable.length === 0) {
      throw new StoreError(
        "ILLEGAL_OPTION",
        `storePathCommitLog "${storePathCommitLog}" names no folder that may be written ` +
          `(readOnlyCommitLogStorePaths "${readOnlyCommitLogStorePaths}")`,
      );
    }
    this.all = [...this.writable, ...this.#readOnly];
  }

  isReadOnly(folder: string): boolean {
    return this.#readOnly.has(folder);
  }

  /** Where the segment with this number, counted from the log's start, is created. */
  forNew(number: number): string {
    const free = this.writable.filter((folder) => !this.full.has(folder));
    const folders = free.length > 0 ? free : this.writable;
    const folder = folders[number % folders.length];
    assert(folder !== undefined, "there is a folder to write to");
    return folder;
  }
}

function split(paths: string): string[] {
  return paths
    .split(",")
    .map((path) => path.trim().replace(/(.)\/+$/, "$1"))
    .filter((path) => path !== "");
}
