import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Connection, Host } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { inProcessNetwork } from "./in-process-transport.ts";
import type { Exchange } from "./peer.ts";
import { answer, ask, listen, newClient, newServer, text, turns, until } from "./testing/rpc-fixture.ts";

const machine = nodeHost();

function embedded(): Host {
  return { ...machine, network: inProcessNetwork(machine.timers) };
}

async function echo(t: TestContext, host: Host) {
  const server = newServer(t, host);
  server.handle(1, (request, exchange) => exchange.reply({ code: 0, body: [Buffer.from(request.body)] }));
  return { server, address: await listen(server) };
}

test("server and client meet without sockets, with the same coalescing and never synchronously", async (t) => {
  const host = embedded();
  const { address, server } = await echo(t, host);
  const client = newClient(t, host);
  const answers = Array.from({ length: 100 }, () => answer());
  for (const { done } of answers) client.request(address, { code: 1, body: [text("x")] }, 1000, done);
  assert.ok(answers.every(({ calls }) => calls() === 0));
  assert.ok((await Promise.all(answers.map(({ promise }) => promise))).every(({ body }) => body === "x"));
  assert.equal(server.status.connections, 1);
  assert.equal(server.status.unsentBytes, 0);
});

test("a large body arrives as the very bytes that were sent, and written is told after it was read", async (t) => {
  const host = embedded();
  const server = newServer(t, host);
  const slab = new Uint8Array(50_000).fill(7);
  const order: string[] = [];
  server.handle(1, (_request, exchange) =>
    exchange.reply({ code: 0, body: [slab], written: () => order.push("written") }),
  );
  const address = await listen(server);
  const client = newClient(t, host);
  await new Promise<void>((resolve) =>
    client.request(address, { code: 1 }, 1000, (_error, response) => {
      assert.equal(response?.body.length, 50_000);
      order.push("read");
      resolve();
    }),
  );
  await until(() => order.length === 2);
  assert.deepEqual(order, ["read", "written"]);
});

test("a closed server fails what is in flight, and nobody listening refuses", async (t) => {
  const host = embedded();
  const { address, server } = await echo(t, host);
  const parked: Exchange[] = [];
  server.handle(2, (_request, exchange) => void parked.push(exchange));
  const client = newClient(t, host);
  const waiting = ask(client, address, { code: 2 });
  await until(() => parked.length === 1);
  assert.equal(await new Promise((resolve) => server.stop(20, resolve)), 1);
  assert.equal((await waiting).error?.code, "CONNECTION_CLOSED");
  assert.equal((await ask(client, address, { code: 1 })).error?.code, "CONNECT_FAILED");
  let written = 0;
  parked[0]!.reply({ code: 0, written: () => written++ });
  await until(() => written === 1);
});

test("with an outer network the same server is reached by sockets and in process", async (t) => {
  const host = { ...machine, network: inProcessNetwork(machine.timers, machine.network) };
  const { address, server } = await echo(t, host);
  const peers: number[] = [];
  server.onPeer((peer, open) => open && peers.push(peer.remote.port));
  const [inside, outside] = [newClient(t, host), newClient(t, machine)];
  assert.equal((await ask(inside, address, { code: 1, body: [text("in")] })).body, "in");
  assert.equal((await ask(outside, address, { code: 1, body: [text("out")] })).body, "out");
  assert.equal(peers.length, 2);
  const { address: elsewhere } = await echo(t, machine);
  assert.equal((await ask(inside, elsewhere, { code: 1, body: [text("dialled")] })).body, "dialled");
});

test("a taken address is refused, a freed one can be listened on again, port 0 finds a free one", async (t) => {
  const host = embedded();
  const { address } = await echo(t, host);
  const port = Number(address.split(":")[1]);
  await assert.rejects(listen(newServer(t, host), { host: "127.0.0.1", port }), { code: "EADDRINUSE" });
  const other = newServer(t, host);
  const second = await listen(other);
  assert.notEqual(second, address);
  await new Promise<void>((resolve) => other.stopAccepting(resolve));
  assert.equal(
    await listen(newServer(t, host), { host: "127.0.0.1", port: Number(second.split(":")[1]) }),
    second,
  );
});

test("a paused end leaves its peer's bytes unsent; resume, end and destroy settle every write once", async () => {
  const network = inProcessNetwork(machine.timers);
  let server!: Connection;
  let client!: Connection;
  const heard: string[] = [];
  const closed: string[] = [];
  let written = 0;
  network.listen(
    { host: "127.0.0.1", port: 5 },
    (connection) => {
      server = connection;
      connection.handle({
        onData: (chunk) => heard.push(Buffer.from(chunk).toString()),
        onClosed: () => closed.push("server"),
      });
    },
    () => {},
  );
  await turns(1);
  network.connect({ host: "127.0.0.1", port: 5 }, 100, (_error, connection) => {
    client = connection!;
    client.handle({ onData: () => {}, onClosed: () => closed.push("client") });
  });
  await turns(2);
  server.pause();
  client.write([text("one"), text("two")], () => written++);
  await turns(3);
  assert.deepEqual([heard, client.unsentBytes, written], [[], 6, 0]);
  server.resume();
  await turns(2);
  assert.deepEqual([heard, client.unsentBytes, written], [["one", "two"], 0, 1]);
  client.write([text("last")], () => written++);
  client.end();
  await turns(3);
  assert.deepEqual([heard.at(-1), written, closed.sort()], ["last", 2, ["client", "server"]]);
  client.write([text("too late")], () => written++);
  server.destroy();
  await turns(2);
  assert.deepEqual([written, closed.length], [3, 2]);
});
