/**
 * What the store costs: files, their lengths, and the blocks the disk has given them (segments, queue and index
 * files are sparse: a length says little). Looks at every file, a few per turn; for status and `store stat`.
 */
import { type Clock, type Files, HostError, type Timers } from "@orbitmq/host";

export interface FolderUse {
  readonly files: number;
  /** Sum of the files' lengths. */
  readonly bytes: number;
  /** What they take on the disk. */
  readonly allocatedBytes: number;
}

export interface DiskUseReport {
  readonly commitLog: FolderUse;
  readonly consumeQueue: FolderUse;
  readonly index: FolderUse;
  readonly config: FolderUse;
  /** Everything else in the store's folder: checkpoint, mark, reserve, … */
  readonly other: FolderUse;
}

type Part = keyof DiskUseReport;

const ENTRIES_PER_TURN = 64;
const KEPT_MS = 30_000;

export interface DiskUseParts {
  readonly files: Files;
  readonly timers: Timers;
  readonly home: string;
  readonly logFolders: readonly string[];
}

type Told = (error: HostError | undefined, report: DiskUseReport | undefined) => void;

/** Measures at most once in half a minute, however often it is asked: monitoring asks every few seconds. */
export class DiskUseMeter {
  readonly #host: { readonly clock: Clock };
  readonly #parts: DiskUseParts;
  #waiting: Told[] | undefined;
  #report: DiskUseReport | undefined;
  #measuredMs = 0;

  constructor(host: { readonly clock: Clock }, parts: DiskUseParts) {
    this.#host = host;
    this.#parts = parts;
  }

  /** `done` may be called at once. */
  measure(done: Told): void {
    const now = this.#host.clock.monotonicMs();
    if (this.#report !== undefined && now - this.#measuredMs < KEPT_MS) {
      done(undefined, this.#report);
      return;
    }
    if (this.#waiting !== undefined) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    measureDiskUse(this.#parts, (error, report) => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      this.#report = report;
      this.#measuredMs = now;
      for (const each of waiting) each(error, report);
    });
  }
}

/** `done` is called once; a file that vanishes meanwhile does not count. Other errors of the disk are passed on. */
export function measureDiskUse({ files, timers, home, logFolders }: DiskUseParts, done: Told): void {
  const sums: Record<Part, { files: number; bytes: number; allocatedBytes: number }> = {
    commitLog: none(),
    consumeQueue: none(),
    index: none(),
    config: none(),
    other: none(),
  };
  const parts = new Map<string, Part>([
    [`${home}/consumequeue`, "consumeQueue"],
    [`${home}/index`, "index"],
    [`${home}/config`, "config"],
    ...logFolders.map((folder): [string, Part] => [folder, "commitLog"]),
  ]);
  const waiting: { path: string; part: Part }[] = [{ path: home, part: "other" }];
  for (const folder of logFolders)
    if (!folder.startsWith(`${home}/`)) waiting.push({ path: folder, part: "commitLog" });
  const look = (path: string, part: Part): void => {
    const stat = files.statSync(path);
    if (stat === undefined) return;
    if (stat.isFolder) {
      for (const name of files.listSync(path)) {
        const entry = `${path}/${name}`;
        waiting.push({ path: entry, part: parts.get(entry) ?? part });
      }
      return;
    }
    const sum = sums[part];
    sum.files += 1;
    sum.bytes += stat.sizeBytes;
    sum.allocatedBytes += stat.allocatedBytes;
  };
  const turn = (): void => {
    for (let count = 0; count < ENTRIES_PER_TURN; count += 1) {
      const next = waiting.pop();
      if (next === undefined) {
        done(undefined, sums);
        return;
      }
      try {
        look(next.path, next.part);
      } catch (error) {
        if (error instanceof HostError && error.code === "ENOENT") continue;
        done(error as HostError, undefined);
        return;
      }
    }
    timers.afterTurn(turn);
  };
  turn();
}

function none(): { files: number; bytes: number; allocatedBytes: number } {
  return { files: 0, bytes: 0, allocatedBytes: 0 };
}
