/**
 * LOCK_BATCH_MQ (41): a consumer that consumes in order asks for queues; told are those that are its own for the
 * next 60 s. 29 for a bad group name or client id.
 */
import {
  encodeLockBatchResponse,
  type LockBatchBody,
  type MessageQueue,
  parseLockBatchBody,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { LockKeeper } from "../consumer-groups/lock-keeper.ts";
import { groupNameProblem, topicNameProblem } from "../names.ts";

/** Longest id of a client, in characters: address, process, instance, and room for units of their own. */
const CLIENT_ID_LENGTH_MAX = 1_024;
const BROKER_NAME_LENGTH_MAX = 255;

export function lockBatchMq({ lockKeeper }: { readonly lockKeeper: LockKeeper }): RequestHandler {
  return (request, exchange) => {
    const { consumerGroup, clientId, queues } = checkedLockBody(request.body);
    lockKeeper.lock(consumerGroup, clientId, queues, (locked) =>
      exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeLockBatchResponse(locked)] }),
    );
  };
}

function queueProblem({ topic, brokerName }: MessageQueue): string | undefined {
  if (brokerName.length > BROKER_NAME_LENGTH_MAX)
    return `A broker's name has ${brokerName.length} characters.`;
  return topicNameProblem(topic);
}

/** Throws Refusal 29 for what can be nobody's lock, WireError for what is no lock request. */
export function checkedLockBody(bytes: Uint8Array): LockBatchBody {
  const body = parseLockBatchBody(bytes);
  const problem =
    groupNameProblem(body.consumerGroup) ??
    (body.clientId === "" || body.clientId.length > CLIENT_ID_LENGTH_MAX
      ? `The client id has ${body.clientId.length} characters.`
      : body.queues.map(queueProblem).find((each) => each !== undefined));
  if (problem !== undefined) throw new Refusal(ResponseCode.INVALID_PARAMETER, problem);
  return body;
}
