/**
 * The text of `orbitmq-transactions.json`: up to which position of the log every commit has its op on disk. A start
 * looks for commits without one from there on; without the file, from the oldest unfinished half on. RocketMQ does not
 * look: it asks the producer again, and commits twice.
 *
 *   { "version": 1, "opsUpTo": 123456 }
 */
import { parseJsonFile, WireError } from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";

export const TRANSACTION_FILE = "orbitmq-transactions.json";
const VERSION = 1;

export function formatOpsUpTo(opsUpTo: number): string {
  return formatPrettyFastjson({ version: VERSION, opsUpTo });
}

/** Throws WireError for what is no such text. */
export function parseOpsUpTo(text: string): number {
  const json = parseJsonFile(text, TRANSACTION_FILE);
  if (json.integer("version") !== VERSION) {
    throw new WireError("JSON_MALFORMED", `${TRANSACTION_FILE} is of version ${json.integer("version")}`);
  }
  return json.integer("opsUpTo");
}
