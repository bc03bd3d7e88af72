/**
 * Runs a listener for one message at an administrator's wish (RocketMQ: consumeMessageDirectly): whatever it answers,
 * no offset moves and nothing is retried.
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import { fromUnknown } from "../../errors/error-from.ts";
import type { Namespace } from "../../names/namespace.ts";
import type { ListenerContext, OrderlyListenerContext } from "../listener.ts";
import { decodeMessage, Undecodable } from "../listening/decode-message.ts";
import { ACK_INDEX_ALL } from "../listening/listener-run.ts";
import type { Subscription } from "../subscription.ts";

/** RocketMQ: CMResult. */
export type DirectResult =
  | "CR_SUCCESS"
  | "CR_LATER"
  | "CR_ROLLBACK"
  | "CR_COMMIT"
  | "CR_THROW_EXCEPTION"
  | "CR_RETURN_NULL";

export interface DirectEnd {
  readonly consumeResult: DirectResult;
  readonly remark: string | undefined;
  readonly autoCommit: boolean;
}

const RESULTS: ReadonlyMap<unknown, DirectResult> = new Map<unknown, DirectResult>([
  [undefined, "CR_SUCCESS"],
  ["CONSUME_SUCCESS", "CR_SUCCESS"],
  ["SUCCESS", "CR_SUCCESS"],
  ["RECONSUME_LATER", "CR_LATER"],
  ["SUSPEND_CURRENT_QUEUE_A_MOMENT", "CR_LATER"],
  ["ROLLBACK", "CR_ROLLBACK"],
  ["COMMIT", "CR_COMMIT"],
]);

/** Never rejects. */
export async function consumeDirectly(
  group: string,
  queue: MessageQueue,
  record: MessageRecord,
  subscription: Subscription,
  namespace: Namespace,
): Promise<DirectEnd> {
  const context: ListenerContext & OrderlyListenerContext = {
    group: namespace.unwrap(group),
    queue: namespace.unwrapQueue(queue),
    signal: new AbortController().signal,
    delayLevel: 0,
    ackIndex: ACK_INDEX_ALL,
    maxOffset: record.queueOffset + 1,
    autoCommit: true,
    suspendCurrentQueueTimeMs: 0,
  };
  const end = (consumeResult: DirectResult, remark?: string): DirectEnd => ({
    consumeResult,
    remark,
    autoCommit: context.autoCommit,
  });
  try {
    const message = await decodeMessage(record, queue, 0, subscription.codec, namespace);
    if (message instanceof Undecodable) return end("CR_THROW_EXCEPTION", message.error.message);
    const result = RESULTS.get(await subscription.listener([message], context));
    return result === undefined ? end("CR_RETURN_NULL", "the result is no consume result") : end(result);
  } catch (error) {
    return end("CR_THROW_EXCEPTION", fromUnknown(error).message);
  }
}
