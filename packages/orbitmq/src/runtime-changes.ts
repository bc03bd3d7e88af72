/**
 * Puts the configuration of a running server together: what its parts check before a change, and what they are told
 * afterwards. The only place beside settings.ts that knows both vocabularies.
 */
import type { Broker, RuntimeBrokerTuning } from "@orbitmq/broker";
import type { Host, Logger } from "@orbitmq/host";
import type { ConfigurationPort, NameServer, RuntimeNameServerOptions } from "@orbitmq/nameserver";
import { type MessageStore, type RuntimeStoreOptions, resolveStoreOptions } from "@orbitmq/store";
import { RuntimeConfiguration } from "./config/runtime-configuration.ts";
import { runtimeBrokerKeys, runtimeNamesrvKeys } from "./config/runtime-keys.ts";
import type { ConfigRole } from "./config/supported-keys.ts";
import { LazyFolderFile } from "./lazy-folder-file.ts";
import {
  brokerSettings,
  nameServerSettings,
  runtimeFilePath,
  type ServerSettings,
  storeSettings,
} from "./settings.ts";

/** The parts that run; each is told what concerns it. */
export interface RunningParts {
  readonly nameServer: NameServer | undefined;
  readonly store: MessageStore | undefined;
  readonly broker: Broker | undefined;
}

/** Reads what was changed before. */
export function runtimeConfiguration(
  host: Host,
  settings: ServerSettings,
  logger: Logger,
  parts: () => RunningParts,
): RuntimeConfiguration {
  const runtime = new RuntimeConfiguration({
    clock: host.clock,
    logger,
    base: settings.config,
    file: new LazyFolderFile(host, runtimeFilePath(settings), logger),
    check: (config) => checkSettings({ ...settings, config }),
    apply: (config, changed) => apply({ ...settings, config }, changed, parts()),
  });
  runtime.load();
  return runtime;
}

/** What only shows when values meet each other. Throws ServerError or StoreError. */
export function checkSettings(settings: ServerSettings): void {
  if (settings.role !== "broker") nameServerSettings(settings);
  if (settings.role === "namesrv") return;
  resolveStoreOptions(storeSettings(settings));
  brokerSettings(settings);
}

/** As one role's handlers see it. */
export function configurationPort(runtime: RuntimeConfiguration, role: ConfigRole): ConfigurationPort {
  return {
    text: () => runtime.text(role),
    version: () => runtime.version(),
    update: (properties, by) => runtime.update(role, properties, by),
  };
}

function apply(settings: ServerSettings, changed: readonly string[], parts: RunningParts): void {
  const { nameServer, store, broker } = parts;
  const namesrvKeys = changed.filter((key) => runtimeNamesrvKeys.includes(key));
  if (namesrvKeys.length > 0) {
    const { options } = nameServerSettings(settings);
    nameServer?.changeOptions(picked(options, namesrvKeys) as RuntimeNameServerOptions);
  }
  const brokerKeys = changed.filter((key) => runtimeBrokerKeys.includes(key));
  if (brokerKeys.length === 0) return;
  const ofStore = picked(storeSettings(settings), brokerKeys) as RuntimeStoreOptions;
  if (Object.keys(ofStore).length > 0) store?.changeOptions(ofStore);
  broker?.changeOptions(picked(brokerSettings(settings), brokerKeys) as RuntimeBrokerTuning);
}

function picked(options: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([key]) => keys.includes(key)));
}
