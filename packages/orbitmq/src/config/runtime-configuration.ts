/**
 * The configuration of a running server, as administrators see and change it (25, 26, 318, 319; RocketMQ:
 * Configuration). A change is all or nothing: it is checked as a start would check it, kept in a file of its own, and
 * only then takes effect; what a person wrote (file, flags, environment) is never rewritten.
 *
 * A kept value stands above what it was set over. When that is changed by hand afterwards, the hand has the last word:
 * the kept value is dropped at the start, and that is said. What no longer passes the checks is dropped likewise, so
 * that nothing kept here ever stops a start.
 *
 *   {"version":1,"dataVersion":{…},"values":[["<key>","<value>","<value it was set over>"],…]}
 */
import type { Clock, Logger } from "@orbitmq/host";
import {
  type DataVersion,
  decodeJavaProperties,
  formatDataVersion,
  formatJavaProperties,
  newDataVersion,
  nextDataVersion,
  parseDataVersion,
  parseJavaProperties,
  ResponseCode,
  WireError,
} from "@orbitmq/wire";
import { ServerError } from "../server-error.ts";
import { type Configuration, type EffectiveValue, withValues } from "./configuration.ts";
import { isSecret, keyTable, nearestKey } from "./key-table.ts";
import { isBlackListed, runtimeBrokerKeys, runtimeNamesrvKeys } from "./runtime-keys.ts";
import type { ConfigRole } from "./supported-keys.ts";
import type { ConfigValue } from "./value-kinds.ts";

const VERSION = 1;
const MASK = "********";

/** Where changes are kept. */
export interface KeptText {
  readonly path: string;
  load<T>(parse: (text: string) => T): { readonly value: T } | undefined;
  /** Throws HostError. */
  saveSync(text: string): void;
}

export interface RefusedChange {
  readonly code: number;
  readonly remark: string;
}

export interface RuntimeConfigurationNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** As file, flags and environment have it. */
  readonly base: Configuration;
  readonly file: KeptText;
  /** Throws ServerError or StoreError for values that do not go together. */
  readonly check: (config: Configuration) => void;
  /** Puts changed values into effect. */
  readonly apply: (config: Configuration, changed: readonly string[]) => void;
}

interface Kept {
  readonly key: string;
  readonly value: string;
  readonly over: string;
}

interface KeptState {
  readonly dataVersion: DataVersion;
  readonly values: readonly Kept[];
}

export class RuntimeConfiguration {
  readonly #needs: RuntimeConfigurationNeeds;
  #kept = new Map<string, Kept>();
  #config: Configuration;
  #dataVersion: DataVersion;

  constructor(needs: RuntimeConfigurationNeeds) {
    this.#needs = needs;
    this.#config = needs.base;
    this.#dataVersion = newDataVersion(needs.clock.wallMs());
  }

  /** What counts. */
  get config(): Configuration {
    return this.#config;
  }

  /** Reads what was changed before, at start. */
  load(): void {
    const loaded = this.#needs.file.load(parseKept);
    if (loaded === undefined) return;
    this.#dataVersion = loaded.value.dataVersion;
    const { config, kept, dropped } = withKept(this.#needs.base, loaded.value.values, this.#needs.file.path);
    for (const remark of dropped) this.#needs.logger.warn(remark);
    try {
      this.#needs.check(config);
    } catch (error) {
      // Wrong without them, too: then the start says so.
      this.#needs.check(this.#needs.base);
      this.#needs.logger.warn(
        { err: error as Error, file: this.#needs.file.path },
        "what was configured while the server ran does not go with its configuration any more, and does not count",
      );
      return;
    }
    this.#kept = new Map(kept.map((each) => [each.key, each]));
    this.#config = config;
  }

  /** The DataVersion of 26, as JSON. */
  version(): string {
    return formatDataVersion(this.#dataVersion);
  }

  /** Everything that counts for `role`, as a properties text; secrets are not shown. */
  text(role: ConfigRole): string {
    const isOwn = ownKeys(this.#config.role, role);
    const shown = this.#config.values.filter(({ key }) => isOwn(key));
    return formatJavaProperties(
      shown
        .map(({ key, value }): [string, string] => [
          key,
          isSecret(key) && value !== "" ? MASK : String(value),
        ])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }

  /** Changes what the properties text `body` says, or says why not; then nothing is changed. */
  update(role: ConfigRole, body: Uint8Array, by: string): RefusedChange | undefined {
    let wanted: Map<string, string>;
    try {
      const entries = parseJavaProperties(decodeJavaProperties(body), "body");
      wanted = new Map(entries.map(({ key, value }) => [key, value]));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { code: ResponseCode.INVALID_PARAMETER, remark: error.message };
    }
    if ([...wanted.keys()].some((key) => isBlackListed(role, key)))
      return { code: ResponseCode.NO_PERMISSION, remark: "Can not update config in black list." };
    const changes = this.#changes(role, wanted);
    if (!(changes instanceof Map)) return changes;
    if (changes.size === 0) return undefined;
    return this.#take(changes, by);
  }

  /** What differs from what counts, key by key; or why it may not. */
  #changes(role: ConfigRole, wanted: ReadonlyMap<string, string>): Map<string, ConfigValue> | RefusedChange {
    const table = keyTable(this.#config.role);
    const isOwn = ownKeys(this.#config.role, role);
    const changeable = role === "namesrv" ? runtimeNamesrvKeys : runtimeBrokerKeys;
    const problems: string[] = [];
    const changes = new Map<string, ConfigValue>();
    for (const [key, text] of wanted) {
      const definition = isOwn(key) ? table.get(key) : undefined;
      if (definition === undefined) {
        const near = nearestKey(table, key);
        problems.push(
          `${key} is no key of the ${role}${near === undefined ? "" : `; did you mean ${near}?`}`,
        );
        continue;
      }
      const value = definition.kind.parse(text.trim());
      const now = this.#config.values.find((each) => each.key === key)?.value;
      const isAsItIs = String(value ?? text) === String(now ?? definition.default) || text === MASK;
      if (isAsItIs) continue;
      if (!changeable.includes(key)) {
        const why =
          definition.status === "supported"
            ? "it counts from the next start on when it is set in the configuration file"
            : definition.description;
        problems.push(`${key} cannot be changed while the server runs: ${why}`);
      } else if (value === undefined) {
        problems.push(`${key} = "${text}": expected ${definition.kind.expected}`);
      } else if (key === "fileReservedTime" && Number(value) < Number(now)) {
        problems.push(
          `fileReservedTime can only be raised while the server runs (it is ${now}): messages that wait for a time rely on it`,
        );
      } else changes.set(key, value);
    }
    if (problems.length > 0)
      return { code: ResponseCode.INVALID_PARAMETER, remark: `nothing was changed: ${problems.join("; ")}` };
    return changes;
  }

  #take(changes: ReadonlyMap<string, ConfigValue>, by: string): RefusedChange | undefined {
    const { base, file, logger, clock, check, apply } = this.#needs;
    const kept = new Map(this.#kept);
    for (const [key, value] of changes) {
      const over = String(base.sourceOf(key).value);
      // Back to what is written by hand.
      if (String(value) === over) kept.delete(key);
      else kept.set(key, { key, value: String(value), over });
    }
    const { config } = withKept(base, [...kept.values()], file.path);
    const dataVersion = nextDataVersion(this.#dataVersion, clock.wallMs());
    try {
      check(config);
    } catch (error) {
      return { code: ResponseCode.INVALID_PARAMETER, remark: `nothing was changed: ${messageOf(error)}` };
    }
    try {
      file.saveSync(formatKept({ dataVersion, values: [...kept.values()] }));
    } catch (error) {
      const remark = `nothing was changed: ${file.path} cannot be written: ${messageOf(error)}`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    this.#kept = kept;
    this.#config = config;
    this.#dataVersion = dataVersion;
    apply(config, [...changes.keys()]);
    logger.info({ changed: Object.fromEntries(changes), by }, "the configuration was changed");
    return undefined;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Which keys of a process's configuration are the broker's, or the NameServer's; some are in both. */
function ownKeys(process: ConfigRole, role: ConfigRole): (key: string) => boolean {
  if (process === role && role === "namesrv") return () => true;
  const ofNamesrv = new Set([...runtimeNamesrvKeys, "kvConfigPath", "namesrvPort"]);
  const shared = new Set(["bindAddress", "serverChannelMaxIdleTimeSeconds"]);
  return role === "namesrv" ? (key) => ofNamesrv.has(key) || shared.has(key) : (key) => !ofNamesrv.has(key);
}

/** `base` with what is kept over it, and what does not count any more, in words. */
export function withKept(
  base: Configuration,
  values: readonly Kept[],
  path: string,
): { readonly config: Configuration; readonly kept: readonly Kept[]; readonly dropped: readonly string[] } {
  const dropped: string[] = [];
  const kept: Kept[] = [];
  const replaced = new Map<string, EffectiveValue>();
  const changeable = new Set([...runtimeBrokerKeys, ...runtimeNamesrvKeys]);
  for (const each of values) {
    const { key, value: text, over } = each;
    const before = base.values.find((known) => known.key === key);
    const value = changeable.has(key) ? before?.definition.kind.parse(text) : undefined;
    if (before === undefined || value === undefined) {
      dropped.push(`${path}: ${key} = ${text} does not count: it is no value to change while a server runs`);
    } else if (String(before.value) !== over) {
      dropped.push(
        `${path}: ${key} was changed to ${text} over ${over}; since then ${before.where} says ${before.value}, which counts`,
      );
    } else {
      kept.push(each);
      replaced.set(key, { ...before, value, source: "runtime", where: path });
    }
  }
  return { config: withValues(base, replaced), kept, dropped };
}

/** What `orbitmq config show` needs: the text of the file over a configuration. Throws ServerError for another's text. */
export function overlay(base: Configuration, text: string, path: string): Configuration {
  try {
    return withKept(base, parseKept(text).values, path).config;
  } catch (error) {
    throw new ServerError("CONFIG_INVALID", `${path}: ${messageOf(error)}`, { cause: error });
  }
}

function formatKept({ dataVersion, values }: KeptState): string {
  return JSON.stringify({
    version: VERSION,
    dataVersion,
    values: values.map(({ key, value, over }) => [key, value, over]),
  });
}

function parseKept(text: string): KeptState {
  const content = JSON.parse(text) as { version?: unknown; dataVersion?: unknown; values?: unknown };
  if (content.version !== VERSION)
    throw new Error(`it has format ${String(content.version)}, not ${VERSION}`);
  if (!Array.isArray(content.values)) throw new Error("it has no values");
  const values = (content.values as unknown[]).map((entry): Kept => {
    const [key, value, over] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof key !== "string" || typeof value !== "string" || typeof over !== "string")
      throw new Error("an entry is not a key and two values");
    return { key, value, over };
  });
  return { dataVersion: parseDataVersion(JSON.stringify(content.dataVersion ?? {})), values };
}
