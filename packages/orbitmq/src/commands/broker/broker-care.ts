/** `orbitmq broker clean-expired|delete-expired-log|writable`. */
import type { Terminal } from "../../terminal.ts";
import { change } from "../client/change.ts";
import type { ClientFlags, TargetFlags, YesFlags } from "../client/client-flags.ts";
import { confirm } from "../client/confirm.ts";
import { listText } from "../client/texts.ts";

export function cleanExpired(flags: TargetFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  return change(
    flags,
    terminal,
    async (admin) => ({ brokers: await admin.cleanExpiredConsumeQueue({ cluster, broker }) }),
    ({ brokers }) => `expired files of queues are gone on ${listText(brokers)}`,
  );
}

export async function deleteExpiredLog(flags: TargetFlags & YesFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  await confirm("delete the expired files of the log, with their messages", flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => ({ brokers: await admin.deleteExpiredCommitLog({ cluster, broker }) }),
    ({ brokers }) => `expired files of the log are gone on ${listText(brokers)}`,
  );
}

export async function setWritable(
  broker: string,
  flags: ClientFlags & YesFlags & { readonly off?: boolean },
  terminal: Terminal,
): Promise<number> {
  const writable = flags.off !== true;
  if (!writable) await confirm(`send producers away from ${broker}`, flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => ({
      broker,
      writable,
      topics: await (writable ? admin.addWritePerm(broker) : admin.wipeWritePerm(broker)),
    }),
    ({ topics }) =>
      Object.entries(topics)
        .map(([server, count]) => `${server}: ${count} topics ${writable ? "writable" : "not writable"}`)
        .join("\n"),
  );
}
