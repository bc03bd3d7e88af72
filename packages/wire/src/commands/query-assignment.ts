/**
 * QUERY_ASSIGNMENT (400): which queues of a topic a member of a group consumes, and how: the broker allocates
 * them (RocketMQ: QueryAssignmentRequestBody, QueryAssignmentResponseBody).
 *
 *   request body    {"clientId","consumerGroup","messageModel","strategyName","topic"}
 *   response body   {"messageQueueAssignments":[{"attachments"?,"messageQueue":{MessageQueue},"mode"}]}
 *                   without the list: the member keeps what it has. A queue id of -1: any queue of that broker.
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";
import { WireError } from "../wire-error.ts";

/** How a member gets messages (RocketMQ: MessageRequestMode). */
export type MessageRequestMode = "PULL" | "POP";

export interface QueryAssignmentBody {
  readonly topic: string;
  readonly consumerGroup: string;
  readonly clientId: string;
  /** AVG or AVG_BY_CIRCLE. */
  readonly strategyName: string;
  /** CLUSTERING or BROADCASTING. */
  readonly messageModel: string;
}

export interface MessageQueueAssignment {
  readonly messageQueue: MessageQueue;
  readonly mode: MessageRequestMode;
}

export function encodeQueryAssignmentBody(body: QueryAssignmentBody): Uint8Array {
  return encodeFastjson(body);
}

/** Throws WireError JSON_MALFORMED. */
export function parseQueryAssignmentBody(bytes: Uint8Array): QueryAssignmentBody {
  const body = parseJsonObject(bytes, "QueryAssignmentRequestBody");
  return {
    topic: body.string("topic"),
    consumerGroup: body.string("consumerGroup"),
    clientId: body.string("clientId"),
    strategyName: body.optionalString("strategyName") ?? "AVG",
    messageModel: body.optionalString("messageModel") ?? "CLUSTERING",
  };
}

export function encodeAssignments(assignments: readonly MessageQueueAssignment[] | undefined): Uint8Array {
  return encodeFastjson({ messageQueueAssignments: assignments });
}

/** `undefined`: the member keeps what it has. Throws WireError JSON_MALFORMED. */
export function parseAssignments(bytes: Uint8Array): MessageQueueAssignment[] | undefined {
  const body = parseJsonObject(bytes, "QueryAssignmentResponseBody");
  if (body.raw("messageQueueAssignments") === undefined) return undefined;
  return body.objectList("messageQueueAssignments").map((entry) => ({
    messageQueue: messageQueueFromJson(entry.object("messageQueue")),
    mode: parseRequestMode(entry.optionalString("mode") ?? "PULL"),
  }));
}

/** Throws WireError JSON_MALFORMED. */
export function parseRequestMode(text: string): MessageRequestMode {
  if (text === "PULL" || text === "POP") return text;
  throw new WireError("JSON_MALFORMED", `no request mode: ${JSON.stringify(text.slice(0, 64))}`);
}
