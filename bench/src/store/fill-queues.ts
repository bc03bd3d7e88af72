/**
 * Makes a store in the folder of the first argument: the bytes of the second as log, sparse, and as many topics of
 * eight queues as the third says, some messages in each queue. Stops it in order.
 */
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { openMessageStore } from "@orbitmq/store";
import { appendMany, message, QUEUES } from "./appending.ts";
import { fill } from "./filling.ts";
import { sparseHost } from "./sparse-host.ts";

const PER_QUEUE = 4;
const [home = "", bytes = "0", topics = "0"] = process.argv.slice(2);
const host = sparseHost(nodeHost());
const store = openMessageStore(host, { home, flushDiskType: "ASYNC_FLUSH" }, silentLogger);
await store.start();
const queues = Number(topics) * QUEUES;
// A part of the small ones at the log's start and end, and the others between the large ones.
for (let round = 0; round < PER_QUEUE; round++) {
  await appendMany(host, store, queues, (index) =>
    message(index, { topic: `Topic${Math.floor(index / QUEUES)}`, queues: QUEUES }),
  );
  if (round < PER_QUEUE - 1) await fill(host, store, Number(bytes) / (PER_QUEUE - 1));
}
await store.stop();
console.log(JSON.stringify({ writtenOffset: store.status().writtenOffset }));
