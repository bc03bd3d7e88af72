/** Taking back a message that waits for its time: the request, and what a handle says. */
import {
  decodeRecallHandle,
  type OutgoingRequest,
  type RecallHandle,
  RequestCode,
  ResponseCode,
  type RpcClient,
  recallMessageRequestHeader,
  recallMessageResponseHeader,
  WireError,
} from "@orbitmq/wire";
import { fromResponse, fromUnknown, fromWireError } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import { outcomeOf } from "./retry.ts";

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

export interface Recalled {
  /** The id of the message that will not be delivered. */
  readonly msgId: string;
  readonly region: string | undefined;
}

/**
 * Resolves when the message will not be delivered. As a send: `outcome` of the error is `unknown` when the
 * broker may have taken the recall all the same.
 */
export function askRecall(
  rpc: Pick<RpcClient, "request">,
  address: string,
  request: OutgoingRequest,
  timeoutMs: number,
  broker: string,
): Promise<Recalled> {
  return new Promise((resolve, reject) => {
    rpc.request(address, request, timeoutMs, (error, response) => {
      if (response === undefined) {
        const failure = error!;
        const outcome = outcomeOf({ kind: "rpc", code: failure.code, sent: failure.sent });
        reject(fromWireError(failure, broker, { outcome }));
        return;
      }
      const { code, remark, ext } = response;
      if (code !== ResponseCode.SUCCESS) {
        const mayExist = ext.get("outcome") === "unknown";
        const isRefused = code === ResponseCode.ILLEGAL_OPERATION && !mayExist;
        const outcome = isRefused ? "refused" : outcomeOf({ kind: "response", code, mayExist });
        reject(fromResponse(code, remark, broker, { outcome }));
        return;
      }
      try {
        const { msgId, MSG_REGION: region } = recallMessageResponseHeader.decode(ext);
        resolve({ msgId, region });
      } catch (thrown) {
        reject(fromUnknown(thrown, broker));
      }
    });
  });
}
