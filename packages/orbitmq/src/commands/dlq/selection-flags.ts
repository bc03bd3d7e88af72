/** From the flags that choose dead letters to what the client is asked. */
import type { DeadLetterSelection } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { ClientFlags } from "../client/client-flags.ts";

export interface SelectionFlags extends ClientFlags {
  readonly id?: readonly string[];
  readonly key?: readonly string[];
  readonly tag?: readonly string[];
  readonly topic?: readonly string[];
  readonly reason?: string;
  readonly from?: string;
  readonly before?: string;
  readonly max?: number;
}

/** Throws USAGE for what is no time. */
export function selectionOf(flags: SelectionFlags): DeadLetterSelection {
  return {
    ids: listOf(flags.id),
    keys: listOf(flags.key),
    tags: listOf(flags.tag),
    originTopics: listOf(flags.topic),
    reason: flags.reason,
    fromMs: timeOf("--from", flags.from),
    toMs: timeOf("--before", flags.before),
    max: flags.max,
  };
}

function listOf(values: readonly string[] | undefined): readonly string[] | undefined {
  return values === undefined || values.length === 0 ? undefined : values;
}

function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = new Date(/^\d+$/.test(text) ? Number(text) : text).getTime();
  if (Number.isNaN(time)) throw new ServerError("USAGE", `${flag} takes a time, not ${text}`);
  return time;
}
