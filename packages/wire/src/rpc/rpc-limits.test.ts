import assert from "node:assert/strict";
import { connect as rawConnect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Connection } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { type SimHost, SimWorld } from "@orbitmq/host/sim";
import { parseAddress } from "../message/host-address.ts";
import type { Exchange } from "./peer.ts";
import { RpcClient } from "./rpc-client.ts";
import { RpcServer } from "./rpc-server.ts";
import {
  ask,
  frameBytes,
  listen,
  newClient,
  newServer,
  recordingLogger,
  text,
  until,
} from "./testing/rpc-fixture.ts";

const host = nodeHost();
const MIB = 1024 * 1024;

async function dial(t: TestContext, address: string): Promise<Socket> {
  const { host, port } = parseAddress(address);
  const socket = rawConnect({ host, port });
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** A server in a simulated world whose clock can be run ahead. */
function simServer(): { world: SimWorld; server: RpcServer; clientHost: SimHost; lines: string[] } {
  const world = new SimWorld(7);
  const { logger, lines } = recordingLogger();
  const serverHost = world.spawn(world.addMachine("s"), "server");
  const clientHost = world.spawn(world.addMachine("c"), "client");
  const server = new RpcServer(serverHost, { logger });
  server.handle(1, (_request, exchange) => exchange.reply({ code: 0, body: [text("ok")] }));
  server.listen({ host: "0.0.0.0", port: 9 }, (error) => assert.equal(error, undefined));
  return { world, server, clientHost, lines };
}

test("an idle connection is closed after 120 s, a used one stays", async () => {
  const { world, server, clientHost } = simServer();
  await world.run(10);
  const idle = new RpcClient(clientHost);
  const used = new RpcClient(clientHost);
  idle.request("s:9", { code: 1 }, 1000, () => {});
  const every = clientHost.timers.every(30_000, () => used.request("s:9", { code: 1 }, 1000, () => {}));
  used.request("s:9", { code: 1 }, 1000, () => {});
  await world.run(115_000);
  assert.equal(server.status.connections, 2);
  await world.run(25_000);
  assert.deepEqual([server.status.connections, idle.status.connections], [1, 0]);
  await world.run(300_000);
  assert.equal(used.status.connections, 1);
  every.cancel();
});

test("a peer that sends one byte a second is cut off when its frame takes too long, others are served", async () => {
  const { world, server, clientHost, lines } = simServer();
  await world.run(10);
  const frame = frameBytes({ code: 1, body: [new Uint8Array(1000)] });
  let sent = 0;
  let closed = false;
  clientHost.network.connect({ host: "s", port: 9 }, 1000, (_error, connection) => {
    connection!.handle({
      onData: () => {},
      onClosed: () => {
        closed = true;
      },
    });
    clientHost.timers.every(1000, () => {
      if (!closed) connection!.write([frame.subarray(sent, ++sent)]);
    });
  });
  await world.run(58_000);
  assert.deepEqual([closed, server.status.connections], [false, 1]);
  await world.run(20_000);
  assert.equal(closed, true);
  assert.match(lines.join(), /FRAME_MALFORMED.*not completed in time/);
  const client = new RpcClient(clientHost);
  let code: number | undefined;
  client.request("s:9", { code: 1 }, 1000, (_error, response) => {
    code = response?.code;
  });
  await world.run(100);
  assert.equal(code, 0);
});

test("a peer that sends whole frames slowly is not taken for one that dawdles", async () => {
  const { world, server, clientHost } = simServer();
  await world.run(10);
  const frame = frameBytes({ code: 1 });
  // Each write completes one frame and begins the next, so that there always is a partial one.
  let connection: Connection | undefined;
  clientHost.network.connect({ host: "s", port: 9 }, 1000, (_error, opened) => {
    connection = opened;
    opened!.handle({ onData: () => {}, onClosed: () => {} });
    opened!.write([frame.subarray(0, 10)]);
    clientHost.timers.every(20_000, () => opened!.write([frame.subarray(10), frame.subarray(0, 10)]));
  });
  await world.run(400_000);
  assert.equal(server.status.connections, 1);
  connection!.destroy();
});

test("a peer that never reads is not read any more either, costs bounded memory, and others are served", async (t) => {
  const server = newServer(t, host, { unsentBytesPause: 4 * MIB, unsentBytesMax: 32 * MIB });
  const page = new Uint8Array(MIB);
  let asked = 0;
  let written = 0;
  server.handle(1, (_request, exchange) => exchange.reply({ code: 0, body: [text("ok")] }));
  server.handle(11, (_request, exchange) => {
    asked++;
    exchange.reply({ code: 0, body: [page], written: () => written++ });
  });
  const address = await listen(server);
  const greedy = await dial(t, address);
  greedy.pause();
  const requests = 20_000;
  const pull = frameBytes({ code: 11, body: [new Uint8Array(4000)] });
  for (let i = 0; i < requests; i++) greedy.write(pull);
  await until(() => server.status.unsentBytes > 4 * MIB);
  const client = newClient(t, host);
  for (let i = 0; i < 20; i++) assert.equal((await ask(client, address, { code: 1 })).body, "ok");
  assert.ok(server.status.unsentBytes < 28 * MIB, `${server.status.unsentBytes} bytes`);
  assert.ok(asked < 60, `${asked} requests were read`);
  assert.equal(server.status.connections, 2);
  // Reading resumes it.
  const before = asked;
  greedy.resume();
  await until(() => asked > before + 50);
  greedy.destroy();
  await until(() => server.status.connections === 1);
  assert.equal(written, asked);
  assert.equal(server.status.unsentBytes, 0);
});

test("at the hard limit of unsent bytes a connection is closed, and every reply is told so", async (t) => {
  const { logger, lines } = recordingLogger();
  const server = newServer(t, host, { unsentBytesPause: 64 * MIB, unsentBytesMax: 8 * MIB, logger });
  const page = new Uint8Array(MIB);
  let asked = 0;
  let written = 0;
  server.handle(11, (_request, exchange) => {
    asked++;
    exchange.reply({ code: 0, body: [page], written: () => written++ });
  });
  const greedy = await dial(t, await listen(server));
  greedy.pause();
  for (let i = 0; i < 100; i++) greedy.write(frameBytes({ code: 11 }));
  await until(() => lines.length > 0);
  assert.match(lines[0]!, /PEER_NOT_READING/);
  await until(() => server.status.connections === 0);
  await until(() => written === asked);
  assert.equal(server.status.unsentBytes, 0);
});

test("when all connections together have too many unsent bytes, the greedy one goes and the modest one stays", async (t) => {
  const server = newServer(t, host, { unsentBytesPause: 16 * MIB, unsentBytesOfAllMax: 12 * MIB });
  const page = new Uint8Array(MIB);
  server.handle(1, (_request, exchange) => exchange.reply({ code: 0, body: [text("ok")] }));
  server.handle(11, (_request, exchange) => exchange.reply({ code: 0, body: [page] }));
  const address = await listen(server);
  const client = newClient(t, host);
  await ask(client, address, { code: 1 });
  const greedy = await dial(t, address);
  greedy.pause();
  const closed = new Promise((resolve) => greedy.once("close", resolve));
  for (let i = 0; i < 14; i++) greedy.write(frameBytes({ code: 11 }));
  await until(() => server.status.connections === 1);
  assert.equal((await ask(client, address, { code: 1 })).body, "ok");
  greedy.resume();
  await closed;
});

test("requests beyond the limits in flight are answered busy and the connection survives", async (t) => {
  const server = newServer(t, host, { requestsInFlightPerConnectionMax: 3, requestsInFlightMax: 5 });
  const parked: Exchange[] = [];
  server.handle(2, (_request, exchange) => void parked.push(exchange));
  const address = await listen(server);
  const [one, two] = [newClient(t, host), newClient(t, host)];
  const waiting = [1, 2, 3].map(() => ask(one, address, { code: 2 }));
  await until(() => parked.length === 3);
  const tooManyHere = await ask(one, address, { code: 2 });
  assert.deepEqual([tooManyHere.code, tooManyHere.remark?.slice(0, 10)], [2, "[OVERLOAD]"]);
  waiting.push(...[1, 2].map(() => ask(two, address, { code: 2 })));
  await until(() => parked.length === 5);
  const tooManyInAll = await ask(two, address, { code: 2 });
  assert.match(tooManyInAll.remark ?? "", /\[OVERLOAD\] the server/);
  parked.shift()!.reply({ code: 0 });
  await waiting[0];
  waiting.push(ask(one, address, { code: 2 }));
  await until(() => parked.length === 5);
  for (const exchange of parked) exchange.reply({ code: 0 });
  assert.ok((await Promise.all(waiting)).every(({ code }) => code === 0));
});

test("connections beyond the limit are closed at once; when one leaves another may come", async (t) => {
  const server = newServer(t, host, { connectionsMax: 2 });
  const address = await listen(server);
  const sockets = [await dial(t, address), await dial(t, address)];
  await until(() => server.status.connections === 2);
  const third = await dial(t, address);
  third.resume();
  await new Promise((resolve) => third.once("close", resolve));
  assert.equal(server.status.connectionsRefused, 1);
  sockets[0]!.destroy();
  await until(() => server.status.connections === 1);
  await dial(t, address);
  await until(() => server.status.connections === 2);
});

test("a frame longer than the limit closes the connection, one at the limit is served", async (t) => {
  const server = newServer(t, host, { frameBytesMax: 10_000 });
  server.handle(1, (request, exchange) => exchange.reply({ code: 0, remark: String(request.body.length) }));
  const address = await listen(server);
  const client = newClient(t, host);
  const overhead = frameBytes({ code: 1 }).length;
  const fits = await ask(client, address, { code: 1, body: [new Uint8Array(10_000 - overhead)] });
  assert.equal(fits.remark, String(10_000 - overhead));
  const tooLong = await ask(client, address, { code: 1, body: [new Uint8Array(10_001 - overhead)] });
  assert.deepEqual([tooLong.error?.code, tooLong.error?.sent], ["CONNECTION_CLOSED", true]);
  const ours = await ask(newClient(t, host, { frameBytesMax: 100 }), address, {
    code: 1,
    body: [new Uint8Array(200)],
  });
  assert.deepEqual([ours.error?.code, ours.error?.sent], ["FRAME_TOO_LARGE", false]);
});
