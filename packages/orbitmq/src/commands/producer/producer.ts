/** `orbitmq producer list`. */
import type { Terminal } from "../../terminal.ts";
import type { TargetFlags, WatchFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { timeText } from "../client/texts.ts";
import { table } from "../table.ts";

export function listProducers(
  group: string | undefined,
  flags: TargetFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  const { cluster, broker } = flags;
  const target = { cluster, broker };
  if (group !== undefined)
    return report(flags, terminal, {
      look: (admin) => admin.producerConnections(group, target),
      text: ({ connections }) =>
        connections.length === 0
          ? `${group}: nobody is online\n`
          : table(
              ["CLIENT", "ADDRESS", "LANGUAGE", "VERSION", "BROKERS"],
              connections.map((each) => [
                each.clientId,
                each.address,
                each.language,
                each.version,
                each.brokers.join(", "),
              ]),
            ),
    });
  return report(flags, terminal, {
    look: (admin) => admin.producerList(target),
    text: ({ producers }) =>
      table(
        ["GROUP", "CLIENT", "ADDRESS", "LANGUAGE", "VERSION", "BROKERS", "LAST HEARD"],
        producers.map((each) => [
          each.group,
          each.clientId,
          each.address,
          each.language,
          each.version,
          each.brokers.join(", "),
          timeText(each.lastUpdateTimestamp),
        ]),
      ),
  });
}
