/**
 * A small store with something of everything this version writes, and how it is kept: testdata/stores has one of each
 * release, which every later version must open (recovery/releases.test.ts). Made by packages/store/src/testing/write-release-store.ts.
 */
import { silentLogger } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { SkipList } from "../integrity/skip-list.ts";
import type { StoreOptions } from "../store-options.ts";
import { dumpStore } from "../tools/dump-store.ts";
import { skipRecord } from "../tools/skip-record.ts";
import type { DiskImage } from "./fake-disk.ts";
import { FakeHost } from "./fake-host.ts";
import { HOME, message, SMALL, StoreDriver } from "./store-driver.ts";

/** Parts of a file that are not zeros, in base64 by their place. */
interface PackedFile {
  readonly length: number;
  readonly parts: readonly (readonly [at: number, base64: string])[];
}

export interface PackedStore {
  readonly release: string;
  /** `stopped` in order, or `killed`. */
  readonly how: "stopped" | "killed";
  readonly options: Partial<StoreOptions>;
  readonly folders: readonly string[];
  readonly files: Readonly<Record<string, PackedFile>>;
  /** CRC-32 of the body of each message that a queue serves, by queue offset. */
  readonly queues: readonly {
    readonly topic: string;
    readonly queueId: number;
    readonly end: number;
    readonly bodies: Readonly<Record<number, number>>;
  }[];
}

const GRAIN = 64;
export const LONG_TOPIC = `%RETRY%${"g".repeat(140)}`;
const V6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x2a, 0x9f);

export async function makeReleaseStore(release: string, how: "stopped" | "killed"): Promise<PackedStore> {
  const driver = await StoreDriver.open();
  for (let index = 0; index < 60; index += 1) {
    const properties = `KEYS\u0001k${index} all\u0002UNIQ_KEY\u0001U${index}\u0002TAGS\u0001t${index % 3}\u0002`;
    driver.sendNow(message(`${index}/`.padEnd(500, "r"), { queueId: index % 2, properties }));
    if (index % 20 === 19) driver.host.advance(20_000);
  }
  driver.sendNow(message("long topic", { topic: LONG_TOPIC }));
  driver.sendNow(message("ipv6", { topic: "V6", bornHost: V6, storeHost: V6, sysFlag: 48 }));
  const delayed = { topic: "SCHEDULE_TOPIC_XXXX", queueId: 2, properties: "DELAY\u00013\u0002" };
  driver.sendNow(message("delayed", delayed));
  const { result } = driver.send(message("damaged later", { queueId: 1 }));
  driver.host.settle();
  driver.sendNow(message("last", { queueId: 1 }));
  driver.host.advance(70_000);
  if (how === "stopped") await driver.stop();
  const image = damaged(driver.host.files.image(), result.physicalOffset);
  const host = new FakeHost(image);
  skipRecord(host, { home: HOME }, result.physicalOffset, silentLogger);
  return pack(release, how, host.files.image());
}

function damaged(image: DiskImage, position: number): DiskImage {
  const segment = position - (position % SMALL.mappedFileSizeCommitLog!);
  const path = `${HOME}/commitlog/${String(segment).padStart(20, "0")}`;
  const bytes = Buffer.from(image.files.get(path)!);
  bytes[position - segment + 90] = bytes[position - segment + 90]! ^ 0xff;
  return { files: new Map(image.files).set(path, bytes), folders: image.folders };
}

function pack(release: string, how: "stopped" | "killed", image: DiskImage): PackedStore {
  const files: Record<string, PackedFile> = {};
  for (const [path, bytes] of image.files) {
    const parts: [number, string][] = [];
    for (let at = 0; at < bytes.length; ) {
      let end = at;
      while (end < bytes.length && bytes.subarray(end, end + GRAIN).some((byte) => byte !== 0)) end += GRAIN;
      if (end > at) parts.push([at, bytes.subarray(at, end).toString("base64")]);
      at = Math.max(end, at + GRAIN);
    }
    files[path] = { length: bytes.length, parts };
  }
  const queues = new Map<
    string,
    { topic: string; queueId: number; end: number; bodies: Record<number, number> }
  >();
  for (const record of dumpStore(new FakeHost(image).files, { home: HOME })) {
    if (record.kind === "damage") continue;
    const { topic, queueId, queueOffset, body = "" } = record;
    const queue = queues.get(`${topic} ${queueId}`) ?? { topic, queueId, end: 0, bodies: {} };
    queue.end = queueOffset + 1;
    queue.bodies[queueOffset] = plainCrc32(Buffer.from(body));
    queues.set(`${topic} ${queueId}`, queue);
  }
  return { release, how, options: SMALL, folders: [...image.folders], files, queues: [...queues.values()] };
}

export function unpack({ folders, files }: PackedStore): DiskImage {
  const unpacked = new Map<string, Buffer>();
  for (const [path, { length, parts }] of Object.entries(files)) {
    const bytes = Buffer.alloc(length);
    for (const [at, base64] of parts) bytes.set(Buffer.from(base64, "base64"), at);
    unpacked.set(path, bytes);
  }
  return { files: unpacked, folders: new Set(folders) };
}

/** What the operator of the store has given up. */
export function skippedIn(image: DiskImage): number {
  const list = new SkipList(new FakeHost(image), `${HOME}/orbitmq-skips.json`, silentLogger);
  list.load();
  return list.all.length;
}
