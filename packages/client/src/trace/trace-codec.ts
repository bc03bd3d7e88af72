/**
 * Traces as text (RocketMQ: TraceDataEncoder), the body of a trace message:
 *
 *   body            = { context U+0002 }
 *   Pub             = Pub timeMs regionId group topic msgId tag keys storeHost bodyLength costMs messageType
 *                     [ offsetMsgId ] success [ clientHost ]
 *   SubBefore       = SubBefore timeMs regionId group requestId msgId retryTimes keys
 *   SubAfter        = SubAfter requestId msgId costMs success keys [ outcome [ timeMs group ] ]
 *   EndTransaction  = EndTransaction timeMs regionId group topic msgId tag keys storeHost messageType transactionId
 *                     state fromTransactionCheck
 *   Recall          = Recall timeMs regionId group topic msgId success
 *
 * with U+0001 between the fields. messageType and outcome are numbers. What is missing is the text `null`: Java's reader
 * fails on a context whose last field is empty; a SubAfter of the cloud's, which ends with an empty one, it has no use for.
 */
import { LocalTransactionState } from "../producer/transactions/local-transaction.ts";
import {
  type EndTransactionTrace,
  type PubTrace,
  type RecallTrace,
  type SubAfterTrace,
  type SubBeforeTrace,
  type TraceContext,
  traceMessageTypes,
  traceOutcomes,
} from "./trace-context.ts";

export const CONTENT_SPLITTER = "\u0001";
export const FIELD_SPLITTER = "\u0002";
const MISSING = "null";

export function encodeTrace(context: TraceContext): string {
  return fieldsOf(context).join(CONTENT_SPLITTER) + FIELD_SPLITTER;
}

function fieldsOf(context: TraceContext): (string | number | boolean)[] {
  switch (context.type) {
    case "Pub":
      return [
        ...headOf(context),
        context.topic,
        context.msgId,
        orMissing(context.tag),
        orMissing(context.keys),
        context.storeHost,
        context.bodyLength,
        context.costMs,
        traceMessageTypes.indexOf(context.messageType),
        orMissing(context.offsetMsgId),
        context.success,
      ];
    case "SubBefore":
      return [
        ...headOf(context),
        context.requestId,
        context.msgId,
        context.retryTimes,
        orMissing(context.keys),
      ];
    case "SubAfter":
      return [
        context.type,
        context.requestId,
        context.msgId,
        context.costMs,
        context.success,
        orMissing(context.keys),
        traceOutcomes.indexOf(context.outcome),
        ...(context.timeMs === undefined ? [""] : [context.timeMs, orMissing(context.group)]),
      ];
    case "EndTransaction":
      return [
        ...headOf(context),
        context.topic,
        context.msgId,
        orMissing(context.tag),
        orMissing(context.keys),
        context.storeHost,
        traceMessageTypes.indexOf(context.messageType),
        orMissing(context.transactionId),
        context.state,
        context.fromTransactionCheck,
      ];
    case "Recall":
      return [...headOf(context), context.topic, context.msgId, context.success];
  }
}

function headOf({ type, timeMs, regionId, group }: Exclude<TraceContext, SubAfterTrace>) {
  return [type, timeMs, regionId, group];
}

function orMissing(text: string | undefined): string {
  return text === undefined || text === "" ? MISSING : text;
}

export interface DecodedTrace {
  readonly contexts: readonly TraceContext[];
  /** Pieces that are none of the above, passed over. */
  readonly malformed: number;
}

/** Never throws. */
export function decodeTrace(body: string): DecodedTrace {
  const contexts: TraceContext[] = [];
  let malformed = 0;
  for (const piece of body.split(FIELD_SPLITTER)) {
    if (piece === "") continue;
    const context = contextOf(piece.split(CONTENT_SPLITTER));
    if (context === undefined) malformed++;
    else contexts.push(context);
  }
  return { contexts, malformed };
}

function contextOf(line: readonly string[]): TraceContext | undefined {
  switch (line[0]) {
    case "Pub":
      return pubOf(line);
    case "SubBefore":
      return subBeforeOf(line);
    case "SubAfter":
      return subAfterOf(line);
    case "EndTransaction":
      return endTransactionOf(line);
    case "Recall":
      return recallOf(line);
    default:
      return undefined;
  }
}

function pubOf(line: readonly string[]): PubTrace | undefined {
  const [, time, regionId, group, topic, msgId, tag, keys, storeHost, length, cost, type] = line;
  const timeMs = integerOf(time);
  const bodyLength = integerOf(length);
  const costMs = integerOf(cost);
  const messageType = traceMessageTypes[integerOf(type) ?? -1];
  const isOld = line.length === 13;
  if (line.length < 13 || timeMs === undefined || bodyLength === undefined) return undefined;
  if (costMs === undefined || messageType === undefined) return undefined;
  return {
    type: "Pub",
    timeMs,
    regionId: regionId!,
    group: group!,
    topic: topic!,
    msgId: msgId!,
    tag: present(tag),
    keys: present(keys),
    storeHost: storeHost!,
    bodyLength,
    costMs,
    messageType,
    offsetMsgId: isOld ? undefined : present(line[12]),
    success: isTrue(line[isOld ? 12 : 13]),
  };
}

function subBeforeOf(line: readonly string[]): SubBeforeTrace | undefined {
  const [, time, regionId, group, requestId, msgId, retries, keys] = line;
  const timeMs = integerOf(time);
  const retryTimes = integerOf(retries);
  if (line.length < 7 || timeMs === undefined || retryTimes === undefined) return undefined;
  return {
    type: "SubBefore",
    timeMs,
    regionId: regionId!,
    group: group!,
    requestId: requestId!,
    msgId: msgId!,
    retryTimes,
    keys: present(keys),
  };
}

function subAfterOf(line: readonly string[]): SubAfterTrace | undefined {
  const [, requestId, msgId, cost, success, keys, code, time, group] = line;
  const timeMs = integerOf(time);
  const costMs = integerOf(cost);
  const outcome = code === undefined ? "SUCCESS" : traceOutcomes[integerOf(code) ?? -1];
  if (line.length < 5 || costMs === undefined || outcome === undefined) return undefined;
  return {
    type: "SubAfter",
    timeMs,
    group: timeMs === undefined ? undefined : present(group),
    requestId: requestId!,
    msgId: msgId!,
    keys: present(keys),
    costMs,
    success: isTrue(success),
    outcome,
  };
}

function endTransactionOf(line: readonly string[]): EndTransactionTrace | undefined {
  const [, time, regionId, group, topic, msgId, tag, keys, storeHost, type, transactionId, state, check] =
    line;
  const timeMs = integerOf(time);
  const messageType = traceMessageTypes[integerOf(type) ?? -1];
  if (line.length < 13 || timeMs === undefined || messageType === undefined) return undefined;
  if (!Object.hasOwn(LocalTransactionState, state!)) return undefined;
  return {
    type: "EndTransaction",
    timeMs,
    regionId: regionId!,
    group: group!,
    topic: topic!,
    msgId: msgId!,
    tag: present(tag),
    keys: present(keys),
    storeHost: storeHost!,
    messageType,
    transactionId: present(transactionId),
    state: state as LocalTransactionState,
    fromTransactionCheck: isTrue(check),
  };
}

function recallOf(line: readonly string[]): RecallTrace | undefined {
  const [, time, regionId, group, topic, msgId, success] = line;
  const timeMs = integerOf(time);
  if (line.length < 7 || timeMs === undefined) return undefined;
  return {
    type: "Recall",
    timeMs,
    regionId: regionId!,
    group: group!,
    topic: topic!,
    msgId: msgId!,
    success: isTrue(success),
  };
}

function present(text: string | undefined): string | undefined {
  return text === MISSING || text === "" ? undefined : text;
}

function integerOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Java's Boolean.parseBoolean. */
function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === "true";
}
