import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcClient } from "@orbitmq/wire";
import { TestWorld } from "../testing/test-world.ts";
import { NameServers } from "./name-servers.ts";
import { RouteCache } from "./route-cache.ts";

function stage() {
  const w = new TestWorld();
  const nameServers = new NameServers(w.host, new RpcClient(w.host), [w.namesrv], 1_000);
  const routes = new RouteCache(nameServers, w.host.timers, w.logger);
  const changes: string[] = [];
  routes.onChange((topic) => changes.push(topic));
  return { w, routes, changes };
}

test("concurrent questions about one topic are one question", async () => {
  const { w, routes, changes } = stage();
  w.nameServer.setRoute("orders", [w.addBroker("broker-a")]);
  const answers = await w.settle(Promise.all([1, 2, 3].map(() => routes.refresh("orders"))));
  assert.equal(new Set(answers).size, 1);
  assert.deepEqual(w.nameServer.asked, ["orders"]);
  assert.deepEqual(changes, ["orders"]);
});

test("a route is kept when it is forgotten, and only a different one is a change", async () => {
  const { w, routes, changes } = stage();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("orders", [broker], 4);
  const route = await w.settle(routes.refresh("orders"));
  assert.equal(await w.settle(routes.refresh("orders")), route);
  w.nameServer.routes.clear();
  assert.equal(await w.settle(routes.refresh("orders")), route);
  assert.equal(routes.get("orders"), route);
  assert.equal(routes.masterOf("broker-a"), broker.address);
  assert.deepEqual(changes, ["orders"]);
  w.nameServer.setRoute("orders", [broker], 8);
  assert.notEqual(await w.settle(routes.refresh("orders")), route);
  assert.deepEqual(changes, ["orders", "orders"]);
});

test("the newest route says where a broker is, and replicas stand in for a missing master", async () => {
  const { w, routes } = stage();
  const old = w.addBroker("broker-a");
  w.nameServer.setRoute("one", [old]);
  w.nameServer.setRoute("two", [old]);
  await w.settle(routes.refresh("one"));
  await w.settle(routes.refresh("two"));
  const route = w.nameServer.routes.get("one")!;
  const moved = new Map([
    [1, "replica:10911"],
    [2, "other:10911"],
  ]);
  w.nameServer.routes.set("one", {
    ...route,
    brokerDatas: [{ ...route.brokerDatas[0]!, brokerAddrs: moved }],
  });
  await w.settle(routes.refresh("one"));
  assert.equal(routes.masterOf("broker-a"), undefined);
  assert.deepEqual(routes.addressOf("broker-a", 0), { address: "replica:10911", brokerId: 1 });
  assert.deepEqual(routes.addressOf("broker-a", 2), { address: "other:10911", brokerId: 2 });
  assert.equal(routes.addressOf("ghost", 0), undefined);
});

test("every topic in use is asked for again at each interval; without a NameServer the pass ends early", async () => {
  const { w, routes } = stage();
  w.nameServer.setRoute("one", []);
  routes.start(30_000);
  await w.settle(routes.refresh("one"));
  await w.settle(routes.refresh("unknown"));
  await w.run(65_000);
  assert.deepEqual(w.nameServer.asked, ["one", "unknown", "one", "unknown", "one", "unknown"]);
  w.world.kill(w.nameServerHost);
  await w.run(61_000);
  assert.equal(w.log.filter((line) => line.bindings["code"] === "NAME_SERVER_UNREACHABLE").length, 2);
  routes.stop();
});
