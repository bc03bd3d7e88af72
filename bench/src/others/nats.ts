/** NATS with a JetStream stream in files: its default syncs every two minutes, as ASYNC_FLUSH does behind the reply. */
import type { OtherSystem } from "./other-system.ts";
import { startProgram, versionOf } from "./program.ts";

export const NATS = "NATS JetStream, file storage";

export const nats: OtherSystem = {
  name: NATS,
  flush: "ASYNC_FLUSH",
  system: "nats",
  script: "ordered-load.ts",
  version: () => versionOf("nats-server", ["--version"], /v(\d\S+)/),
  start: async (folder, port) =>
    startProgram("nats-server", ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder]),
};
