/**
 * What an append costs the processor from call to acknowledgement, dispatch and index included, without the log's own
 * disk: its writes and syncs are done at once. Best of several rounds, so that a busy machine disturbs less.
 * `node --conditions=orbitmq-source --import tsx packages/store/src/commit-log/appender.bench.ts [rounds]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Files, type Host, type OpenFile, silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { EncodedProperties } from "@orbitmq/wire";
import { openMessageStore } from "../file-message-store.ts";
import type { AppendWaiter } from "../message-store.ts";

const rounds = Number(process.argv[2] ?? 15);
const APPENDS = 40_000;
const QUEUES = 8;
const PREPARED = 1024;
const ADDRESS = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f);

const real = nodeHost();
const quick = (file: OpenFile): OpenFile =>
  intercept(file, {
    writeSync: () => undefined,
    write: (_lane, _bytes, _position, done) => real.timers.afterTurn(() => done(undefined)),
    fdatasync: (_lane, done) => real.timers.afterTurn(() => done(undefined)),
  });
const files = intercept<Files>(real.files, {
  openSync: (path, options) => {
    const file = real.files.openSync(path, options);
    return path.includes("/commitlog/") ? quick(file) : file;
  },
});
const host = intercept<Host>(real, { files });

function intercept<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Properties as a send carries them: bytes as they arrived; or text, as the broker's own messages have them. */
function properties(index: number, isText: boolean): string | EncodedProperties {
  const id = index.toString(16).toUpperCase().padStart(16, "0");
  const text = `UNIQ_KEY\u00017F00000100002A9F${id}\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002`;
  if (isText) return text;
  const bytes = Buffer.from(text);
  const encoded = new EncodedProperties();
  encoded.read(bytes, 0, bytes.length);
  return encoded;
}

for (const form of ["bytes", "text"]) {
  const messages = Array.from({ length: PREPARED }, (_, index) => ({
    topic: "BenchTopic",
    queueId: index % QUEUES,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: ADDRESS,
    storeHost: ADDRESS,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(128).fill(index & 0x7f),
    properties: properties(index, form === "text"),
  }));
  for (const waiting of [8, 64, 512]) {
    const home = mkdtempSync(join(tmpdir(), "orbitmq-append-bench-"));
    const store = openMessageStore(host, { home }, silentLogger);
    await store.start();
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round += 1) {
      const before = process.cpuUsage();
      await new Promise<void>((resolve, reject) => {
        let sent = 0;
        let settled = 0;
        const send = (): void => {
          const result = store.append(messages[sent++ % PREPARED]!, "flushed", waiter);
          if (result.status !== "appended") reject(new Error(result.remark));
        };
        const waiter: AppendWaiter = {
          appendSettled: () => {
            settled += 1;
            if (sent < APPENDS) send();
            else if (settled === sent) resolve();
          },
        };
        for (let index = 0; index < waiting; index += 1) send();
      });
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / APPENDS);
    }
    await store.stop();
    rmSync(home, { recursive: true, force: true });
    console.log(`properties as ${form}, ${waiting} waiting: ${best.toFixed(2)} µs each`);
  }
}
