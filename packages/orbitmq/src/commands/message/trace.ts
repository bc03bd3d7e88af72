/** `orbitmq message trace`: what producers and consumers with traces told of a message. */
import type { MessageTraceEvent } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

export interface TraceFlags extends ClientFlags {
  readonly id?: string;
  readonly key?: string;
  readonly topic?: string;
}

/** What a listener's end means. */
const OUTCOMES = {
  SUCCESS: "consumed",
  TIME_OUT: "took too long",
  EXCEPTION: "threw",
  RETURNNULL: "returned nothing",
  FAILED: "refused",
} as const;

export async function traceMessage(flags: TraceFlags, terminal: Terminal): Promise<number> {
  const { id, key, topic } = flags;
  const wanted = id ?? key;
  if (wanted === undefined || (id !== undefined && key !== undefined)) {
    throw new ServerError("USAGE", "message trace needs either --id or --key");
  }
  const events = await withAdmin(flags, terminal, (admin) => admin.messageTrace(wanted, { topic }));
  if (flags.json === true) await terminal.out(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  else {
    const rows = events.map((event) => [
      event.timeMs === undefined ? "" : new Date(event.timeMs).toISOString(),
      event.msgId,
      event.type,
      event.group ?? "",
      event.clientHost,
      "costMs" in event ? `${event.costMs} ms` : "",
      tellingOf(event),
    ]);
    await terminal.out(table(["TIME", "ID", "EVENT", "GROUP", "CLIENT", "TOOK", "WHAT"], rows));
  }
  return 0;
}

function tellingOf(event: MessageTraceEvent): string {
  switch (event.type) {
    case "Pub": {
      const what = `${event.topic} at ${event.storeHost}, ${event.bodyLength} bytes`;
      return event.success ? `sent to ${what}` : `stored badly: ${what}`;
    }
    case "SubBefore":
      return event.retryTimes === 0 ? "listener begins" : `listener begins, retry ${event.retryTimes}`;
    case "SubAfter":
      return `listener ended: ${OUTCOMES[event.outcome]}`;
    case "EndTransaction":
      return `${event.state}${event.fromTransactionCheck ? ", asked by the broker" : ""}`;
    case "Recall":
      return event.success ? "taken back" : "not taken back";
  }
}
