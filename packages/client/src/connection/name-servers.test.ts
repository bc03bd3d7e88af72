import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcClient } from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import { FakeNameServer } from "../testing/fake-name-server.ts";
import { TestWorld } from "../testing/test-world.ts";
import { NameServers, parseNameServers } from "./name-servers.ts";

/** Two NameServers, `ns` and `ns2`, and a client of both. */
function stage(requestTimeoutMs = 3_000) {
  const w = new TestWorld();
  const host = w.world.spawn(w.world.addMachine("ns2"), "namesrv2");
  const second = new FakeNameServer(host);
  void second.listen("ns2", 9876);
  const rpc = new RpcClient(w.host);
  const nameServers = new NameServers(w.host, rpc, ["ns:9876", "ns2:9876"], requestTimeoutMs);
  return { w, first: w.nameServer, second, secondHost: host, nameServers };
}

test("addresses are split at semicolons, repeated ones once, and checked", () => {
  assert.deepEqual(parseNameServers("a:1; b:2 ;;a:1"), ["a:1", "b:2"]);
  assert.deepEqual(parseNameServers(["a:1;b:2", "[::1]:9876"]), ["a:1", "b:2", "[::1]:9876"]);
  for (const wrong of ["", ";", "host", "host:", ":9876", "a:1;b"]) {
    assert.throws(
      () => parseNameServers(wrong),
      (error) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT",
      wrong,
    );
  }
});

test("one server that is gone or silent is passed over, and the one that answered is asked first from then on", async () => {
  const { w, first, second, nameServers } = stage();
  first.script = () => true;
  second.setRoute("orders", [], 1);
  assert.notEqual(await w.settle(nameServers.route("orders")), undefined);
  const asked = first.asked.length;
  await w.settle(nameServers.route("orders"));
  await w.settle(nameServers.route("orders"));
  assert.equal(first.asked.length, asked);
  assert.equal(nameServers.reachable, true);
});

test("a topic that one server does not know is asked of the other", async () => {
  const { w, first, second, nameServers } = stage();
  second.setRoute("only-second", [], 1);
  first.setRoute("only-first", [], 1);
  assert.notEqual(await w.settle(nameServers.route("only-second")), undefined);
  assert.notEqual(await w.settle(nameServers.route("only-first")), undefined);
  assert.equal(await w.settle(nameServers.route("neither")), undefined);
});

test("that a topic is unknown is believed of the servers that answer", async () => {
  const { w, secondHost, nameServers } = stage();
  w.world.kill(secondHost);
  assert.equal(await w.settle(nameServers.route("neither")), undefined);
});

test("when none answers, the error names each and why, within the time for one question", async () => {
  const { w, first, secondHost, nameServers } = stage(2_000);
  w.world.kill(secondHost);
  first.script = () => true;
  const startedMs = w.world.nowMs;
  const error = (await w.failure(nameServers.route("orders"))) as OrbitError;
  assert.ok(w.world.nowMs - startedMs <= 2_600);
  assert.equal(error.code, "NAME_SERVER_UNREACHABLE");
  assert.match(error.message, /ns:9876.*ns2:9876/);
  assert.match(error.message, /nobody listens/);
  assert.equal(nameServers.reachable, false);
});

test("a refusal other than an unknown topic is told when no server does better", async () => {
  const { w, first, second, nameServers } = stage();
  first.script = () => ({ code: 1, remark: "not ready" });
  second.script = () => ({ code: 1, remark: "not ready" });
  const error = (await w.failure(nameServers.route("orders"))) as OrbitError;
  assert.deepEqual([error.code, error.remark], ["SYSTEM_ERROR", "not ready"]);
  second.script = undefined;
  second.setRoute("orders", [], 1);
  assert.notEqual(await w.settle(nameServers.route("orders")), undefined);
});

test("an answer that cannot be parsed counts as none", async () => {
  const { w, first, second, nameServers } = stage();
  first.script = () => ({ code: 0, body: [Buffer.from("<html>")] });
  second.setRoute("orders", [], 1);
  assert.notEqual(await w.settle(nameServers.route("orders")), undefined);
});
