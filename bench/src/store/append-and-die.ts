/** Appends to the store in the folder of the first argument, then ends as if by kill -9; see killed-store.ts. */
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { openMessageStore } from "@orbitmq/store";
import { appendMany } from "./appending.ts";

const [home = "", messages = "0"] = process.argv.slice(2);
const store = openMessageStore(nodeHost(), { home, flushDiskType: "ASYNC_FLUSH" }, silentLogger);
await store.start();
await appendMany(store, Number(messages));
process.kill(process.pid, "SIGKILL");
