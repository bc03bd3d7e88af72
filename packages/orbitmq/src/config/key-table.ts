/**
 * All keys of one file in one table: supported, without effect, and those that stop the start. The reader of
 * configuration, `config show`, and docs/configuration.md use nothing else.
 */
import { inertKeys, inertNamesrvKeys } from "./broker-keys.ts";
import { type SafetyKey, safetyKeys } from "./safety-keys.ts";
import {
  type ConfigRole,
  type SupportedKey,
  supportedBrokerKeys,
  supportedNamesrvKeys,
} from "./supported-keys.ts";
import { type ConfigValue, decimal, flag, integer, text, type ValueKind } from "./value-kinds.ts";

/**
 * supported: has its effect. without-effect: accepted with a warning. safety: promises what is not there, and
 * stops the start when asked for.
 */
export type KeyStatus = "supported" | "without-effect" | "safety";

export interface KeyDefinition {
  readonly key: string;
  readonly status: KeyStatus;
  readonly kind: ValueKind;
  /** Ours for supported keys; RocketMQ's for the others. Empty: none. */
  readonly default: string;
  readonly description: string;
  readonly rocketmqDefault?: string | undefined;
  readonly own?: boolean;
  /** For safety keys: whether a value promises nothing. */
  readonly harmless?: (value: ConfigValue) => boolean;
}

const inertKinds: Readonly<Record<string, ValueKind>> = {
  flag,
  int: integer(-9_007_199_254_740_991, 9_007_199_254_740_991),
  decimal,
  text,
};

const supported = (key: SupportedKey): KeyDefinition => ({ ...key, status: "supported" });

const safety = (key: SafetyKey): KeyDefinition => {
  const harmless = key.kind.parse(key.default);
  return {
    key: key.key,
    status: "safety",
    kind: key.kind,
    default: key.default,
    description: key.promise,
    harmless: key.harmless ?? ((value) => value === harmless),
  };
};

function inert(groups: Readonly<Record<string, string>>): KeyDefinition[] {
  return Object.entries(groups).flatMap(([description, lines]) =>
    lines
      .trim()
      .split("\n")
      .map((line): KeyDefinition => {
        const [key, kind, ...fallback] = line.trim().split(" ");
        const shown = fallback.join(" ");
        return {
          key: key!,
          status: "without-effect",
          kind: inertKinds[kind!]!,
          default: shown === "-" ? "" : shown,
          description,
        };
      }),
  );
}

export type KeyTable = ReadonlyMap<string, KeyDefinition>;

const build = (keys: KeyDefinition[]): KeyTable => new Map(keys.map((key) => [key.key, key]));

const tables: { [Role in ConfigRole]?: KeyTable } = {};

/** Built on first use: most of it only matters when a file is read. */
export function keyTable(role: ConfigRole): KeyTable {
  tables[role] ??=
    role === "broker"
      ? build([...inert(inertKeys), ...safetyKeys.map(safety), ...supportedBrokerKeys.map(supported)])
      : build([
          ...inert(inertNamesrvKeys),
          ...safetyKeys.map(safety),
          ...supportedNamesrvKeys.map(supported),
        ]);
  return tables[role];
}

/** Values of these are never shown, whether the key is known or not. */
export function isSecret(key: string): boolean {
  return /password|secret|token|credential|accesskey|initAuthenticationUser|ExporterHeader/i.test(key);
}

/** The known key nearest to a mistyped one; `undefined` when none is near. */
export function nearestKey(table: KeyTable, unknown: string): string | undefined {
  const wanted = unknown.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(unknown.length / 4)) + 1;
  for (const key of table.keys()) {
    const distance = editDistance(wanted, key.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [key, distance];
  }
  return best;
}

/** Levenshtein distance, or `limit` when it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(
        previous[j]! + 1,
        row[j - 1]! + 1,
        previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    previous = row;
  }
  return Math.min(previous[b.length]!, limit);
}
