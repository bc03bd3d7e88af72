import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServerError } from "../server-error.ts";
import { type ConfigInput, resolveConfiguration } from "./configuration.ts";
import { keyTable } from "./key-table.ts";

const resolve = (input: Partial<ConfigInput> = {}) => resolveConfiguration({ role: "broker", ...input });
const file = (text: string) => ({ name: "broker.conf", text });

function problems(input: Partial<ConfigInput>): string[] {
  try {
    resolve(input);
  } catch (error) {
    assert.ok(error instanceof ServerError);
    assert.equal(error.code, "CONFIG_INVALID");
    return error.message.split("\n");
  }
  assert.fail("expected the configuration to be refused");
}

describe("configuration", () => {
  it("prefers flag over -o over environment over file over default, and says where a value came from", () => {
    const sources = {
      file: file("listenPort=1\nbrokerName=file\nflushDiskType=ASYNC_FLUSH\nregionId=file"),
      environment: {
        ORBITMQ_LISTEN_PORT: "2",
        ORBITMQ_BROKERNAME: "environment",
        ORBITMQ_flushDiskType: "SYNC_FLUSH",
      },
      options: ["listenPort=3", "brokerName=option"],
      flags: [{ flag: "--broker-port", key: "listenPort", value: "4" }],
    };
    const config = resolve(sources);
    const seen = (key: string) => {
      const { value, source, where } = config.sourceOf(key);
      return [value, source, where];
    };
    assert.deepEqual(seen("listenPort"), [4, "flag", "--broker-port"]);
    assert.deepEqual(seen("brokerName"), ["option", "-o", "-o"]);
    assert.deepEqual(seen("flushDiskType"), ["SYNC_FLUSH", "environment", "ORBITMQ_flushDiskType"]);
    assert.deepEqual(seen("regionId"), ["file", "file", "broker.conf:4"]);
    assert.deepEqual(seen("brokerClusterName"), ["DefaultCluster", "default", "default"]);
    assert.deepEqual(config.warnings, []);
  });

  it("syncs to disk before it acknowledges unless told otherwise", () => {
    assert.equal(resolve().text("flushDiskType"), "SYNC_FLUSH");
  });

  it("takes NAMESRV_ADDR from the environment, and ORBITMQ_NAMESRV_ADDR over it", () => {
    const both = { NAMESRV_ADDR: "a:1", ORBITMQ_NAMESRV_ADDR: "b:2;c:3" };
    assert.equal(resolve({ environment: { NAMESRV_ADDR: "a:1" } }).text("namesrvAddr"), "a:1");
    assert.equal(resolve({ environment: both }).text("namesrvAddr"), "b:2;c:3");
    assert.equal(resolve({ environment: { NAMESRV_ADDR: "" } }).text("namesrvAddr"), "");
  });

  it("reports every wrong value at once with file, line, key and what was expected", () => {
    const found = problems({
      file: file("# x\nlistenPort = 99999\nflushDiskType=sync\nautoCreateTopicEnable=yes"),
      options: ["brokerId=1"],
      environment: { NAMESRV_ADDR: "localhost" },
    });
    assert.deepEqual(found.sort(), [
      '-o: brokerId = "1": expected 0',
      'NAMESRV_ADDR: namesrvAddr = "localhost": expected host:port, several separated by ;',
      'broker.conf:2: listenPort = "99999": expected a port from 1 to 65535, or 0 for a free one',
      'broker.conf:3: flushDiskType = "sync": expected SYNC_FLUSH or ASYNC_FLUSH',
      'broker.conf:4: autoCreateTopicEnable = "yes": expected true or false',
    ]);
  });

  it("refuses a wrong value in the file even when a flag overrides it", () => {
    const flags = [{ flag: "--broker-port", key: "listenPort", value: "1" }];
    assert.equal(problems({ file: file("listenPort=x"), flags }).length, 1);
  });

  it("names an unknown key with the nearest known one and goes on", () => {
    const config = resolve({ file: file("flushDiskTyp=SYNC_FLUSH\nquux=1"), options: ["BrokerName=x"] });
    assert.deepEqual(config.warnings, [
      "broker.conf:1: unknown key flushDiskTyp; did you mean flushDiskType?",
      "broker.conf:2: unknown key quux",
      "-o: unknown key BrokerName; did you mean brokerName?",
    ]);
  });

  it("names an unknown ORBITMQ_ variable, but not what Kubernetes injects or what is empty", () => {
    const config = resolve({
      environment: {
        ORBITMQ_BROKER_NAM: "x",
        ORBITMQ_SERVICE_HOST: "10.0.0.1",
        ORBITMQ_PORT: "tcp://10.0.0.1:9876",
        ORBITMQ_PORT_9876_TCP: "tcp://10.0.0.1:9876",
        ORBITMQ_BROKER_NAME: "",
      },
    });
    assert.deepEqual(config.warnings, ["ORBITMQ_BROKER_NAM: no such key; did you mean ORBITMQ_brokerName?"]);
    assert.equal(config.sourceOf("brokerName").source, "default");
  });

  it("refuses two variables that mean the same key", () => {
    const found = problems({ environment: { ORBITMQ_LISTENPORT: "1", ORBITMQ_LISTEN_PORT: "2" } });
    assert.match(found[0]!, /also set by/);
  });

  it("accepts RocketMQ's own broker.conf and says which keys have no effect", () => {
    const stock = `brokerClusterName = DefaultCluster
brokerName = broker-a
brokerId = 0
deleteWhen = 04
fileReservedTime = 48
brokerRole = ASYNC_MASTER
flushDiskType = ASYNC_FLUSH
diskFallRecorded = true
`;
    const config = resolve({ file: file(stock) });
    assert.equal(config.text("flushDiskType"), "ASYNC_FLUSH");
    assert.deepEqual(
      config.warnings.map((warning) => warning.replace(/:(?= one).*/, "")),
      ["broker.conf:8: diskFallRecorded has no effect"],
    );
  });

  for (const setting of [
    "aclEnable=true",
    "authenticationEnabled=TRUE",
    "authorizationEnabled=true",
    "tls.server.mode=enforcing",
    "brokerRole=SYNC_MASTER",
    "brokerRole=SLAVE",
    "enableDLegerCommitLog=true",
    "enableControllerMode=true",
    "storeType=defaultRocksDB",
    "inSyncReplicas=2",
  ]) {
    const key = setting.split("=")[0]!;

    it(`stops at ${setting}, which promises what is not there`, () => {
      const [problem, ...more] = problems({ file: file(setting) });
      assert.deepEqual(more, []);
      assert.match(problem!, /^broker\.conf:1: .* is not built yet; .*--ignore-keys/);
    });

    it(`goes on with ${setting} when --ignore-keys names it, and says so`, () => {
      const config = resolve({ file: file(setting), ignoreKeys: [key] });
      assert.equal(config.warnings.length, 1);
      assert.match(config.warnings[0]!, /is ignored as asked; there is no /);
    });
  }

  it("goes on with a safety key that promises nothing, without a warning", () => {
    const quiet = "aclEnable=false\nbrokerRole=ASYNC_MASTER\ntls.server.mode=permissive\nstoreType=default";
    assert.deepEqual(resolve({ file: file(quiet) }).warnings, []);
  });

  it("lets a stronger source take a promise back", () => {
    assert.deepEqual(resolve({ file: file("aclEnable=true"), options: ["aclEnable=false"] }).warnings, []);
  });

  it("names a key that --ignore-keys gets wrong", () => {
    assert.match(resolve({ ignoreKeys: ["aclEnabled"] }).warnings[0]!, /did you mean aclEnable\?/);
  });

  it("warns when a key is set twice in the file, and the last one counts", () => {
    const config = resolve({ file: file("brokerName=a\nbrokerName=b") });
    assert.equal(config.text("brokerName"), "b");
    assert.match(config.warnings[0]!, /broker\.conf:2: brokerName is set again \(first in line 1\)/);
  });

  it("refuses -o without a key or without =", () => {
    assert.deepEqual(problems({ options: ["listenPort", "=1"] }), [
      "-o listenPort: expected key=value",
      "-o =1: expected key=value",
    ]);
  });

  it("reads namesrv.conf with its own keys", () => {
    const config = resolve({ role: "namesrv", file: { name: "namesrv.conf", text: "listenPort=9877" } });
    assert.equal(config.number("listenPort"), 9877);
    assert.match(resolve({ role: "namesrv", options: ["brokerName=x"] }).warnings[0]!, /unknown key/);
  });

  it("gives every default a value its own kind accepts", () => {
    for (const role of ["broker", "namesrv"] as const)
      for (const { key, kind, default: fallback, status } of keyTable(role).values())
        if (fallback !== "" && status !== "without-effect")
          assert.notEqual(kind.parse(fallback), undefined, `${key} = ${fallback}`);
  });
});
