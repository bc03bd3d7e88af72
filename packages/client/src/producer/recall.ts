/** Taking back a message that waits for its time: the request, and what a handle says. */
import {
  decodeRecallHandle,
  type OutgoingRequest,
  type RecallHandle,
  type RemotingCommand,
  RequestCode,
  recallMessageRequestHeader,
  recallMessageResponseHeader,
  WireError,
} from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";

export interface RecallOptions {
  /** Default: the producer's `sendTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** Throws INVALID_ARGUMENT. */
export function recallHandleOf(text: string): RecallHandle {
  try {
    return decodeRecallHandle(text);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new OrbitError("INVALID_ARGUMENT", "that is no recall handle", { cause });
  }
}

export function recallRequest(producerGroup: string, topic: string, recallHandle: string): OutgoingRequest {
  return {
    code: RequestCode.RECALL_MESSAGE,
    header: (sink) => recallMessageRequestHeader.encode({ producerGroup, topic, recallHandle }, sink),
  };
}

export function recalledId(response: RemotingCommand): {
  readonly msgId: string;
  readonly region: string | undefined;
} {
  const { msgId, MSG_REGION: region } = recallMessageResponseHeader.decode(response.ext);
  return { msgId, region };
}
