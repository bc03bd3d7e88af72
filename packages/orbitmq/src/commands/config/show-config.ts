/** Prints the configuration a server would start with, or what is wrong with it. */
import { resolve as absolutePath } from "node:path";
import { nodeHost } from "@orbitmq/host/node";
import type { Configuration } from "../../config/configuration.ts";
import { isSecret } from "../../config/key-table.ts";
import { overlay } from "../../config/runtime-configuration.ts";
import { ServerError } from "../../server-error.ts";
import { brokerSettings, nameServerSettings, runtimeFilePath, storeSettings } from "../../settings.ts";
import type { Terminal } from "../../terminal.ts";
import type { ConfigCommandFlags } from "./config-commands.ts";
import { readConfiguration } from "./read-configuration.ts";

const MASK = "********";

function read({ role, ...flags }: ConfigCommandFlags, terminal: Terminal): Configuration {
  const { files } = nodeHost();
  const base = readConfiguration(role, flags, terminal.env, (path) =>
    files.readWholeSync(absolutePath(path)),
  );
  const kept = runtimeFilePath({ role, config: base });
  const text = files.readWholeSync(absolutePath(kept));
  const config = text === undefined ? base : overlay(base, Buffer.from(text).toString("utf8"), kept);
  // What only shows when values meet each other.
  const settings = { role, config, store: "disk" as const, existing: false, unsafeNoLock: false };
  if (role !== "broker") nameServerSettings(settings);
  if (role !== "namesrv") {
    storeSettings(settings);
    brokerSettings(settings);
  }
  return config;
}

export async function showConfig(flags: ConfigCommandFlags, terminal: Terminal): Promise<number> {
  const config = read(flags, terminal);
  const rows = config.values.map(({ key, value, source, where, definition }) => ({
    key,
    value: isSecret(key) && value !== "" ? MASK : value,
    source,
    where,
    status: definition.status,
  }));
  if (flags.json === true) {
    await terminal.out(`${JSON.stringify({ values: rows, warnings: config.warnings })}\n`);
    return 0;
  }
  const width = Math.max(...rows.map(({ key }) => key.length));
  const valueWidth = Math.min(32, Math.max(...rows.map(({ value }) => String(value).length)));
  for (const { key, value, where, status } of rows) {
    const note = status === "supported" ? "" : " (no effect)";
    await terminal.out(`${key.padEnd(width)}  ${String(value).padEnd(valueWidth)}  ${where}${note}\n`);
  }
  for (const warning of config.warnings) terminal.err(`warning: ${warning}\n`);
  return 0;
}

export async function checkConfig(flags: ConfigCommandFlags, terminal: Terminal): Promise<number> {
  try {
    const { values, warnings } = read(flags, terminal);
    if (flags.json === true)
      await terminal.out(`${JSON.stringify({ valid: true, problems: [], warnings })}\n`);
    else {
      for (const warning of warnings) terminal.err(`warning: ${warning}\n`);
      const set = values.filter(({ source }) => source !== "default").length;
      await terminal.out(
        `valid: ${set} set, ${values.length - set} by default, ${warnings.length} warnings\n`,
      );
    }
    return 0;
  } catch (error) {
    if (flags.json !== true || !(error instanceof ServerError)) throw error;
    const problems = error.message.split("\n");
    await terminal.out(`${JSON.stringify({ valid: false, problems, warnings: [] })}\n`);
    return error.exitCode;
  }
}
