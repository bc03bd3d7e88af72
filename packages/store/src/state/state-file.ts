/**
 * One small file of state (topics, offsets, …), replaced atomically and kept with the version before it
 * (RocketMQ: ConfigManager with `.bak`): write a temporary file, sync it, move the old file to `.bak`, move the
 * temporary one into place, sync the folder. At every moment either the file or its backup is whole; a torn one
 * is never fatal, and said. Before the temporary file takes its place its checksum is noted (state-checksums.ts), so
 * that a bit that flips later is found, and counts as torn.
 *
 *   idle → saving → idle                   one save at a time, the newest text waits for the next
 *   saving → failed → (5 s) → saving       a failed save is logged and repeated unless a newer one came
 */
import { type Host, HostError, type Logger, type OpenFile, type TimerHandle } from "@orbitmq/host";
import { isFull } from "../retention/space-reserve.ts";
import { folderOf } from "../store-paths.ts";
import { StateChecksums } from "./state-checksums.ts";

export interface LoadedState<T> {
  readonly value: T;
  /** `backup` when the file itself was missing or unreadable. */
  readonly from: "file" | "backup";
}

/** Makes room for small state on a full disk. */
export interface StateSpace {
  /** `true` when some was made: it is worth trying again at once. */
  releaseSpace(): boolean;
}

type Done = (error: HostError | undefined) => void;

const RETRY_MS = 5_000;

export class StateFile {
  readonly path: string;
  readonly #host: Pick<Host, "files" | "timers">;
  readonly #logger: Logger;
  readonly #space: StateSpace | undefined;
  #saving = false;
  #waiting: { text: string; dones: Done[] } | undefined;
  #retry: TimerHandle | undefined;
  #isLost = false;
  readonly #sums: StateChecksums | undefined;
  /** Counts blocking saves; a save on the pool that was overtaken by one gives up before it renames. */
  #overtaken = 0;

  /** `space` is asked when the disk is full; `checksums` names the file they are kept in, none without it. */
  constructor(
    host: Pick<Host, "files" | "timers">,
    path: string,
    logger: Logger,
    space?: StateSpace,
    checksums?: string,
  ) {
    this.#host = host;
    this.path = path;
    this.#logger = logger;
    this.#space = space;
    this.#sums = checksums === undefined ? undefined : new StateChecksums(host.files, checksums);
  }

  /** Something was kept, and neither the file nor its backup could be read. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Parses the file, else its `.bak`; `undefined` when neither is there or parses (the latter is logged as an
   * error). `parse` throws when the text is not what it should be. Blocking, for start. Throws StoreError VERSION
   * when a newer version has written the checksums.
   */
  load<T>(parse: (text: string) => T): LoadedState<T> | undefined {
    this.#sums?.load();
    const main = this.#read(this.path, parse);
    if (main !== undefined) return { value: main.value, from: "file" };
    const backup = this.#read(`${this.path}.bak`, parse);
    if (backup === undefined) return undefined;
    this.#isLost = false;
    this.#logger.warn({ file: this.path }, "the state file is missing or torn; its backup is used instead");
    return { value: backup.value, from: "backup" };
  }

  /**
   * Replaces the content without blocking; saves that overlap are merged into the newest. A failure is logged,
   * passed to `done`, and the save tried again after 5 s unless a newer one was made.
   */
  save(text: string, done?: Done): void {
    this.#cancelRetry();
    const dones = this.#waiting?.dones ?? [];
    if (done !== undefined) dones.push(done);
    this.#waiting = { text, dones };
    this.#startWaiting();
  }

  /** As `save`, blocking, for stop; overtakes saves in flight. Throws HostError. */
  saveSync(text: string): void {
    this.#cancelRetry();
    this.#overtaken += 1;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const { files } = this.#host;
    const temporary = `${this.path}.stop.tmp`;
    try {
      this.#writeSync(temporary, text);
    } catch (error) {
      if (!isFull(error) || this.#space?.releaseSpace() !== true) throw error;
      this.#writeSync(temporary, text);
    }
    this.#noteSync(temporary, Buffer.from(text));
    this.#moveIntoPlace(temporary);
    files.syncFolderSync(folderOf(this.path));
    for (const done of waiting?.dones ?? []) done(undefined);
  }

  /** No further retry; for stop. */
  close(): void {
    this.#cancelRetry();
    if (!this.#saving) this.#sums?.close();
  }

  #writeSync(path: string, text: string): void {
    const file = this.#host.files.openSync(path, { create: true });
    try {
      file.truncateSync(0);
      file.writeSync(Buffer.from(text), 0);
      file.fdatasyncSync();
    } catch (error) {
      // A full disk needs the space of what is not whole.
      file.truncateSync(0);
      throw error;
    } finally {
      file.closeSync();
    }
  }

  #read<T>(path: string, parse: (text: string) => T): { value: T } | undefined {
    try {
      const bytes = this.#host.files.readWholeSync(path);
      if (bytes === undefined) return undefined;
      const check = this.#sums?.check(path, bytes);
      if (check === "different")
        throw new Error("it is not what was written, although nobody has changed it since");
      const value = parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
      // What somebody else has written is ours to watch over from now on.
      if (check === "unknown") this.#noteSync(path, bytes);
      return { value };
    } catch (error) {
      this.#isLost = true;
      this.#logger.error({ file: path, err: error }, "a state file cannot be read");
      return undefined;
    }
  }

  #noteSync(path: string, bytes: Uint8Array): void {
    try {
      this.#sums?.noteSync(path, bytes);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#notNoted(error);
    }
  }

  /** A state without a checksum is better than none. */
  #notNoted(error: HostError): void {
    this.#logger.warn({ file: this.path, err: error }, "the checksum of a state file cannot be written");
  }

  #startWaiting(): void {
    const job = this.#waiting;
    if (this.#saving || job === undefined) return;
    this.#waiting = undefined;
    this.#saving = true;
    const overtakenBefore = this.#overtaken;
    this.#replace(job.text, overtakenBefore, (error) => {
      this.#saving = false;
      const isNewest = this.#overtaken === overtakenBefore;
      if (isNewest && isFull(error) && this.#space?.releaseSpace() === true) {
        // Space was made: once more at once, or the newer text that came meanwhile.
        const newer = this.#waiting;
        this.#waiting = { text: newer?.text ?? job.text, dones: [...job.dones, ...(newer?.dones ?? [])] };
        this.#startWaiting();
        return;
      }
      if (error !== undefined) {
        this.#logger.error({ file: this.path, err: error }, "a state file cannot be saved; trying again");
        if (this.#waiting === undefined && isNewest) {
          this.#retry = this.#host.timers.after(RETRY_MS, () => this.save(job.text));
        }
      }
      for (const done of job.dones) done(error);
      this.#startWaiting();
    });
  }

  #replace(text: string, overtakenBefore: number, done: Done): void {
    const { files } = this.#host;
    const temporary = `${this.path}.tmp`;
    let file: OpenFile | undefined;
    const step = (next: () => void) => (error: HostError | undefined) => {
      try {
        if (error !== undefined) throw error;
        next();
      } catch (failure) {
        // A full disk needs the space of what is not whole.
        if (isFull(failure)) file?.truncateSync(0);
        file?.closeSync();
        done(failure as HostError);
      }
    };
    const bytes = Buffer.from(text);
    step(() => {
      const opened = files.openSync(temporary, { create: true });
      file = opened;
      opened.truncateSync(0);
      opened.write(
        "other",
        bytes,
        0,
        step(() => {
          opened.fdatasync(
            "other",
            step(() => {
              opened.closeSync();
              file = undefined;
              if (this.#overtaken !== overtakenBefore) return done(undefined);
              this.#note(
                temporary,
                bytes,
                step(() => {
                  if (this.#overtaken !== overtakenBefore) return done(undefined);
                  this.#moveIntoPlace(temporary);
                  files.syncFolder(
                    folderOf(this.path),
                    step(() => done(undefined)),
                  );
                }),
              );
            }),
          );
        }),
      );
    })(undefined);
  }

  /** Never fails: see `#notNoted`. */
  #note(path: string, bytes: Uint8Array, done: Done): void {
    if (this.#sums === undefined) done(undefined);
    else {
      this.#sums.note(path, bytes, (error) => {
        if (error !== undefined) this.#notNoted(error);
        done(undefined);
      });
    }
  }

  #moveIntoPlace(temporary: string): void {
    const { files } = this.#host;
    if (files.statSync(this.path) !== undefined) files.renameSync(this.path, `${this.path}.bak`);
    files.renameSync(temporary, this.path);
  }

  #cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }
}
