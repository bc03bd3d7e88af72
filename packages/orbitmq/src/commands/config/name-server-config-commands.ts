/** `orbitmq config namesrv …` and `config kv …`: their flags. What they do is in name-server-config.ts. */
import type { Command } from "commander";
import { type ClientFlags, withClientFlags, withYesFlag, type YesFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";

export function addNameServerConfigCommands(
  config: Command,
  { terminal, setExitCode }: CommandContext,
): void {
  const load = () => import("./name-server-config.ts");
  const namesrv = config
    .command("namesrv")
    .description("look at and change what running NameServers are set to");
  withClientFlags(
    namesrv
      .command("show")
      .description("print the configuration of every NameServer named")
      .argument("[keys...]", "only these"),
  ).action(async (keys: string[], flags: ClientFlags) => {
    const { showNameServerConfig } = await load();
    setExitCode(await showNameServerConfig(keys, flags, terminal));
  });
  withYesFlag(
    withClientFlags(
      namesrv
        .command("set")
        .description("change keys of every NameServer named while it runs")
        .argument("<key=value...>"),
    ),
  ).action(async (values: string[], flags: ClientFlags & YesFlags) => {
    const { setNameServerConfig } = await load();
    setExitCode(await setNameServerConfig(values, flags, terminal));
  });

  const kv = config.command("kv").description("what NameServers keep by namespace and key");
  const place = (name: string, description: string) =>
    withClientFlags(kv.command(name).description(description)).argument("<namespace>");
  place("list", "print all that is kept in a namespace").action(
    async (namespace: string, flags: ClientFlags) => {
      const { listKv } = await load();
      setExitCode(await listKv(namespace, flags, terminal));
    },
  );
  place("get", "print what each NameServer keeps under a key")
    .argument("<key>")
    .action(async (namespace: string, key: string, flags: ClientFlags) => {
      const { getKv } = await load();
      setExitCode(await getKv(namespace, key, flags, terminal));
    });
  place("put", "keep a value on every NameServer named")
    .argument("<key>")
    .argument("<value>")
    .action(async (namespace: string, key: string, value: string, flags: ClientFlags) => {
      const { putKv } = await load();
      setExitCode(await putKv(namespace, key, value, flags, terminal));
    });
  withYesFlag(place("delete", "delete a value from every NameServer named").argument("<key>")).action(
    async (namespace: string, key: string, flags: ClientFlags & YesFlags) => {
      const { deleteKv } = await load();
      setExitCode(await deleteKv(namespace, key, flags, terminal));
    },
  );
}
