/**
 * The disk side of the golden bytes: a broker alone with one walk of a client writes a small store; after its clean stop
 * each CommitLog record is cut into a file of its own, and of every other file the part that says something is kept.
 */
import { copyFile, mkdir, open, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runProgram } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { type LogRecord, logRecords } from "./log-records.ts";

const TOPIC = "GoldenStore";
// So long that its retry topic needs the wide record (V2). Client and broker of 5.5.0 refuse to make such a group, so
// the broker finds it in its configuration and a 4.9.8 client uses it.
const WIDE_GROUP = "g".repeat(130);
const LOG_BYTES_MAX = 64 * 1024;
const CHECKPOINT_BYTES = 64;
const QUEUE_UNIT_BYTES = 20;
const INDEX_HEADER_BYTES = 40;
const INDEX_SLOTS = 5_000_000;
const INDEX_ITEM_BYTES = 20;
const CONFIG_FILES = ["topics.json", "consumerOffset.json", "subscriptionGroup.json", "delayOffset.json"];

export interface GoldenStoreFile {
  readonly file: string;
  /** Where in the store it comes from. */
  readonly origin: string;
  /** Offset in that file of the first byte. */
  readonly offset: number;
  readonly note?: string;
}

/** Writes the store in `work` and its golden parts below `testdata`/store; returns their index. */
export async function recordStore(work: string, testdata: string): Promise<readonly GoldenStoreFile[]> {
  const config = join(work, "store", "config");
  await mkdir(config, { recursive: true });
  const groups = { subscriptionGroupTable: { [WIDE_GROUP]: { groupName: WIDE_GROUP } } };
  await writeFile(join(config, "subscriptionGroup.json"), JSON.stringify(groups));
  const server = await startJavaServer({
    directory: work,
    brokerProperties: { messageDelayLevel: "1s 1s 1s" },
  });
  const { namesrv, broker } = server;
  const tour = { namesrv, broker, topic: TOPIC, suffix: "store" };
  await runProgram("tour", { ...tour, part: "shapes" }, { home: work });
  await runProgram("tour", { ...tour, part: "retry", group: "tour_push" }, { home: work });
  await runProgram("tour", { ...tour, part: "retry", group: WIDE_GROUP }, { home: work, version: "4.9.8" });
  await runProgram("transact", { namesrv, topic: TOPIC, outcome: "commit" }, { home: work });
  await runProgram("transact", { namesrv, topic: TOPIC, outcome: "rollback" }, { home: work });
  await server.stop();
  const keeper = new Keeper(server.storeDirectory, testdata);
  await keeper.commitLog();
  await keeper.consumeQueues();
  await keeper.indexFile();
  await keeper.keep("checkpoint.bin", "checkpoint", 0, CHECKPOINT_BYTES);
  for (const name of CONFIG_FILES) await keeper.copy(`config/${name}`, `config/${name}`);
  return keeper.files;
}

class Keeper {
  readonly files: GoldenStoreFile[] = [];
  readonly #store: string;
  readonly #testdata: string;

  constructor(store: string, testdata: string) {
    this.#store = store;
    this.#testdata = testdata;
  }

  async commitLog(): Promise<void> {
    const origin = "commitlog/00000000000000000000";
    const head = await this.#read(origin, 0, LOG_BYTES_MAX);
    const records = logRecords(head);
    const last = records.at(-1);
    if (last === undefined) throw new Error("the CommitLog is empty");
    if (last.offset + last.bytes === head.length)
      throw new Error(`the CommitLog has outgrown ${LOG_BYTES_MAX} bytes`);
    await this.keep("commitlog-head.bin", origin, 0, last.offset + last.bytes, `${records.length} records`);
    const numbers = new Map<string, number>();
    for (const record of records) {
      const name = nameOf(record);
      const number = (numbers.get(name) ?? 0) + 1;
      numbers.set(name, number);
      const { version, topic, sysFlag, queueId, queueOffset } = record;
      const note = `V${version} ${topic} queue ${queueId} offset ${queueOffset} sysFlag ${sysFlag}`;
      const file = number === 1 ? `records/${name}.bin` : `records/${name}-${number}.bin`;
      await this.keep(file, origin, record.offset, record.bytes, note);
    }
  }

  async consumeQueues(): Promise<void> {
    for (const topic of await readdir(join(this.#store, "consumequeue"))) {
      for (const queueId of await readdir(join(this.#store, "consumequeue", topic))) {
        const origin = `consumequeue/${topic}/${queueId}/00000000000000000000`;
        const head = await this.#read(origin, 0, QUEUE_UNIT_BYTES * 64);
        let units = 0;
        while (head.readInt32BE(units * QUEUE_UNIT_BYTES + 8) > 0) units++;
        if (units === 0) continue;
        const name = `consumequeue/${shortName(topic)}-${queueId}.bin`;
        await this.keep(name, origin, 0, units * QUEUE_UNIT_BYTES, `${units} units`);
      }
    }
  }

  async indexFile(): Promise<void> {
    const [name] = await readdir(join(this.#store, "index"));
    const origin = `index/${name}`;
    const slotBytes = INDEX_SLOTS * 4;
    const header = await this.#read(origin, 0, INDEX_HEADER_BYTES);
    const items = header.readInt32BE(36);
    await this.keep("index-header.bin", origin, 0, INDEX_HEADER_BYTES);
    const note = "item 0 is never used";
    await this.keep(
      "index-items.bin",
      origin,
      INDEX_HEADER_BYTES + slotBytes,
      items * INDEX_ITEM_BYTES,
      note,
    );
    const slots = await this.#read(origin, INDEX_HEADER_BYTES, slotBytes);
    const used: string[] = [];
    for (let slot = 0; slot < INDEX_SLOTS; slot++) {
      const item = slots.readInt32BE(slot * 4);
      if (item !== 0) used.push(`  "${slot}": ${item}`);
    }
    await this.#write("index-slots.json", Buffer.from(`{\n${used.join(",\n")}\n}\n`));
    this.#tell(
      "index-slots.json",
      origin,
      INDEX_HEADER_BYTES,
      "slot number: its item, for every slot in use",
    );
  }

  /** Keeps `bytes` of a file of the store from `offset` on. */
  async keep(name: string, origin: string, offset: number, bytes: number, note?: string): Promise<void> {
    await this.#write(name, await this.#read(origin, offset, bytes));
    this.#tell(name, origin, offset, note);
  }

  async copy(name: string, origin: string): Promise<void> {
    const target = join(this.#testdata, "store", name);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(this.#store, origin), target);
    this.#tell(name, origin, 0);
  }

  #tell(name: string, origin: string, offset: number, note?: string): void {
    this.files.push({ file: `store/${name}`, origin, offset, ...(note === undefined ? {} : { note }) });
  }

  async #write(name: string, content: Buffer): Promise<void> {
    const target = join(this.#testdata, "store", name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }

  async #read(origin: string, offset: number, bytes: number): Promise<Buffer> {
    const file = await open(join(this.#store, origin));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

const COMPRESSIONS: Readonly<Record<number, string>> = { 0: "zlib", 1: "lz4", 2: "zstd", 3: "zlib" };

/** A topic as part of a file name. */
function shortName(topic: string): string {
  return topic.replaceAll("%", "_").replace(WIDE_GROUP, "wide-group");
}

function nameOf({ version, topic, tags, keys, sysFlag }: LogRecord): string {
  const words = [
    topic
      .replace(/^%RETRY%.*/, "retry")
      .toLowerCase()
      .replaceAll("_", "-"),
  ];
  if (version === 2) words.push("v2");
  if ((sysFlag & 1) !== 0) words.push(COMPRESSIONS[(sysFlag >> 8) & 7] ?? "compressed");
  else if (tags !== undefined) words.push(`tag-${tags}`.toLowerCase());
  if (keys === undefined && tags === undefined) words.push("plain");
  const transaction = ["", "half", "commit", "rollback"][(sysFlag >> 2) & 3];
  if (transaction !== undefined && transaction !== "") words.push(transaction);
  return words.join("-");
}
