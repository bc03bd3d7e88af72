/**
 * GET_MESSAGE_WHEREABOUTS (700001, ours): what only the broker knows about messages at some places of its log. RocketMQ's
 * brokers answer 3.
 *
 *   request   positions            physical offsets joined by ",", {@link WHEREABOUTS_POSITIONS_MAX} at most
 *   body      {"nowMs","log":{…},"keyIndex":{…},"messages":[{"position","state",…}]}      (see the types below)
 *
 * Wall times are the broker's, ms since the epoch.
 */
import { defineHeader, type HeaderValue, string } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

export const WHEREABOUTS_POSITIONS_MAX = 64;

export const getMessageWhereaboutsRequestHeader = defineHeader("GetMessageWhereaboutsRequestHeader", {
  positions: string(),
});
export type GetMessageWhereaboutsRequestHeader = HeaderValue<typeof getMessageWhereaboutsRequestHeader>;

/** One consumer group's pop of a message that is not over. */
export interface PopWhereabouts {
  readonly group: string;
  readonly popTime: number;
  /** It comes again then, unless it is acknowledged. */
  readonly visibleAtMs: number;
  /** `open`; `acknowledged`, while others of the pop are not; `revived`: it is in a retry topic by now. */
  readonly state: "open" | "acknowledged" | "revived";
  readonly inOrder: boolean;
  /** `host:port` of the connection that popped it; absent when that was before the broker's start, or in order. */
  readonly poppedBy?: string | undefined;
}

export interface MessageWhereabouts {
  readonly position: number;
  /** `absent`: nothing is stored there, or nothing any more; `unreadable`: damaged, or no message begins there. */
  readonly state: "whole" | "absent" | "unreadable";
  readonly reason?: string | undefined;
  /** The segment's name, and where in it the record begins. */
  readonly file?: string | undefined;
  readonly fileOffset?: number | undefined;
  readonly size?: number | undefined;
  /** Its end is on disk for certain; else it is in the machine's page cache. */
  readonly flushed?: boolean | undefined;
  /** Of the ConsumeQueue the message is in. */
  readonly queueMinOffset?: number | undefined;
  readonly queueMaxOffset?: number | undefined;
  /** In SCHEDULE_TOPIC_XXXX: when it is due, and whether its level is delivered beyond it. */
  readonly delay?: { readonly dueMs: number; readonly delivered: boolean } | undefined;
  /** In the timer's queue: `unread` is not in the wheel yet, `waiting` is, `delivering`, or `passed`: its second is done with. */
  readonly timer?:
    | { readonly dueMs: number; readonly state: "unread" | "waiting" | "delivering" | "passed" }
    | undefined;
  /** Of a half: RocketMQ's words do not exist for these; `finished` is committed, rolled back, parked or replaced by a later copy. */
  readonly transaction?:
    | {
        readonly state: "stored" | "open" | "checking" | "parking" | "ending" | "finished";
        readonly checkTimes: number;
        readonly checkMax: number;
        /** Its next check, or its parking. */
        readonly nextMs?: number | undefined;
      }
    | undefined;
  /** Groups that subscribe to its topic with an expression other than `*`, and whether they want it. */
  readonly filters: readonly { readonly group: string; readonly wanted: boolean }[];
  readonly pops: readonly PopWhereabouts[];
}

export interface WhereaboutsBody {
  readonly nowMs: number;
  readonly log: {
    readonly minOffset: number;
    readonly writtenOffset: number;
    readonly flushedOffset: number;
    /** SYNC_FLUSH or ASYNC_FLUSH. */
    readonly flushDiskType: string;
    /** running, or failed: it takes no more messages. */
    readonly state: string;
  };
  readonly keyIndex: {
    readonly enabled: boolean;
    /** Bytes of the log that it has yet to catch up with. */
    readonly behindBytes: number;
    /** Store time of the oldest message it knows; 0 when it knows none. */
    readonly fromMs: number;
  };
  readonly messages: readonly MessageWhereabouts[];
}

export function encodeWhereabouts(body: WhereaboutsBody): Uint8Array {
  return encodeFastjson(body);
}

/** Throws WireError JSON_MALFORMED. */
export function parseWhereabouts(bytes: Uint8Array): WhereaboutsBody {
  const json = parseJsonObject(bytes, "Whereabouts");
  const log = json.object("log");
  const keyIndex = json.object("keyIndex");
  return {
    nowMs: json.integer("nowMs"),
    log: {
      minOffset: log.integer("minOffset"),
      writtenOffset: log.integer("writtenOffset"),
      flushedOffset: log.integer("flushedOffset"),
      flushDiskType: log.string("flushDiskType"),
      state: log.string("state"),
    },
    keyIndex: {
      enabled: keyIndex.boolean("enabled", true),
      behindBytes: keyIndex.integer("behindBytes", 0),
      fromMs: keyIndex.integer("fromMs", 0),
    },
    messages: json.objectList("messages").map(messageFromJson),
  };
}

function messageFromJson(json: JsonObject): MessageWhereabouts {
  const delay = json.optionalObject("delay");
  const timer = json.optionalObject("timer");
  const transaction = json.optionalObject("transaction");
  const flushed = json.raw("flushed");
  return {
    position: json.integer("position"),
    state: oneOf(json, "state", ["whole", "absent", "unreadable"]),
    reason: json.optionalString("reason"),
    file: json.optionalString("file"),
    fileOffset: json.optionalInteger("fileOffset"),
    size: json.optionalInteger("size"),
    flushed: flushed === undefined ? undefined : json.boolean("flushed", false),
    queueMinOffset: json.optionalInteger("queueMinOffset"),
    queueMaxOffset: json.optionalInteger("queueMaxOffset"),
    delay: delay && { dueMs: delay.integer("dueMs"), delivered: delay.boolean("delivered", false) },
    timer: timer && {
      dueMs: timer.integer("dueMs"),
      state: oneOf(timer, "state", ["unread", "waiting", "delivering", "passed"]),
    },
    transaction: transaction && {
      state: oneOf(transaction, "state", ["stored", "open", "checking", "parking", "ending", "finished"]),
      checkTimes: transaction.integer("checkTimes", 0),
      checkMax: transaction.integer("checkMax", 0),
      nextMs: transaction.optionalInteger("nextMs"),
    },
    filters: json.objectList("filters").map((filter) => ({
      group: filter.string("group"),
      wanted: filter.boolean("wanted", true),
    })),
    pops: json.objectList("pops").map((pop) => ({
      group: pop.string("group"),
      popTime: pop.integer("popTime"),
      visibleAtMs: pop.integer("visibleAtMs"),
      state: oneOf(pop, "state", ["open", "acknowledged", "revived"]),
      inOrder: pop.boolean("inOrder", false),
      poppedBy: pop.optionalString("poppedBy"),
    })),
  };
}

/** A word that a later version may have is the last of those known. */
function oneOf<const T extends string>(json: JsonObject, name: string, words: readonly T[]): T {
  const word = json.string(name);
  return words.find((each) => each === word) ?? words.at(-1)!;
}
