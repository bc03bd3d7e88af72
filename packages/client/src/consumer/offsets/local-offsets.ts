/**
 * How far a broadcasting consumer has got, in a file on its own machine (RocketMQ: LocalFileOffsetStore):
 *
 *   <folder>/<clientId>/<group>/offsets.json   {"offsetTable":{{"brokerName","queueId","topic"}:offset}}
 *
 * with the file before it as `.bak`, read when offsets.json does not parse. Written with every round of
 * persistence in which something changed: to a temporary file, synced, then renamed.
 */
import type { Files } from "@orbitmq/host";
import { encodeResetOffsetBody, type MessageQueue, parseResetOffsetBody } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { queueKey } from "../../connection/topic-queues.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import type { ConsumeFrom } from "../consumer-options.ts";
import type { OffsetSource, OffsetStore, StartOffset } from "./offset-store.ts";
import { minOffset, offsetOf } from "./queue-offsets.ts";

interface LocalOffset {
  readonly queue: MessageQueue;
  readonly offset: number;
}

export class LocalOffsets implements OffsetStore {
  readonly #instance: ClientInstance;
  readonly #from: ConsumeFrom;
  readonly #folder: string;
  readonly #path: string;
  #table: Map<string, LocalOffset> | undefined;
  #changed = false;
  /** The last write did; the next round tries again. */
  #failed = false;
  /** The write on its way; there is one at a time. */
  #writing: Promise<void> | undefined;

  constructor(instance: ClientInstance, group: string, from: ConsumeFrom, folder: string) {
    this.#instance = instance;
    this.#from = from;
    this.#folder = `${folder}/${instance.clientId}/${group}`;
    this.#path = `${this.#folder}/offsets.json`;
  }

  async start(queue: MessageQueue, bornLater: boolean): Promise<StartOffset> {
    const known = this.#offsets().get(queueKey(queue));
    if (known !== undefined) return { offset: known.offset, isNew: false };
    const offset = bornLater
      ? await minOffset(this.#instance, queue)
      : await offsetOf(this.#instance, queue, this.#from);
    return { offset, isNew: true };
  }

  async persistAll(queues: Iterable<OffsetSource>): Promise<void> {
    for (const queue of queues) this.#note(queue, queue.committableOffset);
    while (this.#changed) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
      if (this.#failed) return;
    }
  }

  persist(queue: OffsetSource): Promise<void> {
    return this.persistAll([queue]);
  }

  persistAt(queue: OffsetSource, offset: number): Promise<void> {
    this.#note(queue, offset);
    return this.persistAll([]);
  }

  #note(source: OffsetSource, offset: number): void {
    if (source.persistedOffset === offset) return;
    this.#offsets().set(queueKey(source.queue), { queue: source.queue, offset });
    source.persistedOffset = offset;
    this.#changed = true;
  }

  #offsets(): Map<string, LocalOffset> {
    this.#table ??= this.#read(this.#path) ?? this.#read(`${this.#path}.bak`) ?? new Map();
    return this.#table;
  }

  #read(path: string): Map<string, LocalOffset> | undefined {
    try {
      const bytes = this.#instance.host.files.readWholeSync(path);
      if (bytes === undefined) return undefined;
      return new Map(
        [...parseResetOffsetBody(bytes)].map(([queue, offset]) => [queueKey(queue), { queue, offset }]),
      );
    } catch (error) {
      this.#complain("reading local offsets", path, error);
      return undefined;
    }
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    this.#changed = false;
    this.#failed = false;
    const { files } = this.#instance.host;
    const temporary = `${this.#path}.tmp`;
    try {
      files.makeFolderSync(this.#folder);
      const offsets = [...this.#offsets().values()];
      const body = encodeResetOffsetBody(new Map(offsets.map(({ queue, offset }) => [queue, offset])));
      await writeWhole(files, temporary, body);
      if (files.statSync(this.#path) !== undefined) files.renameSync(this.#path, `${this.#path}.bak`);
      files.renameSync(temporary, this.#path);
    } catch (error) {
      this.#changed = true;
      this.#failed = true;
      this.#complain("writing local offsets", this.#path, error);
    }
  }

  #complain(what: string, path: string, error: unknown): void {
    const { code, message } = fromUnknown(error);
    this.#instance.logger.warn({ path, code }, `${what}: ${message}`);
  }
}

function writeWhole(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const file = files.openSync(path, { create: true });
    try {
      file.truncateSync(0);
      file.writeSync(bytes, 0);
    } catch (error) {
      file.closeSync();
      throw error;
    }
    file.fdatasync("other", (error) => {
      file.closeSync();
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
