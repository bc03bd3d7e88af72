/**
 * Appends to the store in the folder of the first argument until its log has the bytes of the second, then the
 * messages of the third, under the flush mode of the fourth; then ends as if by kill -9, with appends under way.
 */
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { type FlushDiskType, openMessageStore } from "@orbitmq/store";
import { appendFor, appendMany, repeated } from "./appending.ts";
import { fill } from "./filling.ts";
import { sparseHost } from "./sparse-host.ts";

const LAST_MS = 1_000;
const [home = "", bytes = "0", messages = "0", flush = "SYNC_FLUSH"] = process.argv.slice(2);
const flushDiskType = flush as FlushDiskType;
const host = sparseHost(nodeHost());
const store = openMessageStore(host, { home, flushDiskType }, silentLogger);
await store.start();
if (Number(bytes) > 0) await fill(host, store, Number(bytes));
if (Number(messages) > 0) await appendMany(host, store, Number(messages), repeated({}));
setTimeout(() => process.kill(process.pid, "SIGKILL"), LAST_MS / 2);
await appendFor(host, store, 64, flushDiskType === "SYNC_FLUSH" ? "flushed" : "written", LAST_MS);
