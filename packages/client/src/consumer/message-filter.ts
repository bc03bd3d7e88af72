/** What the application's filter hooks let through (RocketMQ: FilterMessageHook). */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromUnknown } from "../errors/error-from.ts";
import { plainMetadata } from "../message/received-message.ts";
import type { FilterHook } from "./listening/consume-hooks.ts";
import { RecordMetadata } from "./queue/record-metadata.ts";

/** Whether every hook accepts a message; one that throws does. */
export function newMessageFilter(
  { logger, namespace }: ClientInstance,
  hooks: readonly FilterHook[],
): (record: MessageRecord, queue: MessageQueue) => boolean {
  if (hooks.length === 0) return () => true;
  return (record, queue) => {
    const message = plainMetadata(new RecordMetadata(record, queue, 0, namespace));
    return hooks.every((hook) => {
      try {
        return hook.accepts(message);
      } catch (error) {
        const reason = fromUnknown(error).message;
        logger.error({ code: "INTERNAL", err: error }, `the hook ${hook.name} threw: ${reason}`);
        return true;
      }
    });
  };
}
