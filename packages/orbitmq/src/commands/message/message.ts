/** `orbitmq message query|get|at|resume-check`. */
import type { MessageQueue, ReceivedMessage } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import { change } from "../client/change.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

export interface QueryMessageFlags extends ClientFlags {
  readonly tag?: boolean;
  readonly max: number;
  readonly from?: number;
  readonly to?: number;
}

const SHOWN_BYTES = 60;

export async function queryMessages(
  topic: string,
  key: string,
  flags: QueryMessageFlags,
  terminal: Terminal,
): Promise<number> {
  const { max, from: beginMs, to: endMs } = flags;
  const by = flags.tag === true ? "tag" : "key";
  const messages = await withAdmin(flags, terminal, (admin) =>
    admin.queryMessage(topic, key, { max, by, beginMs, endMs }),
  );
  if (flags.json === true) await terminal.out(messages.map((each) => `${jsonOf(each)}\n`).join(""));
  else {
    const rows = messages.map((each) => [
      each.msgId,
      each.queue.brokerName,
      each.queue.queueId,
      each.queueOffset,
      new Date(each.storeTimestamp).toISOString(),
      beginningOf(each.text()),
    ]);
    await terminal.out(table(["ID", "BROKER", "QUEUE", "OFFSET", "STORED", "BODY"], rows));
  }
  return 0;
}

export async function getMessage(
  topic: string,
  msgId: string,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  const message = await withAdmin(flags, terminal, (admin) => admin.viewMessage(topic, msgId));
  return print(message, flags, terminal);
}

export async function messageAt(
  queue: MessageQueue,
  offset: number,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  const message = await withAdmin(flags, terminal, (admin) => admin.messageAt(queue, offset));
  return print(message, flags, terminal);
}

export function resumeCheck(
  broker: string,
  topic: string,
  id: string,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return change(
    flags,
    terminal,
    async (admin) => {
      await admin.resumeCheck(broker, topic, id);
      return { broker, topic, id };
    },
    () => `${id}: its producer is asked again`,
  );
}

async function print(message: ReceivedMessage, flags: ClientFlags, terminal: Terminal): Promise<number> {
  if (flags.json === true) await terminal.out(`${jsonOf(message)}\n`);
  else {
    const { queue, properties } = message;
    const lines: [string, string][] = [
      ["id", message.msgId],
      ["offset id", message.offsetMsgId],
      ["queue", `${queue.brokerName} ${queue.queueId}, offset ${message.queueOffset}`],
      ["stored", `${new Date(message.storeTimestamp).toISOString()} by ${message.storeHost}`],
      ["born", `${new Date(message.bornTimestamp).toISOString()} at ${message.bornHost}`],
      ...Object.entries(properties).map(([name, value]): [string, string] => [name, value]),
    ];
    const width = Math.max(...lines.map(([name]) => name.length));
    const head = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
    await terminal.out(`${head}\n${message.text()}\n`);
  }
  return 0;
}

function jsonOf(message: ReceivedMessage): string {
  const { body, value: _value, ...metadata } = message.toJSON();
  return JSON.stringify({ ...metadata, body: body.text() });
}

function beginningOf(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > SHOWN_BYTES ? `${line.slice(0, SHOWN_BYTES)}…` : line;
}
