/**
 * What administrators keep at a NameServer by namespace and key (RocketMQ: KVConfigManager), with its file: a change
 * counts and is answered once the file holds it. Ordered topics are in ORDER_TOPIC_CONFIG.
 *
 * kvConfig.json:  {"configTable":{"<namespace>":{"<key>":"<value>"}}}
 */
import type { Logger } from "@orbitmq/host";
import { formatFastjson, parseJsonFile } from "@orbitmq/wire";

/** A small file of state that survives; what the store has for its own is one. */
export interface KeptFile {
  /** `undefined` when there is none, or none that can be read. */
  load<T>(parse: (text: string) => T): { readonly value: T } | undefined;
  /** Replaces the content; a failure is repeated by itself, too. */
  save(text: string, done: (error: Error | undefined) => void): void;
  /** No further attempt. */
  close(): void;
}

type Table = Map<string, Map<string, string>>;

export interface KvConfigLimits {
  /** Characters of all namespaces, keys and values. */
  readonly kvConfigCharactersMax: number;
}

export class KvConfig {
  #table: Table = new Map();
  #characters = 0;
  readonly #file: KeptFile | undefined;
  readonly #limits: KvConfigLimits;
  readonly #logger: Logger;

  constructor(file: KeptFile | undefined, limits: KvConfigLimits, logger: Logger) {
    this.#file = file;
    this.#limits = limits;
    this.#logger = logger;
  }

  load(): void {
    const loaded = this.#file?.load(parseKvConfig);
    if (loaded === undefined) return;
    this.#table = loaded.value;
    for (const [namespace, keys] of this.#table)
      for (const [key, value] of keys) this.#characters += namespace.length + key.length + value.length;
    this.#logger.info({ namespaces: this.#table.size }, "KV configuration read");
  }

  get(namespace: string, key: string): string | undefined {
    return this.#table.get(namespace)?.get(key);
  }

  /** `undefined` for a namespace nobody has put anything into. */
  list(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.#table.get(namespace);
  }

  /** Whether there is room for one more of this length. */
  fits(namespace: string, key: string, value: string): boolean {
    const length = namespace.length + key.length + value.length;
    return this.#characters + length <= this.#limits.kvConfigCharactersMax;
  }

  /** `done` gets why the file does not hold it; it counts all the same until the next start. */
  put(namespace: string, key: string, value: string, done: (error: Error | undefined) => void): void {
    let keys = this.#table.get(namespace);
    if (keys === undefined) {
      keys = new Map();
      this.#table.set(namespace, keys);
    }
    this.#forget(namespace, key, keys);
    keys.set(key, value);
    this.#characters += namespace.length + key.length + value.length;
    this.#save(done);
  }

  /** As `put`. What is not there is deleted already. */
  delete(namespace: string, key: string, done: (error: Error | undefined) => void): void {
    const keys = this.#table.get(namespace);
    if (keys?.has(key) !== true) {
      done(undefined);
      return;
    }
    this.#forget(namespace, key, keys);
    this.#save(done);
  }

  stop(): void {
    this.#file?.close();
  }

  #forget(namespace: string, key: string, keys: Map<string, string>): void {
    const value = keys.get(key);
    if (value === undefined) return;
    this.#characters -= namespace.length + key.length + value.length;
    keys.delete(key);
  }

  #save(done: (error: Error | undefined) => void): void {
    if (this.#file === undefined) done(undefined);
    else this.#file.save(formatFastjson({ configTable: this.#table }), done);
  }
}

/** Reads kvConfig.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseKvConfig(text: string): Table {
  const table = parseJsonFile(text, "kvConfig.json").object("configTable");
  return new Map(table.keys().map((namespace) => [namespace, table.stringMap(namespace)]));
}
