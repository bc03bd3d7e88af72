/** RabbitMQ with a quorum queue of one member and publisher confirms: a confirm comes after a sync. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@orbitmq/interop";
import type { OtherSystem } from "./other-system.ts";
import { startProgram, versionOf } from "./program.ts";

/** The package's own script: what Debian puts on the path changes the user. */
const script = "/usr/lib/rabbitmq/bin/rabbitmq-server";

export const rabbitmq: OtherSystem = {
  name: "RabbitMQ quorum queue, confirms",
  flush: "SYNC_FLUSH",
  system: "rabbitmq",
  script: "rabbitmq-load.ts",
  version: () =>
    existsSync(script)
      ? versionOf("dpkg-query", ["-W", "-f", "$" + "{Version}", "rabbitmq-server"], /(\S+)/)
      : undefined,
  start: async (folder, port) => {
    const [epmdPort, distPort] = [await freePort(), await freePort()];
    mkdirSync(folder, { recursive: true });
    const plugins = join(folder, "enabled_plugins");
    writeFileSync(plugins, "[].\n");
    const env = {
      HOME: folder,
      ERL_EPMD_PORT: String(epmdPort),
      RABBITMQ_NODENAME: `bench${port}@localhost`,
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_DIST_PORT: String(distPort),
      RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
      RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq"),
    };
    // Its name server is ours to end, too; left alone it would start one that stays.
    const epmd = startProgram("epmd", ["-port", String(epmdPort)], env);
    const server = startProgram(script, [], env);
    return {
      pids: () => server.pids(),
      stop: async () => {
        await server.stop();
        await epmd.stop();
      },
    };
  },
};
