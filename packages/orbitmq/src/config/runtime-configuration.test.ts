/** Configuration that is changed while a server runs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { checkSettings } from "../runtime-changes.ts";
import { resolveConfiguration } from "./configuration.ts";
import { overlay, RuntimeConfiguration } from "./runtime-configuration.ts";
import { runtimeBrokerKeys, runtimeNamesrvKeys } from "./runtime-keys.ts";
import { type ConfigRole, supportedBrokerKeys, supportedNamesrvKeys } from "./supported-keys.ts";

class Room {
  text: string | undefined;
  failure: Error | undefined;
  readonly warnings: string[] = [];
  readonly applied: (readonly string[])[] = [];

  open(options: readonly string[] = [], role: ConfigRole = "broker"): RuntimeConfiguration {
    const warn = (first: object | string, message?: string) =>
      void this.warnings.push(message ?? String(first));
    const runtime = new RuntimeConfiguration({
      clock: { wallMs: () => 5, monotonicMs: () => 5 },
      logger: { ...silentLogger, warn },
      base: resolveConfiguration({ role, options }),
      file: {
        path: "config/orbitmq-config.json",
        load: (parse) => (this.text === undefined ? undefined : { value: parse(this.text) }),
        saveSync: (text) => {
          if (this.failure !== undefined) throw this.failure;
          this.text = text;
        },
      },
      check: (config) =>
        checkSettings({
          role: role === "broker" ? "server" : "namesrv",
          ...{ config, store: "disk", existing: false, unsafeNoLock: false },
        }),
      apply: (_config, changed) => void this.applied.push(changed),
    });
    runtime.load();
    return runtime;
  }
}

const update = (runtime: RuntimeConfiguration, text: string, role: ConfigRole = "broker") =>
  runtime.update(role, Buffer.from(text), "10.0.0.9:1");

describe("configuration of a running server", () => {
  it("changes, is told with a new version, and is there after a restart", () => {
    const room = new Room();
    const runtime = room.open();
    const before = runtime.version();
    assert.equal(update(runtime, "maxMessageSize=1000\nfileReservedTime = 96\n"), undefined);
    assert.deepEqual(room.applied, [["maxMessageSize", "fileReservedTime"]]);
    assert.match(runtime.text("broker"), /^maxMessageSize=1000$/m);
    assert.notEqual(runtime.version(), before);
    const again = room.open();
    assert.deepEqual(
      [again.config.number("maxMessageSize"), again.config.number("fileReservedTime"), again.version()],
      [1000, 96, runtime.version()],
    );
    const { source, where } = again.config.sourceOf("maxMessageSize");
    assert.deepEqual([source, where], ["runtime", "config/orbitmq-config.json"]);
    assert.equal(again.config.sourceOf("brokerName").source, "default");
    assert.equal(update(again, "maxMessageSize=4194304"), undefined);
    assert.equal(again.config.sourceOf("maxMessageSize").source, "default");
  });

  it("is refused by name and reason, and nothing is changed then", () => {
    const room = new Room();
    const runtime = room.open();
    for (const [text, code, remark] of [
      ["maxMessageSize=10\nlistenPort=1", 29, /nothing was changed: listenPort cannot be changed while/],
      ["maxMessageSize=10\nmaxMesageSize=1", 29, /maxMesageSize is no key of the broker; did you mean maxM/],
      ["maxMessageSize=many", 29, /maxMessageSize = "many": expected a whole number/],
      ["deleteWhen=25", 29, /deleteWhen = "25": expected an hour/],
      ["fileReservedTime=1", 29, /fileReservedTime can only be raised/],
      ["sendMessageThreadPoolNums=9", 29, /sizes Java's thread pools/],
      ["orderMessageEnable=true", 29, /orderMessageEnable is no key of the broker/],
      ["brokerConfigPath=/x", 16, /black list/],
      ["maxMessageSize=10\nconfigBlackList=", 16, /black list/],
      ["a=\\u00", 29, /four hexadecimal digits/],
    ] as const) {
      const problem = update(runtime, text);
      assert.equal(problem?.code, code, text);
      assert.match(problem?.remark ?? "", remark);
    }
    room.failure = new Error("EROFS");
    assert.match(update(runtime, "maxMessageSize=10")?.remark ?? "", /nothing was changed: .* EROFS/);
    assert.deepEqual(
      [room.applied, room.text, runtime.config.number("maxMessageSize")],
      [[], undefined, 4_194_304],
    );
  });

  it("takes back what it told, whole", () => {
    const room = new Room();
    const runtime = room.open(["brokerName=b", "messageDelayLevel=1s 5s"]);
    assert.equal(update(runtime, runtime.text("broker")), undefined);
    const ofNameServer = runtime.text("namesrv").replace(/^kvConfigPath.*\n/m, "");
    assert.equal(update(runtime, ofNameServer, "namesrv"), undefined);
    assert.deepEqual(room.applied, []);
  });

  it("leaves the last word to whoever changes the configuration by hand afterwards", () => {
    const room = new Room();
    update(room.open(["maxMessageSize=2000"]), "maxMessageSize=1000\ntransactionCheckMax=3");
    assert.equal(room.open(["maxMessageSize=2000"]).config.number("maxMessageSize"), 1000);
    const changed = room.open(["maxMessageSize=3000"]).config;
    assert.deepEqual([changed.number("maxMessageSize"), changed.number("transactionCheckMax")], [3000, 3]);
    assert.match(
      room.warnings.join(),
      /maxMessageSize was changed to 1000 over 2000; since then -o says 3000/,
    );
    assert.equal(
      overlay(resolveConfiguration({ role: "broker" }), room.text!, "f").number("transactionCheckMax"),
      3,
    );
  });

  it("never stops a start with what was kept", () => {
    const room = new Room();
    update(room.open(), "maxMessageSize=1000");
    const values = [
      ["maxMessageSize", "-7", "4194304"],
      ["listenPort", "1", "10911"],
      ["nothing", "1", "1"],
    ];
    room.text = JSON.stringify({ ...JSON.parse(room.text!), values });
    const { config } = room.open();
    assert.deepEqual([config.number("maxMessageSize"), config.number("listenPort")], [4_194_304, 10_911]);
    assert.equal(room.warnings.length, 3);
  });

  it("is a NameServer's, too", () => {
    const room = new Room();
    const runtime = room.open([], "namesrv");
    assert.match(runtime.text("namesrv"), /^enableTopicList=true$/m);
    assert.equal(update(runtime, "orderMessageEnable=true", "namesrv"), undefined);
    assert.deepEqual(room.applied, [["orderMessageEnable"]]);
    assert.equal(update(runtime, "listenPort=1", "namesrv")?.code, 29);
    assert.equal(update(runtime, "kvConfigPath=/x", "namesrv")?.code, 16);
  });

  it("has no key that is not there", () => {
    const known = (keys: readonly { readonly key: string }[]) => keys.map(({ key }) => key);
    for (const key of runtimeBrokerKeys) assert.ok(known(supportedBrokerKeys).includes(key), key);
    for (const key of runtimeNamesrvKeys) {
      assert.ok(known(supportedBrokerKeys).includes(key), key);
      assert.ok(known(supportedNamesrvKeys).includes(key), key);
    }
  });
});
