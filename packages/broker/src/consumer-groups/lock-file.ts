/**
 * The text of `orbitmq-locks.json`: who has which queue for itself, so that a broker that starts again gives it to
 * nobody else while the holder may still be consuming. RocketMQ keeps its locks in memory only.
 *
 *   { "version": 1, "locks": [ { "group", "clientId", "topic", "brokerName", "queueId" } … ] }
 */
import { parseJsonFile, WireError } from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";
import type { HeldLock } from "./rebalance-locks.ts";

export const LOCK_FILE = "orbitmq-locks.json";
const VERSION = 1;

export function formatLocks(held: Iterable<HeldLock>): string {
  const locks = Array.from(held, ({ group, clientId, queue: { topic, brokerName, queueId } }) => ({
    group,
    clientId,
    topic,
    brokerName,
    queueId,
  }));
  return formatPrettyFastjson({ version: VERSION, locks });
}

/** Throws WireError for what is no such text. */
export function parseLocks(text: string): HeldLock[] {
  const json = parseJsonFile(text, LOCK_FILE);
  if (json.integer("version") !== VERSION) {
    throw new WireError("JSON_MALFORMED", `${LOCK_FILE} is of version ${json.integer("version")}`);
  }
  return json.objectList("locks").map((lock) => ({
    group: lock.string("group"),
    clientId: lock.string("clientId"),
    queue: {
      topic: lock.string("topic"),
      brokerName: lock.string("brokerName"),
      queueId: lock.integer("queueId"),
    },
  }));
}
