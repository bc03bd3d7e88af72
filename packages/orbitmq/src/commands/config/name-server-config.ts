/** `orbitmq config namesrv …` and `config kv …`: what running NameServers are set to, and what they keep. */
import type { Terminal } from "../../terminal.ts";
import { shownKeys } from "../broker/broker-config.ts";
import { change } from "../client/change.ts";
import type { ClientFlags, YesFlags } from "../client/client-flags.ts";
import { confirm } from "../client/confirm.ts";
import { keyValues } from "../client/key-values.ts";
import { report } from "../client/report.ts";
import { table } from "../table.ts";

export function showNameServerConfig(
  keys: readonly string[],
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => {
      const { servers, failures } = await admin.nameServerConfig();
      const shown = Object.entries(servers).map(([server, config]) => [server, shownKeys(config, keys)]);
      return { servers: Object.fromEntries(shown) as typeof servers, failures };
    },
    text: ({ servers }) => tableOf(servers),
  });
}

const tableOf = (servers: Readonly<Record<string, Readonly<Record<string, string>>>>): string =>
  table(
    ["NAMESERVER", "KEY", "VALUE"],
    Object.entries(servers).flatMap(([server, values]) =>
      Object.entries(values).map(([key, value]) => [server, key, value]),
    ),
  );

export async function setNameServerConfig(
  values: readonly string[],
  flags: ClientFlags & YesFlags,
  terminal: Terminal,
): Promise<number> {
  const given = keyValues(values);
  await confirm(`set ${Object.keys(given).join(", ")} on every NameServer named`, flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => {
      await admin.updateNameServerConfig(given);
      return { values: given };
    },
    () => "set on every NameServer named",
  );
}

export function getKv(
  namespace: string,
  key: string,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => ({ namespace, key, ...(await admin.getKv(namespace, key)) }),
    text: ({ servers }) =>
      table(
        ["NAMESERVER", "VALUE"],
        Object.entries(servers).map(([server, value]) => [server, value ?? "(none)"]),
      ),
    json: ({ servers, ...rest }) => ({
      ...rest,
      servers: Object.fromEntries(Object.entries(servers).map(([server, value]) => [server, value ?? null])),
    }),
  });
}

export function listKv(namespace: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => ({ namespace, ...(await admin.listKv(namespace)) }),
    text: ({ servers }) => tableOf(servers),
  });
}

export function putKv(
  namespace: string,
  key: string,
  value: string,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return change(
    flags,
    terminal,
    async (admin) => {
      await admin.putKv(namespace, key, value);
      return { namespace, key, value };
    },
    () => `${namespace} ${key}: kept on every NameServer named`,
  );
}

export async function deleteKv(
  namespace: string,
  key: string,
  flags: ClientFlags & YesFlags,
  terminal: Terminal,
): Promise<number> {
  await confirm(`delete ${key} of ${namespace} on every NameServer named`, flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => {
      await admin.deleteKv(namespace, key);
      return { namespace, key };
    },
    () => `${namespace} ${key}: deleted on every NameServer named`,
  );
}
