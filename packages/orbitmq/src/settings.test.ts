import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Configuration, resolveConfiguration } from "./config/configuration.ts";
import { type ConfigRole, supportedBrokerKeys, supportedNamesrvKeys } from "./config/supported-keys.ts";
import { observingSettings } from "./observing/observing-settings.ts";
import { ServerError } from "./server-error.ts";
import { brokerSettings, nameServerSettings, type ServerRole, storeSettings } from "./settings.ts";

const settings = (role: ServerRole, config: Configuration) => ({
  role,
  config,
  store: "disk" as const,
  existing: false,
  unsafeNoLock: false,
});

/** A configuration that remembers which keys were asked for. */
function watched(role: ConfigRole, options: readonly string[] = []) {
  const config = resolveConfiguration({ role, options });
  const asked = new Set<string>();
  const watch =
    <T>(read: (key: string) => T) =>
    (key: string): T => {
      asked.add(key);
      return read(key);
    };
  return {
    asked,
    config: {
      ...config,
      text: watch(config.text),
      number: watch(config.number),
      flag: watch(config.flag),
      sourceOf: watch(config.sourceOf),
    },
  };
}

describe("settings", () => {
  it("give every supported key of broker.conf to the part it is for", () => {
    const { asked, config } = watched("broker");
    nameServerSettings(settings("server", config));
    storeSettings(settings("server", config));
    brokerSettings(settings("server", config));
    observingSettings(config);
    assert.deepEqual([...asked].sort(), supportedBrokerKeys.map(({ key }) => key).sort());
  });

  it("give every supported key of namesrv.conf to the NameServer", () => {
    const { asked, config } = watched("namesrv");
    nameServerSettings(settings("namesrv", config));
    observingSettings(config);
    assert.deepEqual([...asked].sort(), supportedNamesrvKeys.map(({ key }) => key).sort());
  });

  it("take the VIP listener off with port 0 and refuse any other port than the broker's − 2", () => {
    const vip = (...options: string[]) =>
      brokerSettings(settings("server", resolveConfiguration({ role: "broker", options }))).vipListener;
    assert.equal(vip(), true);
    assert.equal(vip("vipListenPort=0"), false);
    assert.equal(vip("vipListenPort=10909"), true);
    assert.throws(
      () => vip("vipListenPort=10900"),
      (error) => error instanceof ServerError && error.code === "CONFIG_INVALID",
    );
  });

  it("keep nothing but the store itself when the store is in memory", () => {
    const config = resolveConfiguration({ role: "broker" });
    assert.equal(brokerSettings({ ...settings("server", config), store: "memory" }).configFolder, undefined);
    assert.equal(brokerSettings(settings("server", config)).configFolder, "./data/config");
  });
});
