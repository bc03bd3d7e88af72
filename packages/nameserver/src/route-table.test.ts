import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newTopicConfig, type TopicConfig } from "@orbitmq/wire";
import { type BrokerRegistration, RouteTable } from "./route-table.ts";

const limits = { brokerChannelExpiredTime: 120_000, brokersMax: 10_000, topicsMax: 100_000 };

function topics(...names: string[]): Map<string, TopicConfig> {
  return new Map(names.map((name) => [name, newTopicConfig(name, { readQueueNums: 4, writeQueueNums: 4 })]));
}

function registration(overrides: Partial<BrokerRegistration> = {}): BrokerRegistration {
  return {
    clusterName: "DefaultCluster",
    brokerName: "broker-a",
    brokerId: 0,
    brokerAddr: "10.0.0.1:10911",
    haServerAddr: undefined,
    zoneName: undefined,
    heartbeatTimeoutMs: undefined,
    enableActingMaster: false,
    topics: topics("orders", "payments"),
    dataVersion: { stateVersion: 0, timestamp: 1, counter: 1 },
    connectionId: 1,
    ...overrides,
  };
}

function tableWith(...registrations: BrokerRegistration[]): RouteTable {
  const table = new RouteTable(limits);
  for (const each of registrations) assert.equal(table.register(each, 0).kind, "registered");
  return table;
}

/** Every view of the table, to see that they agree and that nothing is left. */
function assertEmpty(table: RouteTable): void {
  assert.deepEqual(table.topics(), []);
  assert.equal(table.brokerCount, 0);
  assert.equal(table.clusterInfo().brokerAddrTable.size, 0);
  assert.equal(table.clusterInfo().clusterAddrTable.size, 0);
}

describe("RouteTable", () => {
  it("routes a topic to the broker that registered it", () => {
    const route = tableWith(registration()).route("orders");
    assert.deepEqual(route?.queueDatas, [
      { brokerName: "broker-a", perm: 6, readQueueNums: 4, writeQueueNums: 4, topicSysFlag: 0 },
    ]);
    assert.equal(route?.brokerDatas.length, 1);
    assert.equal(route?.brokerDatas[0]?.brokerAddrs.get(0), "10.0.0.1:10911");
    assert.equal(route?.brokerDatas[0]?.cluster, "DefaultCluster");
  });

  it("knows no route for a topic nobody registered", () => {
    assert.equal(tableWith(registration()).route("nothing"), undefined);
  });

  it("joins the queues of two brokers that serve one topic", () => {
    const table = tableWith(
      registration(),
      registration({ brokerName: "broker-b", brokerAddr: "10.0.0.2:10911", connectionId: 2 }),
    );
    const names = table.route("orders")?.queueDatas.map((queue) => queue.brokerName);
    assert.deepEqual(names, ["broker-a", "broker-b"]);
    assert.deepEqual(table.clusterInfo().clusterAddrTable.get("DefaultCluster"), ["broker-a", "broker-b"]);
  });

  it("forgets a broker and what only it served when it unregisters", () => {
    const table = tableWith(
      registration(),
      registration({
        brokerName: "broker-b",
        brokerAddr: "10.0.0.2:10911",
        topics: topics("orders", "invoices"),
      }),
    );
    assert.equal(table.unregister(registration()), true);
    assert.deepEqual(table.topics(), ["orders", "invoices"]);
    assert.equal(table.route("payments"), undefined);
    assert.equal(table.route("orders")?.brokerDatas.length, 1);
    assert.equal(
      table.unregister(registration({ brokerName: "broker-b", brokerAddr: "10.0.0.2:10911" })),
      true,
    );
    assertEmpty(table);
  });

  it("takes an unregistration of a broker it does not know", () => {
    const table = tableWith(registration());
    assert.equal(table.unregister(registration({ brokerAddr: "10.9.9.9:1" })), false);
    assert.equal(table.brokerCount, 1);
  });

  it("removes a broker as soon as its connection closes", () => {
    const table = tableWith(registration({ connectionId: 7 }));
    assert.deepEqual(table.connectionClosed(8), []);
    const gone = table.connectionClosed(7);
    assert.deepEqual(
      gone.map((broker) => broker.brokerAddr),
      ["10.0.0.1:10911"],
    );
    assertEmpty(table);
  });

  it("keeps a broker that came back over a new connection when the old one closes late", () => {
    const table = tableWith(registration({ connectionId: 7 }), registration({ connectionId: 8 }));
    assert.deepEqual(table.connectionClosed(7), []);
    assert.notEqual(table.route("orders"), undefined);
  });

  it("removes a broker that was silent for longer than 120 seconds, not sooner", () => {
    const table = tableWith(registration());
    assert.deepEqual(table.expire(120_000), []);
    assert.equal(table.expire(120_001).length, 1);
    assertEmpty(table);
  });

  it("lets a broker name its own limit of silence", () => {
    const table = tableWith(registration({ heartbeatTimeoutMs: 10_000 }));
    assert.equal(table.expire(10_001).length, 1);
  });

  it("counts a heartbeat as a sign of life", () => {
    const table = tableWith(registration());
    assert.equal(table.heartbeat("DefaultCluster", "10.0.0.1:10911", 100_000), true);
    assert.deepEqual(table.expire(220_000), []);
    assert.equal(table.expire(220_001).length, 1);
    assert.equal(table.heartbeat("DefaultCluster", "10.0.0.1:10911", 220_002), false);
  });

  it("moves a broker that restarts on another address, and forgets the old address", () => {
    const table = tableWith(
      registration({ connectionId: 1 }),
      registration({ brokerAddr: "10.0.0.1:20911", connectionId: 2 }),
    );
    assert.equal(table.brokerCount, 1);
    const back = table.register(registration({ connectionId: 3 }), 0);
    assert.ok(back.kind === "registered" && back.replacedAddr === "10.0.0.1:20911");
    table.register(registration({ brokerAddr: "10.0.0.1:20911", connectionId: 2 }), 0);
    assert.deepEqual(table.connectionClosed(1), []);
    assert.equal(table.route("orders")?.brokerDatas[0]?.brokerAddrs.get(0), "10.0.0.1:20911");
  });

  it("keeps the live address when an older state registers the same broker id", () => {
    const table = tableWith(registration({ dataVersion: { stateVersion: 5, timestamp: 1, counter: 1 } }));
    const outcome = table.register(registration({ brokerAddr: "10.0.0.9:10911" }), 0);
    assert.deepEqual(outcome, { kind: "outdated", liveAddr: "10.0.0.1:10911" });
    assert.equal(table.route("orders")?.brokerDatas[0]?.brokerAddrs.get(0), "10.0.0.1:10911");
  });

  it("refuses the first registration of a broker when it has one topic only", () => {
    const table = new RouteTable(limits);
    assert.deepEqual(table.register(registration({ topics: topics("orders") }), 0), { kind: "partial" });
    assertEmpty(table);
  });

  it("adds the one topic of a later registration to those it knows", () => {
    const table = tableWith(
      registration(),
      registration({
        topics: topics("invoices"),
        dataVersion: { stateVersion: 0, timestamp: 2, counter: 2 },
      }),
    );
    assert.deepEqual(table.topics(), ["orders", "payments", "invoices"]);
  });

  it("takes a changed topic only with a new data version", () => {
    const wider = new Map([
      ["orders", newTopicConfig("orders", { readQueueNums: 9, writeQueueNums: 9 })],
      ["payments", newTopicConfig("payments")],
    ]);
    const table = tableWith(registration(), registration({ topics: wider }));
    assert.equal(table.route("orders")?.queueDatas[0]?.readQueueNums, 4);
    const newer = { stateVersion: 0, timestamp: 2, counter: 2 };
    table.register(registration({ topics: wider, dataVersion: newer }), 1);
    assert.equal(table.route("orders")?.queueDatas[0]?.readQueueNums, 9);
    assert.deepEqual(table.dataVersion("DefaultCluster", "10.0.0.1:10911"), newer);
  });

  it("tells a slave its master and takes no topics from it", () => {
    const table = tableWith(registration({ haServerAddr: "10.0.0.1:10912" }));
    const outcome = table.register(
      registration({ brokerId: 1, brokerAddr: "10.0.0.2:10911", topics: topics("slave-only", "orders") }),
      0,
    );
    assert.equal(outcome.kind, "registered");
    assert.ok(outcome.kind === "registered" && outcome.masterAddr === "10.0.0.1:10911");
    assert.ok(outcome.kind === "registered" && outcome.haServerAddr === "10.0.0.1:10912");
    assert.equal(table.route("slave-only"), undefined);
    assert.equal(table.route("orders")?.brokerDatas[0]?.brokerAddrs.get(1), "10.0.0.2:10911");
  });

  it("takes the write permission away when the master of an acting-master broker leaves", () => {
    const acting = { enableActingMaster: true };
    const table = tableWith(
      registration(acting),
      registration({ ...acting, brokerId: 1, brokerAddr: "10.0.0.2:10911" }),
    );
    table.unregister(registration());
    assert.equal(table.route("orders")?.queueDatas[0]?.perm, 4);
  });

  it("keeps an address under one broker id only", () => {
    const table = tableWith(registration({ brokerId: 1 }), registration({ brokerId: 0 }));
    assert.deepEqual(
      [...(table.route("orders")?.brokerDatas[0]?.brokerAddrs ?? [])],
      [[0, "10.0.0.1:10911"]],
    );
  });

  it("lets an address change its broker name", () => {
    const table = tableWith(registration(), registration({ brokerName: "broker-z" }));
    assert.deepEqual([...table.clusterInfo().brokerAddrTable.keys()], ["broker-z"]);
    assert.equal(table.brokerCount, 1);
  });

  it("lets a broker change its cluster", () => {
    const table = tableWith(registration(), registration({ clusterName: "Other" }));
    assert.deepEqual([...table.clusterInfo().clusterAddrTable], [["Other", ["broker-a"]]]);
    assert.equal(table.route("orders")?.brokerDatas[0]?.cluster, "Other");
    assert.equal(table.brokerCount, 1);
  });

  it("refuses brokers and leaves out topics beyond its limits", () => {
    const table = new RouteTable({ ...limits, brokersMax: 1, topicsMax: 1 });
    const outcome = table.register(registration(), 0);
    assert.ok(outcome.kind === "registered" && outcome.topicsLeftOut === 1);
    assert.deepEqual(
      table.register(registration({ brokerName: "broker-b", brokerAddr: "10.0.0.2:10911" }), 0),
      { kind: "full" },
    );
    assert.equal(table.register(registration(), 1).kind, "registered");
  });

  it("agrees with itself after any sequence of changes", () => {
    // A small linear congruential sequence: the same on every machine.
    let state = 42;
    const pick = (bound: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % bound;
    };
    const table = new RouteTable({ ...limits, brokersMax: 6 });
    for (let step = 0; step < 3_000; step++) {
      const identity = {
        clusterName: `c${pick(2)}`,
        brokerName: `b${pick(3)}`,
        brokerAddr: `a${pick(5)}`,
        brokerId: pick(3),
        connectionId: pick(4),
      };
      const kind = pick(6);
      if (kind <= 2) {
        table.register(
          registration({
            ...identity,
            enableActingMaster: pick(2) === 0,
            topics: topics(...["t1", "t2", "t3"].slice(0, 1 + pick(3))),
            dataVersion: { stateVersion: pick(2), timestamp: 0, counter: pick(3) },
          }),
          step,
        );
      } else if (kind === 3) table.unregister(identity);
      else if (kind === 4) table.connectionClosed(identity.connectionId);
      else table.expire(step + 120_000 - 20);
      assertConsistent(table);
    }
  });
});

function assertConsistent(table: RouteTable): void {
  const { brokerAddrTable, clusterAddrTable } = table.clusterInfo();
  let addresses = 0;
  for (const [name, broker] of brokerAddrTable) {
    assert.ok(broker.brokerAddrs.size > 0, `${name} has no address`);
    addresses += broker.brokerAddrs.size;
    assert.ok(clusterAddrTable.get(broker.cluster)?.includes(name), `${name} is missing in its cluster`);
    for (const addr of broker.brokerAddrs.values()) {
      assert.notEqual(table.dataVersion(broker.cluster, addr), undefined, `${addr} is not live`);
    }
  }
  assert.equal(addresses, table.brokerCount);
  assert.equal([...clusterAddrTable.values()].flat().length, brokerAddrTable.size);
  for (const topic of table.topics()) {
    const route = table.route(topic);
    assert.ok(route !== undefined && route.queueDatas.length > 0 && route.brokerDatas.length > 0);
  }
}
