/** `orbitmq dlq list|show`. */
import type { DeadLetter } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { table } from "../table.ts";
import { type SelectionFlags, selectionOf } from "./selection-flags.ts";
import { withDeadLetters } from "./with-dead-letters.ts";

const timeText = (ms: number | undefined): string => (ms === undefined ? "" : new Date(ms).toISOString());

export async function listDeadLetters(flags: ClientFlags, terminal: Terminal): Promise<number> {
  const topics = await withDeadLetters(flags, terminal, (letters) => letters.list());
  if (flags.json === true) await terminal.out(topics.map((each) => `${JSON.stringify(each)}\n`).join(""));
  else {
    const rows = topics.map((each) => [
      each.group,
      each.dead,
      timeText(each.oldestTimestamp),
      timeText(each.newestTimestamp),
      each.redriven,
      each.deleted,
    ]);
    await terminal.out(table(["GROUP", "DEAD", "OLDEST", "NEWEST", "REDRIVEN", "DELETED"], rows));
    for (const { topic, isReadable } of topics)
      if (!isReadable)
        terminal.err(
          `orbitmq: ${topic} cannot be read: topic create ${topic} --queues 1 --perm rw opens it\n`,
        );
  }
  return 0;
}

export interface ShowFlags extends SelectionFlags {
  readonly all?: boolean;
}

/** Letters that make one table, so that a long list appears as it is read. */
const ROWS = 200;

export async function showDeadLetters(group: string, flags: ShowFlags, terminal: Terminal): Promise<number> {
  const options = { ...selectionOf(flags), all: flags.all };
  await withDeadLetters(flags, terminal, async (letters) => {
    let rows: DeadLetter[] = [];
    const print = async () => {
      if (rows.length > 0) await terminal.out(tableOf(rows, flags.all === true));
      rows = [];
    };
    for await (const letter of letters.read(group, options)) {
      if (terminal.readerGone.aborted) return;
      if (flags.json === true) await terminal.out(jsonOf(letter));
      else if (rows.push(letter) === ROWS) await print();
    }
    await print();
  });
  return 0;
}

function tableOf(letters: readonly DeadLetter[], withState: boolean): string {
  const head = ["ID", "FROM", "KEYS", "TAG", "BORN", "DIED", "TRIES", "REDRIVES", "REASON"];
  const rows = letters.map((letter) => [
    letter.msgId,
    letter.originTopic ?? "",
    letter.keys.join(" "),
    letter.tag ?? "",
    timeText(letter.bornTimestamp),
    timeText(letter.diedTimestamp),
    letter.attempts,
    letter.redrives,
    letter.reason ?? "",
    ...(withState ? [letter.state] : []),
  ]);
  return table(withState ? [...head, "STATE"] : head, rows);
}

function jsonOf({ message, ...letter }: DeadLetter): string {
  const { properties, body } = message;
  return `${JSON.stringify({ ...letter, properties, body: body.text() })}\n`;
}
