import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type Logger, silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import {
  type ExtSink,
  formatAddress,
  PullSysFlag,
  parseRegisterBrokerBody,
  RequestCode,
  RpcClient,
  RpcServer,
  WireError,
} from "@orbitmq/wire";
import { Broker } from "./broker.ts";
import { BrokerError } from "./broker-error.ts";
import type { BrokerOptions } from "./broker-options.ts";
import { MemoryStore } from "./testing/memory-store.ts";
import { frameOf, golden, RawConnection } from "./testing/raw-connection.ts";

const host = nodeHost();
const local = { host: "127.0.0.1", port: 0 };
const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

function newStore(): MemoryStore {
  return new MemoryStore((fn) => host.timers.afterTurn(fn));
}

/** A started broker that is stopped after the tests. */
async function started(options: Partial<BrokerOptions> = {}, logger: Logger = silentLogger) {
  const store = newStore();
  const broker = new Broker(
    host,
    { store, listen: local, namesrvAddrs: [], vipListener: false, ...options },
    logger,
  );
  await broker.start();
  cleanUps.push(() => broker.stop(1_000));
  return { broker, store };
}

/** A NameServer that keeps what brokers tell it. */
async function nameServer(): Promise<{
  address: string;
  told: { code: number; topics: string[] }[];
  stop: () => Promise<void>;
}> {
  const server = new RpcServer(host);
  const told: { code: number; topics: string[] }[] = [];
  server.handle(RequestCode.REGISTER_BROKER, (request, exchange) => {
    const { topicConfigTable } = parseRegisterBrokerBody(request.body).topicConfigSerializeWrapper;
    told.push({ code: request.code, topics: [...topicConfigTable.keys()] });
    exchange.reply({ code: 0 });
  });
  server.handle(RequestCode.UNREGISTER_BROKER, (request, exchange) => {
    told.push({ code: request.code, topics: [] });
    exchange.reply({ code: 0 });
  });
  const address = await new Promise<string>((resolve, reject) =>
    server.listen(local, (error, listener) =>
      listener === undefined ? reject(error) : resolve(formatAddress(listener.local)),
    ),
  );
  const stop = () => new Promise<void>((resolve) => server.stop(1_000, () => resolve()));
  cleanUps.push(stop);
  return { address, told, stop };
}

class Client {
  readonly #rpc = new RpcClient(host);
  readonly #address: string;

  constructor(broker: Broker) {
    this.#address = broker.address;
    cleanUps.push(() => this.#rpc.stop());
  }

  ask(
    code: number,
    ext: Record<string, string | number> = {},
    body?: string,
  ): Promise<{ code: number; ext: Map<string, string> }> {
    return new Promise((resolve, reject) =>
      this.#rpc.request(
        this.#address,
        {
          code,
          header: (sink: ExtSink) => {
            for (const [name, value] of Object.entries(ext)) sink.put(name, String(value));
          },
          body: body === undefined ? undefined : [Buffer.from(body)],
        },
        10_000,
        (error, response) => {
          if (response === undefined) {
            reject(error);
            return;
          }
          const fields = new Map<string, string>();
          response.ext.forEach((name, value) => void fields.set(name, value));
          resolve({ code: response.code, ext: fields });
        },
      ),
    );
  }

  send(topic: string, body = "hello") {
    const ext = { a: "p", b: topic, c: "TBW102", d: 4, e: 0, f: 0, g: 1, h: 0 };
    return this.ask(RequestCode.SEND_MESSAGE_V2, ext, body);
  }

  pull(topic: string, fields: Record<string, string | number> = {}) {
    return this.ask(RequestCode.PULL_MESSAGE, {
      consumerGroup: "g",
      topic,
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: PullSysFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 15_000,
      subVersion: 0,
      ...fields,
    });
  }
}

describe("Broker", () => {
  for (const setUp of [
    "client-5.5.0-json",
    "client-5.5.0-rocketmq",
    "client-4.9.8-json",
    "client-4.9.8-rocketmq",
  ]) {
    it(`answers a Java client with the Java broker's codes and fields (${setUp})`, async () => {
      const { broker } = await started();
      const connection = new RawConnection(broker.local.port);
      cleanUps.push(() => connection.close());
      for (const name of [
        "17-update-and-create-topic",
        "34-heart-beat-producer",
        "310-send-message-v2",
        "320-send-batch-message",
        "10-send-message",
        "310-send-message-v2-bare-refused-29",
        "200-update-and-create-subscriptiongroup",
        "34-heart-beat-consumer",
        "14-query-consumer-offset",
        "15-update-consumer-offset",
        "11-pull-message-with-subscription-found",
        "30-get-max-offset",
        "31-get-min-offset",
        "29-search-offset-by-timestamp",
        "202-get-topic-stats-info",
        "21-get-all-topic-config",
        "28-get-broker-runtime-info",
        "35-unregister-client-consumer",
        "35-unregister-client-producer",
      ]) {
        const answer = await connection.ask(golden(`${setUp}/${name}.request`));
        const java = frameOf(golden(`${setUp}/${name}.response`));
        assert.equal(answer.code, java.code, `${name}: ${answer.remark}`);
        if (java.code !== 0) continue;
        for (const field of Object.keys(java.ext)) {
          assert.ok(field in answer.ext, `${name}: the answer lacks ${field}`);
        }
        assert.equal(answer.body.length > 0, java.body.length > 0, name);
      }
    });
  }

  it("describes one topic byte for byte as the Java broker does", async () => {
    const { broker } = await started();
    const connection = new RawConnection(broker.local.port);
    cleanUps.push(() => connection.close());
    await connection.ask(golden("client-5.5.0-json/17-update-and-create-topic.request"));
    const answer = await connection.ask(golden("client-5.5.0-json/351-get-topic-config.request"));
    const java = frameOf(golden("client-5.5.0-json/351-get-topic-config.response"));
    assert.equal(answer.body.toString(), java.body.toString());
  });

  it("answers 3 to a request it does not know", async () => {
    const { broker } = await started();
    assert.equal((await new Client(broker).ask(9_999)).code, 3);
  });

  it("hands a message that arrives to a consumer that waits on another connection", async () => {
    const { broker } = await started();
    const [producer, consumer] = [new Client(broker), new Client(broker)];
    await producer.send("orders", "first");
    const sysFlag = PullSysFlag.SUBSCRIPTION | PullSysFlag.SUSPEND;
    const waiting = consumer.pull("orders", { queueOffset: 1, sysFlag });
    // The pull is parked before the second send is taken: both travel in order through one event loop.
    await consumer.ask(RequestCode.GET_MAX_OFFSET, { topic: "orders", queueId: 0 });
    await producer.send("orders", "second");
    const answer = await waiting;
    assert.deepEqual([answer.code, answer.ext.get("nextBeginOffset")], [0, "2"]);
  });

  it("registers with every NameServer that is up, at once with new topics, and unregisters when it stops", async () => {
    const [one, two, away] = await Promise.all([nameServer(), nameServer(), nameServer()]);
    await away.stop();
    const { broker } = await started({ namesrvAddrs: [away.address, one.address, two.address] });
    await broker.whenRegistered();
    const client = new Client(broker);
    const created = await client.ask(RequestCode.UPDATE_AND_CREATE_TOPIC, {
      topic: "orders",
      defaultTopic: "TBW102",
      readQueueNums: 4,
      writeQueueNums: 4,
      perm: 6,
      topicFilterType: "SINGLE_TAG",
    });
    assert.equal(created.code, 0);
    for (const { told } of [one, two]) {
      assert.equal(told[0]?.code, RequestCode.REGISTER_BROKER);
      assert.ok(told[0]?.topics.includes("TBW102"));
      assert.ok(told.at(-1)?.topics.includes("orders"), "the route is there when the answer is");
    }
    assert.deepEqual(await broker.stop(5_000), { left: 0, unsaved: [] });
    for (const { told } of [one, two]) assert.equal(told.at(-1)?.code, RequestCode.UNREGISTER_BROKER);
  });

  it("answers parked pulls with 19 and what is in flight with its outcome when it stops", async () => {
    const { broker, store } = await started();
    const client = new Client(broker);
    await client.send("orders");
    const parked = client.pull("orders", {
      queueOffset: 1,
      sysFlag: PullSysFlag.SUBSCRIPTION | PullSysFlag.SUSPEND,
    });
    store.autoFlush = false;
    const sending = client.send("orders", "slow");
    await client.ask(RequestCode.GET_MAX_OFFSET, { topic: "orders", queueId: 0 });
    const stopping = broker.stop(5_000);
    assert.equal((await parked).code, 19);
    store.flush();
    assert.equal((await sending).code, 0);
    assert.deepEqual(await stopping, { left: 0, unsaved: [] });
    await assert.rejects(client.send("orders"), WireError);
  });

  it("tells how many requests it left unanswered when its time was over", async () => {
    const { broker, store } = await started();
    const client = new Client(broker);
    await client.send("orders");
    store.autoFlush = false;
    const sending = client.send("orders", "never flushed").catch((error: unknown) => error);
    await client.ask(RequestCode.GET_MAX_OFFSET, { topic: "orders", queueId: 0 });
    assert.equal((await broker.stop(50)).left, 1);
    assert.ok((await sending) instanceof WireError);
  });

  it("keeps topics, groups and offsets from one start to the next, and takes the backup of a torn file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "orbitmq-broker-"));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const store = newStore();
    const first = new Broker(host, {
      store,
      listen: local,
      namesrvAddrs: [],
      configFolder: folder,
      vipListener: false,
    });
    await first.start();
    const client = new Client(first);
    await client.send("orders");
    await client.send("payments");
    await client.pull("orders", {
      sysFlag: PullSysFlag.SUBSCRIPTION | PullSysFlag.COMMIT_OFFSET,
      commitOffset: 1,
    });
    assert.deepEqual(await first.stop(5_000), { left: 0, unsaved: [] });
    for (const file of ["topics.json", "subscriptionGroup.json", "consumerOffset.json"]) {
      assert.match(readFileSync(join(folder, file), "utf8"), /^\{\n\t"dataVersion":\{\n\t\t"counter":/, file);
    }
    writeFileSync(join(folder, "topics.json"), "{ torn");
    const { broker } = await started({ store, configFolder: folder, autoCreateTopicEnable: false });
    const again = new Client(broker);
    assert.equal((await again.send("orders")).code, 0);
    const offset = await again.ask(RequestCode.QUERY_CONSUMER_OFFSET, {
      consumerGroup: "g",
      topic: "orders",
      queueId: 0,
    });
    assert.equal(offset.ext.get("offset"), "1");
  });

  it("listens a second time two ports below, and only warns when that port is taken", async () => {
    const { broker } = await started({ vipListener: true });
    if (broker.vip !== undefined) assert.equal(broker.vip.port, broker.local.port - 2);
    const taken = new RpcServer(host);
    cleanUps.push(() => new Promise<void>((resolve) => taken.stop(100, () => resolve())));
    const port = await new Promise<number>((resolve, reject) =>
      taken.listen(local, (error, listener) =>
        listener === undefined ? reject(error) : resolve(listener.local.port),
      ),
    );
    const warned: unknown[] = [];
    const logger = { ...silentLogger, warn: (about: object | string) => void warned.push(about) };
    const at = { listen: { host: "127.0.0.1", port: port + 2 }, vipListener: true };
    const other = await started(at, logger).catch((error: unknown) => error);
    // Port + 2 may be somebody's; then there is nothing to see here.
    if (!(other instanceof Error)) assert.equal(warned.length, 1);
  });

  it("tells clients the name it is given and carries the address behind it", async () => {
    const { broker } = await started({ brokerIP1: "localhost", advertisedPort: 20_911 });
    assert.equal(broker.address, "localhost:20911");
    assert.equal(broker.local.host, "127.0.0.1");
  });

  it("can be stopped before it is started, while it starts, and after it could not start", async () => {
    const options = { store: newStore(), listen: local, namesrvAddrs: [], vipListener: false };
    const never = new Broker(host, options);
    assert.deepEqual(await never.stop(1_000), { left: 0, unsaved: [] });
    await assert.rejects(never.start(), { code: "STATE" });
    const hasty = new Broker(host, options);
    const starting = hasty.start().catch((error: unknown) => error);
    assert.deepEqual(await hasty.stop(1_000), { left: 0, unsaved: [] });
    assert.ok((await starting) instanceof Error);
    const { broker } = await started();
    const refused = new Broker(host, { ...options, listen: broker.local });
    await assert.rejects(refused.start(), { code: "EADDRINUSE" });
    assert.deepEqual(await refused.stop(1_000), { left: 0, unsaved: [] });
  });

  it("does not start on a store that is not running, with a bad option, or twice", async () => {
    const store = newStore();
    store.state = "failed";
    const options = { store, listen: local, namesrvAddrs: [] };
    await assert.rejects(new Broker(host, options).start(), { code: "STORE_NOT_RUNNING" });
    assert.throws(() => new Broker(host, { ...options, maxMessageSize: -1 }), BrokerError);
    const { broker } = await started();
    await assert.rejects(broker.start(), { code: "STATE" });
    const taken = { ...options, store: newStore(), listen: broker.local };
    await assert.rejects(new Broker(host, taken).start(), { code: "EADDRINUSE" });
  });
});
