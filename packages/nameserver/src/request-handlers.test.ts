/** What administrators ask of a NameServer and set there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import {
  encodeTopicRouteData,
  formatFastjson,
  newTopicConfig,
  type OutgoingResponse,
  type Peer,
  parseTopicRouteData,
  Refusal,
  RequestCode,
  SERIALIZE_JSON,
} from "@orbitmq/wire";
import { type KeptFile, KvConfig } from "./kv-config.ts";
import { type NameServerOptions, nameServerDefaults } from "./nameserver-options.ts";
import { requestHandlers } from "./request-handlers.ts";
import { RouteTable } from "./route-table.ts";

class MemoryFile implements KeptFile {
  text: string | undefined;
  failure: Error | undefined;

  load<T>(parse: (text: string) => T): { readonly value: T } | undefined {
    return this.text === undefined ? undefined : { value: parse(this.text) };
  }

  save(text: string, done: (error: Error | undefined) => void): void {
    if (this.failure === undefined) this.text = text;
    done(this.failure);
  }

  close(): void {}
}

class Room {
  readonly table = new RouteTable(nameServerDefaults);
  readonly file: MemoryFile;
  readonly #handlers: ReturnType<typeof requestHandlers>;

  constructor(tuning: NameServerOptions = {}, file = new MemoryFile()) {
    this.file = file;
    const options = { ...nameServerDefaults, ...tuning };
    const kv = new KvConfig(file, options, silentLogger);
    kv.load();
    const clock = { wallMs: () => 0, monotonicMs: () => 0 };
    this.#handlers = requestHandlers({ table: this.table, kv, options, clock, logger: silentLogger });
  }

  register(
    brokerName: string,
    clusterName: string,
    topics: Record<string, Partial<{ topicSysFlag: number; perm: number }>>,
    counter = 1,
  ) {
    this.table.register(
      {
        ...{ brokerName, clusterName, brokerId: 0, brokerAddr: `${brokerName}:1`, connectionId: 1 },
        ...{
          haServerAddr: undefined,
          zoneName: undefined,
          heartbeatTimeoutMs: undefined,
          enableActingMaster: false,
        },
        dataVersion: { counter, stateVersion: 0, timestamp: 1 },
        topics: new Map(
          Object.entries({ ...topics, filler: {}, [brokerName]: {} }).map(([name, more]) => [
            name,
            newTopicConfig(name, more),
          ]),
        ),
      },
      0,
    );
  }

  ask(code: number, fields: Record<string, string> = {}, body: Uint8Array = new Uint8Array()) {
    const replies: OutgoingResponse[] = [];
    const request = {
      ...{ code, language: 0, version: 513, opaque: 0, flag: 0, remark: undefined, body },
      serializeType: SERIALIZE_JSON,
      ext: {
        get: (name: string) => fields[name],
        forEach: (visit: (name: string, value: string) => void) => {
          for (const [name, value] of Object.entries(fields)) visit(name, value);
        },
      },
    } as const;
    const peer = { id: 1, address: "10.0.0.9:1" } as Peer;
    const exchange = {
      peer,
      code,
      opaque: 0,
      isOneway: false,
      reply: (reply: OutgoingResponse) => void replies.push(reply),
    };
    try {
      this.#handlers.get(code)!(request, exchange);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      replies.push({ code: error.responseCode, remark: error.message });
    }
    assert.equal(replies.length, 1);
    const [reply] = replies;
    const ext: Record<string, string> = {};
    reply!.header?.({ put: (name, value) => void Object.assign(ext, { [name]: value }) });
    return { code: reply!.code, remark: reply!.remark, ext, body: Buffer.concat([...(reply!.body ?? [])]) };
  }

  topics(code: number, fields: Record<string, string> = {}): string[] {
    return JSON.parse(this.ask(code, fields).body.toString()).topicList;
  }

  perms(topic: string): number[] {
    const { body } = this.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic });
    return parseTopicRouteData(body).queueDatas.map(({ perm }) => perm);
  }
}

const order = { namespace: "ORDER_TOPIC_CONFIG", key: "orders" };

describe("the KV configuration", () => {
  it("is put, asked for, listed, deleted, and there after a restart in RocketMQ's form", () => {
    const at = new Room();
    assert.deepEqual(at.ask(101, order).code, 22);
    assert.equal(at.ask(219, order).code, 22);
    assert.equal(at.ask(100, { ...order, value: "broker-a:4" }).code, 0);
    assert.equal(at.file.text, '{"configTable":{"ORDER_TOPIC_CONFIG":{"orders":"broker-a:4"}}}');
    const again = new Room({}, at.file);
    assert.deepEqual(again.ask(101, order).ext, { value: "broker-a:4" });
    assert.equal(again.ask(219, order).body.toString(), '{"table":{"orders":"broker-a:4"}}');
    assert.equal(again.ask(102, order).code, 0);
    assert.equal(again.ask(102, { namespace: "nobody", key: "x" }).code, 0);
    assert.equal(again.ask(101, order).remark, "No config item, Namespace: ORDER_TOPIC_CONFIG Key: orders");
    assert.equal(again.ask(219, order).body.toString(), '{"table":{}}');
  });

  it("is answered 1 when it cannot be written, and when there is no more room", () => {
    const at = new Room({ kvConfigCharactersMax: 60 });
    assert.equal(at.ask(100, { ...order, value: "x".repeat(40) }).code, 1);
    at.file.failure = new Error("EIO");
    const refused = at.ask(100, { ...order, value: "x" });
    assert.deepEqual([refused.code, refused.remark], [1, "kvConfig.json cannot be written: EIO"]);
  });

  it("names the order of ordered topics in routes and to brokers, as configured", () => {
    for (const orderMessageEnable of [true, false]) {
      const at = new Room({ orderMessageEnable });
      at.register("a", "c", { orders: {} });
      at.ask(100, { ...order, value: "a:4" });
      const route = parseTopicRouteData(at.ask(105, { topic: "orders" }).body);
      assert.equal(route.orderTopicConf, orderMessageEnable ? "a:4" : undefined);
      const who = {
        brokerName: "a",
        brokerAddr: "a:1",
        clusterName: "c",
        brokerId: "0",
        haServerAddr: "a:2",
        compressed: "false",
        bodyCrc32: "0",
      };
      assert.equal(at.ask(103, who).body.toString(), '{"table":{"orders":"a:4"}}');
    }
  });
});

describe("routes by an administrator's hand", () => {
  it("lose write permission until it is given back, whatever the broker registers meanwhile", () => {
    const at = new Room();
    at.register("a", "c", { orders: {}, read: { perm: 4 } });
    at.register("b", "c", { orders: {} });
    assert.deepEqual(at.ask(205, { brokerName: "a" }).ext, { wipeTopicCount: "4" });
    assert.deepEqual(at.perms("orders"), [4, 6]);
    at.register("a", "c", { orders: {}, read: { perm: 4 }, more: {} }, 2);
    assert.deepEqual([at.perms("orders"), at.perms("more")], [[4, 6], [4]]);
    assert.deepEqual(at.ask(327, { brokerName: "a" }).ext, { addTopicCount: "5" });
    assert.deepEqual([at.perms("orders"), at.perms("read")], [[6, 6], [4]]);
    assert.deepEqual(at.ask(205, { brokerName: "nobody" }).ext, { wipeTopicCount: "0" });
  });

  it("forget that when the broker is gone", () => {
    const at = new Room();
    at.register("a", "c", { orders: {} });
    at.ask(205, { brokerName: "a" });
    at.table.unregister({ clusterName: "c", brokerName: "a", brokerAddr: "a:1" });
    at.register("a", "c", { orders: {} });
    assert.deepEqual(at.perms("orders"), [6]);
  });

  it("are forgotten everywhere, or in one cluster", () => {
    const at = new Room();
    at.register("a", "c", { orders: {} });
    at.register("b", "d", { orders: {} });
    assert.equal(at.ask(216, { topic: "orders", clusterName: "d" }).code, 0);
    assert.equal(at.perms("orders").length, 1);
    assert.equal(at.ask(216, { topic: "orders" }).code, 0);
    assert.equal(at.ask(105, { topic: "orders" }).code, 17);
    assert.equal(at.ask(216, { topic: "never" }).code, 0);
  });

  it("are registered, for brokers that are known", () => {
    const at = new Room();
    at.register("a", "c", { orders: {}, other: {} });
    const queue = { brokerName: "a", perm: 6, readQueueNums: 2, writeQueueNums: 2, topicSysFlag: 0 };
    const routes = (brokerName: string) =>
      encodeTopicRouteData(
        { queueDatas: [{ ...queue, brokerName }], brokerDatas: [], filterServerTable: new Map() },
        true,
      );
    assert.equal(at.ask(217, { topic: "new" }, routes("a")).code, 0);
    assert.deepEqual(at.perms("new"), [6]);
    assert.match(at.ask(217, { topic: "newer" }, routes("z")).remark ?? "", /no broker z/);
    assert.equal(at.ask(105, { topic: "newer" }).code, 17);
  });
});

describe("lists of topics", () => {
  const filled = (tuning: NameServerOptions = {}) => {
    const at = new Room(tuning);
    at.register("a", "c", {
      plain: {},
      unit: { topicSysFlag: 1 },
      sub: { topicSysFlag: 2 },
      both: { topicSysFlag: 3 },
    });
    at.register("b", "d", { plain: {}, alone: {} });
    return at;
  };

  it("are by cluster, by unit, and of the system", () => {
    const at = filled();
    assert.deepEqual(at.topics(224, { cluster: "d" }), ["plain", "filler", "alone", "b"]);
    assert.deepEqual(at.topics(224, { cluster: "nobody" }), []);
    assert.deepEqual(at.topics(311), ["unit", "both"]);
    assert.deepEqual(at.topics(312), ["sub", "both"]);
    assert.deepEqual(at.topics(313), ["sub"]);
    assert.deepEqual(at.ask(304).body.toString(), '{"brokerAddr":"a:1","topicList":["c","a","d","b"]}');
  });

  it("are refused when they are switched off", () => {
    const at = filled({ enableTopicList: false, enableAllTopicList: false });
    for (const code of [206, 224, 311, 312, 313])
      assert.deepEqual(
        [at.ask(code, { cluster: "d" }).code, at.ask(code, { cluster: "d" }).remark],
        [1, "disable"],
      );
    assert.equal(at.ask(304).code, 0);
  });
});

it("a broker's members are told; nobody's of one that is not known", () => {
  const at = new Room();
  at.register("a", "c", {});
  const group = (brokerName: string) => at.ask(901, { clusterName: "c", brokerName }).body.toString();
  assert.equal(group("a"), '{"brokerMemberGroup":{"brokerAddrs":{0:"a:1"},"brokerName":"a","cluster":"c"}}');
  assert.equal(
    group("z"),
    formatFastjson({ brokerMemberGroup: { brokerAddrs: {}, brokerName: "z", cluster: "c" } }),
  );
});

it("what needs a controller is refused with the reason", () => {
  const { code, remark } = new Room().ask(1005);
  assert.equal(code, 3);
  assert.match(remark ?? "", /not supported: there is no controller/);
});
