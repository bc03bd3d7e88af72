/** Sends changes so that those of one order lie in one queue, one behind the other. */
import { type Producer, selectByHash } from "@orbitmq/client";
import { binlog, type Change } from "./binlog.ts";

/** Each waits for the one before: a second in flight could overtake a first that has to be tried again. */
export async function publish(producer: Producer, changes: readonly Change[]): Promise<void> {
  for (const change of changes)
    await producer.send(
      { topic: binlog, value: change, keys: change.orderId },
      { selector: selectByHash(change.orderId) },
    );
}
