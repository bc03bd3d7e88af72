/** How flags, environment and file become a configuration; not loaded for what only prints help. */
import { decodeJavaProperties } from "@orbitmq/wire";
import { type Configuration, type FlagValue, resolveConfiguration } from "../../config/configuration.ts";
import type { ConfigRole } from "../../config/supported-keys.ts";
import { ServerError } from "../../server-error.ts";
import type { ServerRole } from "../../settings.ts";
import { type ConfigFlags, KEY_FLAGS, optionName } from "./config-flags.ts";

export const configRole = (role: ServerRole): ConfigRole => (role === "namesrv" ? "namesrv" : "broker");

/** `readFile`: the bytes, or undefined when there is no such file. */
export function readConfiguration(
  role: ServerRole,
  flags: ConfigFlags,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => Uint8Array | undefined,
): Configuration {
  const given = KEY_FLAGS.flatMap(([names, key, , roles]): FlagValue[] => {
    const value = flags[optionName(names)];
    if (!roles.includes(role) || typeof value !== "string") return [];
    return [{ flag: /--[a-z-]+/.exec(names)![0], key, value }];
  });
  return resolveConfiguration({
    role: configRole(role),
    file:
      flags.config === undefined ? undefined : { name: flags.config, text: readText(flags.config, readFile) },
    environment: env,
    options: flags.option,
    flags: given,
    ignoreKeys: (flags.ignoreKeys ?? "")
      .split(",")
      .map((key) => key.trim())
      .filter(Boolean),
  });
}

function readText(path: string, readFile: (path: string) => Uint8Array | undefined): string {
  let bytes: Uint8Array | undefined;
  try {
    bytes = readFile(path);
  } catch (error) {
    throw new ServerError("CONFIG_INVALID", `-c ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  if (bytes === undefined) throw new ServerError("CONFIG_INVALID", `-c ${path}: there is no such file`);
  return decodeJavaProperties(bytes);
}
