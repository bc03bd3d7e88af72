/** Fills a store up to a size with the largest bodies, all of them zeros, which a sparse host does not write. */
import type { Host } from "@orbitmq/host";
import type { FileMessageStore } from "@orbitmq/store";
import { appendMany, message } from "./appending.ts";

export const FILLING_TOPIC = "FillingTopic";
const BODY_BYTES = 4 * 1024 * 1024;

/** Appends until the log has `bytes` more. */
export function fill(host: Pick<Host, "timers">, store: FileMessageStore, bytes: number): Promise<void> {
  const filling = message(0, { topic: FILLING_TOPIC, queues: 1, bodyBytes: BODY_BYTES });
  return appendMany(host, store, Math.ceil(bytes / BODY_BYTES), () => filling);
}
