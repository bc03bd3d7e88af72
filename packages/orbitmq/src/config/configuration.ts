/**
 * Puts the sources of configuration together: flag, `-o`, environment, file, default, in this order; above them stands
 * what was changed while the server ran (runtime-configuration.ts). Every value keeps where it came from, every wrong one is reported (all of them at once), and what has no effect is said.
 */
import { ServerError } from "../server-error.ts";
import { isSecret, type KeyDefinition, type KeyTable, keyTable, nearestKey } from "./key-table.ts";
import { type PropertyEntry, parseProperties } from "./properties.ts";
import type { ConfigRole } from "./supported-keys.ts";
import type { ConfigValue } from "./value-kinds.ts";

export type ConfigSource = "runtime" | "flag" | "-o" | "environment" | "file" | "default";

export interface EffectiveValue {
  readonly key: string;
  readonly value: ConfigValue;
  readonly source: ConfigSource;
  /** As a user can find it: `--broker-port`, `-o`, `ORBITMQ_LISTENPORT`, `broker.conf:12`, `default`. */
  readonly where: string;
  readonly definition: KeyDefinition;
}

export interface ConfigInput {
  readonly role: ConfigRole;
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** `key=value` texts of -o. */
  readonly options?: readonly string[];
  /** Flags that stand for keys. */
  readonly flags?: readonly FlagValue[];
  /** Keys of --ignore-keys: left out wherever they are set. */
  readonly ignoreKeys?: readonly string[];
}

export interface FlagValue {
  readonly flag: string;
  readonly key: string;
  readonly value: string;
}

export interface Configuration {
  readonly role: ConfigRole;
  /** Supported keys in the table's order, then the other known keys that somebody set. */
  readonly values: readonly EffectiveValue[];
  readonly warnings: readonly string[];
  text(key: string): string;
  number(key: string): number;
  flag(key: string): boolean;
  sourceOf(key: string): EffectiveValue;
}

interface Setting {
  readonly key: string;
  readonly value: string;
  readonly source: ConfigSource;
  readonly where: string;
}

/** Rejects with CONFIG_INVALID and one line per problem. */
export function resolveConfiguration(input: ConfigInput): Configuration {
  const table = keyTable(input.role);
  const problems: string[] = [];
  const warnings: string[] = [];
  const ignored = new Set(input.ignoreKeys);
  for (const key of ignored) if (!table.has(key)) warnings.push(`--ignore-keys: ${unknownKey(table, key)}`);

  // Weakest first, so that a later one replaces an earlier one.
  const settings: Setting[] = [
    ...fromFile(input, warnings),
    ...fromEnvironment(table, input.environment ?? {}, warnings, problems),
    ...fromOptions(input.options ?? [], problems),
    ...(input.flags ?? []).map(
      ({ flag, key, value }): Setting => ({ key, value, source: "flag", where: flag }),
    ),
  ];

  const effective = new Map<string, EffectiveValue>();
  for (const setting of settings) {
    const definition = table.get(setting.key);
    if (ignored.has(setting.key)) {
      const lost = definition?.status === "safety" ? `; there is no ${definition.description}` : "";
      warnings.push(`${setting.where}: ${setting.key} is ignored as asked${lost}`);
    } else if (definition === undefined) {
      warnings.push(`${setting.where}: ${unknownKey(table, setting.key)}`);
    } else {
      const emptied = setting.value === "" && definition.default === "";
      const value = emptied ? "" : definition.kind.parse(setting.value);
      if (value === undefined) {
        const shown = isSecret(setting.key) ? "(not shown)" : `"${setting.value}"`;
        problems.push(`${setting.where}: ${setting.key} = ${shown}: expected ${definition.kind.expected}`);
      } else {
        effective.set(setting.key, { ...setting, value, definition });
      }
    }
  }

  const values: EffectiveValue[] = [];
  for (const definition of table.values()) {
    const set = effective.get(definition.key);
    if (definition.status === "supported")
      values.push(
        set ?? {
          key: definition.key,
          value: definition.default === "" ? "" : definition.kind.parse(definition.default)!,
          source: "default",
          where: "default",
          definition,
        },
      );
    if (set === undefined || definition.status === "supported") continue;
    if (definition.status === "without-effect") {
      values.push(set);
      warnings.push(`${set.where}: ${set.key} has no effect: ${definition.description}`);
    } else if (definition.harmless?.(set.value)) {
      values.push(set);
    } else {
      problems.push(
        `${set.where}: ${set.key} = ${set.value}: expected ${definition.default}, because ${definition.description} is not built yet; remove it, or run without that promise by --ignore-keys ${set.key}`,
      );
    }
  }
  if (problems.length > 0) throw new ServerError("CONFIG_INVALID", problems.join("\n"));
  return configuration(input.role, values, warnings);
}

/** `base` with other values of some keys. */
export function withValues(
  base: Configuration,
  replaced: ReadonlyMap<string, EffectiveValue>,
): Configuration {
  const values = base.values.map((value) => replaced.get(value.key) ?? value);
  return configuration(base.role, values, base.warnings);
}

function configuration(
  role: ConfigRole,
  values: readonly EffectiveValue[],
  warnings: readonly string[],
): Configuration {
  const byKey = new Map(values.map((value) => [value.key, value]));
  const sourceOf = (key: string): EffectiveValue => {
    const found = byKey.get(key);
    if (found === undefined) throw new ServerError("INTERNAL", `no configuration key ${key}`);
    return found;
  };
  return {
    role,
    values,
    warnings,
    sourceOf,
    text: (key) => String(sourceOf(key).value),
    number: (key) => Number(sourceOf(key).value),
    flag: (key) => sourceOf(key).value === true,
  };
}

function unknownKey(table: KeyTable, key: string): string {
  const near = nearestKey(table, key);
  return `unknown key ${key}${near === undefined ? "" : `; did you mean ${near}?`}`;
}

function fromFile({ file }: ConfigInput, warnings: string[]): Setting[] {
  if (file === undefined) return [];
  const seen = new Map<string, PropertyEntry>();
  for (const entry of parseProperties(file.text, file.name)) {
    const earlier = seen.get(entry.key);
    if (earlier !== undefined)
      warnings.push(
        `${file.name}:${entry.line}: ${entry.key} is set again (first in line ${earlier.line}); this one counts`,
      );
    seen.set(entry.key, entry);
  }
  return [...seen.values()].map(
    ({ key, value, line }): Setting => ({ key, value, source: "file", where: `${file.name}:${line}` }),
  );
}

/** What Kubernetes injects for a Service called "orbitmq", which nobody wrote as configuration. */
const SERVICE_LINK = /^ORBITMQ_(SERVICE_|PORT$|PORT_\d)/;

const plain = (name: string): string => name.replace(/[_.]/g, "").toLowerCase();

/** `ORBITMQ_<KEY>`: case and underscores do not matter (ORBITMQ_FLUSH_DISK_TYPE is flushDiskType). */
function fromEnvironment(
  table: KeyTable,
  environment: Readonly<Record<string, string | undefined>>,
  warnings: string[],
  problems: string[],
): Setting[] {
  const settings: Setting[] = [];
  const address = environment["NAMESRV_ADDR"];
  if (address !== undefined && address !== "" && table.has("namesrvAddr"))
    settings.push({ key: "namesrvAddr", value: address, source: "environment", where: "NAMESRV_ADDR" });
  const names = Object.keys(environment).filter(
    (name) => name.startsWith("ORBITMQ_") && environment[name]?.trim() !== "" && !SERVICE_LINK.test(name),
  );
  if (names.length === 0) return settings;
  const keys = new Map([...table.keys()].map((key) => [plain(key), key]));
  const taken = new Map<string, string>();
  for (const name of names.sort()) {
    const key = keys.get(plain(name.slice("ORBITMQ_".length)));
    if (key === undefined) {
      const near = nearestKey(table, name.slice("ORBITMQ_".length).replace(/_/g, ""));
      warnings.push(`${name}: no such key${near === undefined ? "" : `; did you mean ORBITMQ_${near}?`}`);
      continue;
    }
    const other = taken.get(key);
    if (other !== undefined) problems.push(`${name}: ${key} is also set by ${other}; expected one of them`);
    taken.set(key, name);
    settings.push({ key, value: (environment[name] ?? "").trim(), source: "environment", where: name });
  }
  return settings;
}

function fromOptions(options: readonly string[], problems: string[]): Setting[] {
  return options.flatMap((option): Setting[] => {
    const at = option.indexOf("=");
    if (at < 1) {
      problems.push(`-o ${option}: expected key=value`);
      return [];
    }
    return [
      { key: option.slice(0, at).trim(), value: option.slice(at + 1).trim(), source: "-o", where: "-o" },
    ];
  });
}
