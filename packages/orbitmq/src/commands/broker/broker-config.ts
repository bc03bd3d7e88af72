/** `orbitmq broker config show|set`. */
import { isSecret } from "../../config/key-table.ts";
import type { Terminal } from "../../terminal.ts";
import { change } from "../client/change.ts";
import type { ClientFlags, TargetFlags, YesFlags } from "../client/client-flags.ts";
import { confirm } from "../client/confirm.ts";
import { keyValues } from "../client/key-values.ts";
import { report } from "../client/report.ts";
import { listText, pairs } from "../client/texts.ts";

const MASK = "********";

/** Of a configuration, what is wanted; secrets are masked. */
export function shownKeys(
  config: Readonly<Record<string, string>>,
  wanted: readonly string[],
): Record<string, string> {
  const shown = Object.entries(config).filter(([key]) => wanted.length === 0 || wanted.includes(key));
  return Object.fromEntries(shown.map(([key, value]) => [key, isSecret(key) && value !== "" ? MASK : value]));
}

export function showBrokerConfig(
  broker: string,
  keys: readonly string[],
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => shownKeys(await admin.brokerConfig(broker), keys),
    text: (config) => pairs(Object.entries(config)),
  });
}

export async function setBrokerConfig(
  values: readonly string[],
  flags: TargetFlags & YesFlags,
  terminal: Terminal,
): Promise<number> {
  const given = keyValues(values);
  const { cluster, broker } = flags;
  const where = broker ?? (cluster === undefined ? "every broker" : `every broker of ${cluster}`);
  await confirm(`set ${Object.keys(given).join(", ")} on ${where}`, flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => ({ values: given, brokers: await admin.updateBrokerConfig(given, { cluster, broker }) }),
    ({ brokers }) => `set on ${listText(brokers)}`,
  );
}
