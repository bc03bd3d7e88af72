/**
 * What clients told of a message (RocketMQ: queryMsgTraceById): finds the trace messages by the message's id or key, and
 * gives what they hold of it in the order in which it happened. That the trace topic does not exist is no trace.
 */
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError } from "../errors/errors.ts";
import { decodeTrace } from "../trace/trace-codec.ts";
import type { TraceContext } from "../trace/trace-context.ts";
import { traceLimits } from "../trace/trace-options.ts";
import type { QueryMessageOptions, TopicRoute } from "./admin-types.ts";
import { findByKey } from "./find-messages.ts";

export interface MessageTraceOptions extends Omit<QueryMessageOptions, "by"> {
  /** Where its clients' traces go. Default `RMQ_SYS_TRACE_TOPIC`. */
  readonly topic?: string | undefined;
}

/** A context, and who told it. */
export type MessageTraceEvent = TraceContext & {
  /** `host:port` the trace came from. */
  readonly clientHost: string;
};

const ORDER = ["Pub", "EndTransaction", "Recall", "SubBefore", "SubAfter"];

/** `idOrKey`: the id its producer gave it, or one of its keys, which may be those of several messages. */
export async function messageTrace(
  instance: ClientInstance,
  idOrKey: string,
  options: MessageTraceOptions,
  routeOf: (topic: string) => Promise<TopicRoute>,
): Promise<MessageTraceEvent[]> {
  let route: TopicRoute;
  try {
    route = await routeOf(options.topic ?? traceLimits.topic);
  } catch (error) {
    if (error instanceof OrbitError && error.code === "TOPIC_ROUTE_NOT_FOUND") return [];
    throw error;
  }
  const messages = await findByKey(instance, route, idOrKey, options, false);
  const isWanted = (context: TraceContext): boolean =>
    context.msgId === idOrKey || ("keys" in context && context.keys?.split(" ").includes(idOrKey) === true);
  const events = messages.flatMap(({ body, bornHost }) =>
    decodeTrace(body.text())
      .contexts.filter(isWanted)
      .map((context): MessageTraceEvent => ({ ...context, clientHost: bornHost })),
  );
  return inOrder(events);
}

/** By time; an end that has none comes behind its beginning. */
function inOrder(events: readonly MessageTraceEvent[]): MessageTraceEvent[] {
  const begins = new Map<string, number>();
  for (const event of events) if (event.type === "SubBefore") begins.set(event.requestId, event.timeMs);
  const timeOf = (event: MessageTraceEvent): number =>
    event.timeMs ?? (event.type === "SubAfter" ? begins.get(event.requestId) : undefined) ?? 0;
  return [...events].sort((a, b) => timeOf(a) - timeOf(b) || ORDER.indexOf(a.type) - ORDER.indexOf(b.type));
}
