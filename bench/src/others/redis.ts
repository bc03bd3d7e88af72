/** Redis with a stream and `appendfsync always`: as RocketMQ with SYNC_FLUSH, a reply comes after a sync. */
import type { OtherSystem } from "./other-system.ts";
import { startProgram, versionOf } from "./program.ts";

export const REDIS = "Redis stream, appendfsync always";

export const redis: OtherSystem = {
  name: REDIS,
  flush: "SYNC_FLUSH",
  system: "redis",
  script: "ordered-load.ts",
  version: () => versionOf("redis-server", ["--version"], /v=(\S+)/),
  start: async (folder, port) => {
    const settings = {
      port,
      bind: "127.0.0.1",
      dir: folder,
      appendonly: "yes",
      appendfsync: "always",
      save: "",
    };
    return startProgram(
      "redis-server",
      Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    );
  },
};
