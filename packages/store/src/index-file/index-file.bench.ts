/**
 * What indexing costs, apart from the log: CPU per item from note to readable, and per item once written, at
 * RocketMQ's sizes. `node --conditions=orbitmq-source --import tsx packages/store/src/index-file/index-file.bench.ts
 * [messages] [folder]`. Each message has a UNIQ_KEY, one key and a tag: three items. Properties are text, as in recovery,
 * or bytes as they arrived, as in a send, in turn.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { EncodedProperties } from "@orbitmq/wire";
import { OpenFileCache } from "../open-file-cache.ts";
import { IndexFlush } from "./index-flush.ts";
import { IndexService } from "./index-service.ts";

const messages = Number(process.argv[2] ?? 1_000_000);
const home = mkdtempSync(join(process.argv[3] ?? tmpdir(), "orbitmq-index-bench-"));
const ROUND = 100_000;
const RECORD_BYTES = 300;

const host = nodeHost();
const paths = {
  index: join(home, "index"),
  indexState: join(home, "orbitmq-index"),
  checksums: join(home, "sums"),
};
mkdirSync(paths.index);
const options = {
  messageIndexEnable: true,
  maxHashSlotNum: 5_000_000,
  maxIndexNum: 20_000_000,
  indexStallItems: 1_000_000,
};
const index = new IndexService(host, paths, options, new OpenFileCache(host.files, 16), silentLogger);
index.adopt([], 0, 0, 0);
index.stateFile.open();
const flush = new IndexFlush(
  index,
  () => {},
  () => undefined,
);

const properties = Array.from(
  { length: 4096 },
  (_, each) =>
    `UNIQ_KEY\u0001C00002020D610666CB4A${(each * 7919).toString(16).padStart(12, "0").toUpperCase()}\u0002KEYS\u0001order-${each * 31}\u0002TAGS\u0001TagA\u0002WAIT\u0001true\u0002`,
);
const encoded = properties.map((text) => {
  const bytes = Buffer.from(text);
  const each = new EncodedProperties();
  each.read(bytes, 0, bytes.length);
  return each;
});
const cpuUs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return user + system;
};

const noted = { text: 0, bytes: 0 };
let written = 0;
let position = 0;
for (let done = 0; done < messages; done += ROUND) {
  const topics = Array.from({ length: (ROUND >>> 12) + 1 }, (_, each) => `Topic${each}-${done}`);
  const form = (done / ROUND) % 2 === 0 ? "text" : "bytes";
  const given = form === "text" ? properties : encoded;
  const putting = process.cpuUsage();
  for (let each = 0; each < ROUND; each += 1) {
    // Keys that differ although the texts repeat: the topic does.
    index.note(
      position,
      position + RECORD_BYTES,
      1_700_000_000_000 + done,
      topics[each >>> 12]!,
      given[each & 4095]!,
      0,
    );
    position += RECORD_BYTES;
    if ((each & 63) === 63) index.follow(position);
  }
  index.follow(position);
  noted[form] += cpuUs(putting);
  const flushing = process.cpuUsage();
  await new Promise<void>((resolve) => flush.run(position, resolve));
  written += cpuUs(flushing);
}
const items = messages * 3;
const last = process.cpuUsage();
flush.runSync(position, "all");
const { rss } = process.memoryUsage();
const half = (items / messages) * ROUND * Math.floor(messages / ROUND / 2);
const each = (us: number): string => (us / half).toFixed(3);
console.log(
  `items ${items}: ${each(noted.bytes)} µs each to note and put, ${each(noted.text)} µs from text, ${(written / items).toFixed(3)} µs to write`,
);
console.log(
  `slots and header at the end: ${(cpuUs(last) / 1000).toFixed(0)} ms; rss ${(rss / 2 ** 20).toFixed(0)} MiB`,
);
index.close();
rmSync(home, { recursive: true, force: true });
