/**
 * Opens the store in the folder of the first argument, with topics as fill-queues.ts has made as many as the second
 * says, uses it a little and prints what that took: time to the first acknowledgement, and memory.
 */
import { readFileSync } from "node:fs";
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { type AppendWaiter, openMessageStore } from "@orbitmq/store";
import { appendMany, message, QUEUES } from "./appending.ts";

export interface Used {
  readonly openMs: number;
  readonly firstMs: number;
  /** MiB: before the store, after its start, after every queue had one more message, after reads of many. */
  readonly rss: {
    readonly before: number;
    readonly opened: number;
    readonly appended: number;
    readonly read: number;
  };
  readonly peak: number;
}

const READS = 4_000;

function mib(field: "VmRSS" | "VmHWM"): number {
  const line = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+) kB`));
  return Math.round(Number(line?.[1] ?? Number.NaN) / 1024);
}

const [home = "", topics = "0"] = process.argv.slice(2);
const host = nodeHost();
const before = mib("VmRSS");
const begin = performance.now();
const store = openMessageStore(host, { home }, silentLogger);
await store.start();
const openMs = performance.now() - begin;
const topicOf = (index: number) => `Topic${Math.floor(index / QUEUES)}`;
await new Promise<void>((resolve, reject) => {
  const waiter: AppendWaiter = { appendSettled: () => resolve() };
  const result = store.append(message(0, { topic: "Topic0" }), "flushed", waiter);
  if (result.status !== "appended") reject(new Error(result.remark));
});
const firstMs = performance.now() - begin;
const opened = mib("VmRSS");
const queues = Number(topics) * QUEUES;
await appendMany(host, store, queues, (index) => message(index, { topic: topicOf(index) }));
const appended = mib("VmRSS");
for (let index = 0; index < READS; index++) {
  await new Promise<void>((resolve, reject) => {
    const queue = Math.floor((index * queues) / READS);
    const request = {
      topic: topicOf(queue),
      queueId: queue % QUEUES,
      offset: 0,
      messagesMax: 32,
      bytesMax: 262_144,
    };
    store.get(request, (result) => {
      const { status } = result;
      result.release();
      if (status === "FOUND") resolve();
      else reject(new Error(`${request.topic} ${request.queueId}: ${status}`));
    });
  });
}
const read = mib("VmRSS");
const used: Used = { openMs, firstMs, rss: { before, opened, appended, read }, peak: mib("VmHWM") };
await store.stop();
console.log(JSON.stringify(used));
