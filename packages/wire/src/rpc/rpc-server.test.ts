import assert from "node:assert/strict";
import { connect as rawConnect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Connection, ConnectionHandlers, Network } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "../frame/remoting-command.ts";
import { WireError } from "../wire-error.ts";
import { type Exchange, type Peer, Refusal } from "./peer.ts";
import {
  answer,
  ask,
  countingHost,
  frameBytes,
  listen,
  newClient,
  newServer,
  recordingLogger,
  stopClient,
  stopServer,
  text,
  turns,
  until,
} from "./testing/rpc-fixture.ts";

const host = nodeHost();

/** A server that echoes header and body of code 1, and a client for it. */
async function echoPair(t: TestContext, options: { server?: object; client?: object } = {}) {
  const server = newServer(t, host, options.server);
  server.handle(1, (request, exchange) =>
    exchange.reply({
      code: 0,
      header: (sink) => sink.put("echo", request.ext.get("say") ?? ""),
      body: [Buffer.from(request.body)],
    }),
  );
  const client = newClient(t, host, options.client);
  const address = await listen(server);
  return { server, client, address };
}

/** A plain socket to the server. */
async function dial(address: string): Promise<Socket> {
  const socket = rawConnect({ host: "127.0.0.1", port: Number(address.split(":")[1]) });
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

for (const [encoding, serializeType] of [
  ["JSON", SERIALIZE_JSON],
  ["ROCKETMQ", SERIALIZE_ROCKETMQ],
] as const) {
  test(`a ${encoding} request with header and body is answered in its own encoding`, async (t) => {
    const { client, address, server } = await echoPair(t, {
      client: { encoding, version: 409, language: 9 },
    });
    let peer: Peer | undefined;
    server.onPeer((opened) => {
      peer = opened;
    });
    const got = await ask(client, address, {
      code: 1,
      header: (sink) => sink.put("say", "hello"),
      body: [text("one "), text("two")],
    });
    assert.deepEqual([got.error, got.code, got.echo, got.body], [undefined, 0, "hello", "one two"]);
    assert.equal(got.serializeType, serializeType);
    assert.deepEqual([peer?.version, peer?.language], [409, 9]);
    assert.equal(peer?.addressBytes.length, 8);
    assert.match(peer?.address ?? "", /^127\.0\.0\.1:\d+$/);
  });
}

for (const [encoding, serializeType] of [
  ["JSON", SERIALIZE_JSON],
  ["ROCKETMQ", SERIALIZE_ROCKETMQ],
] as const) {
  test(`a server asks a client that speaks ${encoding} in its own encoding, whatever others speak`, async (t) => {
    const { client, address, server } = await echoPair(t, { client: { encoding } });
    const peers: Peer[] = [];
    server.onPeer((opened) => peers.push(opened));
    const other = newClient(t, host, { encoding: encoding === "JSON" ? "ROCKETMQ" : "JSON" });
    const heard: number[] = [];
    client.handle(40, (request) => void heard.push(request.serializeType));
    client.handle(307, (request, exchange) => {
      heard.push(request.serializeType);
      exchange.reply({ code: 0 });
    });
    await ask(client, address, { code: 1 });
    await ask(other, address, { code: 1 });
    const [peer] = peers;
    peer!.oneway({ code: 40 });
    await ask(peer!, "", { code: 307 });
    assert.deepEqual(heard, [serializeType, serializeType]);
  });
}

test("a thousand requests of one turn leave in one write, and their answers in a handful", async (t) => {
  const counted = countingHost();
  const server = newServer(t, counted);
  server.handle(1, (_request, exchange) => exchange.reply({ code: 0, body: [text("ok")] }));
  const address = await listen(server);
  const clientHost = countingHost();
  const client = newClient(t, clientHost);
  await ask(client, address, { code: 1 });
  counted.writes.length = 0;
  clientHost.writes.length = 0;
  const answers = Array.from({ length: 1000 }, () => answer());
  for (const { done } of answers) client.request(address, { code: 1, body: [text("payload")] }, 5000, done);
  assert.equal(clientHost.writes.length, 0);
  const got = await Promise.all(answers.map(({ promise }) => promise));
  assert.ok(got.every((each) => each.code === 0 && each.body === "ok"));
  await turns(2);
  assert.ok(answers.every(({ calls }) => calls() === 1));
  assert.equal(clientHost.writes.length, 1);
  assert.ok(counted.writes.length <= 8, `${counted.writes.length} writes`);
});

test("large bodies are passed to the socket as they are, and written is told once each", async (t) => {
  const counted = countingHost();
  const server = newServer(t, counted);
  const slab = new Uint8Array(100_000).fill(66);
  let written = 0;
  server.handle(1, (_request, exchange) =>
    exchange.reply({
      code: 0,
      body: [slab.subarray(0, 60_000), slab.subarray(60_000)],
      written: () => written++,
    }),
  );
  const address = await listen(server);
  const client = newClient(t, host);
  const got = await Promise.all([1, 2, 3].map(() => ask(client, address, { code: 1 })));
  assert.ok(got.every((each) => each.body.length === 100_000));
  assert.ok(counted.writes.flat().filter((slice) => slice.buffer === slab.buffer).length === 6);
  await until(() => written === 3);
  assert.equal(server.status.unsentBytes, 0);
  await stopClient(client);
  await stopServer(server);
  assert.equal(written, 3);
});

test("answers may come out of order and turns later", async (t) => {
  const { server, client, address } = await echoPair(t);
  const parked: Exchange[] = [];
  server.handle(2, (_request, exchange) => void parked.push(exchange));
  const order: number[] = [];
  const asked = [0, 1, 2].map(async (index) => {
    const got = await ask(client, address, { code: 2 });
    order.push(index);
    return got.remark;
  });
  await until(() => parked.length === 3);
  assert.equal(server.status.requestsInFlight, 3);
  for (const index of [2, 0, 1]) {
    parked[index]!.reply({ code: 0, remark: `parked ${index}` });
    await turns(2);
  }
  assert.deepEqual(await Promise.all(asked), ["parked 0", "parked 1", "parked 2"]);
  assert.deepEqual(order, [2, 0, 1]);
  assert.equal(server.status.requestsInFlight, 0);
  assert.throws(() => parked[0]!.reply({ code: 0 }), { name: "AssertionFailed" });
});

test("unknown codes, refusals, protocol errors and throwing handlers are answered; the connection survives", async (t) => {
  const { logger, lines } = recordingLogger();
  const { server, client, address } = await echoPair(t, { server: { logger } });
  server.handle(2, () => {
    throw new Refusal(17, "no such topic");
  });
  server.handle(3, () => {
    throw new WireError("HEADER_FIELD_MISSING", "SendMessage: topic is missing");
  });
  server.handle(4, () => {
    throw new Error("a bug");
  });
  server.handle(5, (_request, exchange) => {
    exchange.reply({ code: 0 });
    throw new Error("after the reply");
  });
  server.handle(6, (_request, exchange) =>
    exchange.reply({
      code: 0,
      header: () => {
        throw new Error("no header");
      },
    }),
  );
  const peers = new Set<Peer>();
  server.onPeer((peer) => peers.add(peer));
  const results: unknown[] = [];
  for (const code of [777, 2, 3, 4, 5, 6]) {
    const got = await ask(client, address, { code });
    results.push([got.code, got.remark]);
  }
  assert.deepEqual(results, [
    [3, "request type 777 not supported"],
    [17, "no such topic"],
    [1, "SendMessage: topic is missing"],
    [1, "a bug"],
    [0, undefined],
    [1, "the response cannot be encoded: Error: no header"],
  ]);
  assert.deepEqual(lines, [
    "a request handler threw a bug",
    "a request handler threw after the reply",
    "a response cannot be encoded no header",
  ]);
  assert.equal(peers.size, 1);
  assert.throws(() => server.handle(2, () => {}), { name: "AssertionFailed" });
});

test("a oneway is handled and never answered, not even when it is unknown, throws or replies", async (t) => {
  const { server, client, address } = await echoPair(t);
  const seen: boolean[] = [];
  let written = 0;
  server.handle(2, (_request, exchange) => {
    seen.push(exchange.isOneway);
    exchange.reply({ code: 0, written: () => written++ });
  });
  server.handle(3, () => {
    throw new Error("thrown at nobody");
  });
  for (const code of [2, 3, 777]) {
    const error = await new Promise((resolve) => client.oneway(address, { code }, resolve));
    assert.equal(error, undefined);
  }
  assert.equal((await ask(client, address, { code: 1, body: [text("still here")] })).body, "still here");
  assert.deepEqual(seen, [true]);
  assert.equal(written, 1);
  assert.equal(client.status.lateResponses, 0);
});

test("a server calls its client, which answers, refuses what it does not know, or does not answer in time", async (t) => {
  const { server, client, address } = await echoPair(t);
  let peer!: Peer;
  server.onPeer((opened, open) => {
    if (open) peer = opened;
  });
  client.handle(307, (request, exchange) => exchange.reply({ code: 0, body: [Buffer.from(request.body)] }));
  const noticed: number[] = [];
  client.handle(40, (request) => void noticed.push(request.code));
  client.handle(220, () => {});
  await ask(client, address, { code: 1 });
  assert.equal((await ask(peer, "", { code: 307, body: [text("status")] })).body, "status");
  assert.equal((await ask(peer, "", { code: 999 })).code, 3);
  peer.oneway({ code: 40 });
  assert.equal((await ask(peer, "", { code: 220 }, 20)).error?.code, "REQUEST_TIMEOUT");
  assert.deepEqual(noticed, [40]);
  await stopClient(client);
  await stopServer(server);
  const late = await ask(peer, "", { code: 307 });
  assert.deepEqual([late.error?.code, late.error?.sent], ["CONNECTION_CLOSED", false]);
  assert.equal(peer.closed, true);
  await new Promise<void>((resolve) => peer.onClosed(resolve));
});

test("bytes that are no frame close their connection with a logged reason; others are served on", async (t) => {
  const { logger, lines } = recordingLogger();
  const { server, client, address } = await echoPair(t, { server: { logger } });
  await ask(client, address, { code: 1 });
  const negative = Buffer.alloc(16);
  negative.writeInt32BE(-5);
  const badType = frameBytes({ code: 1 });
  badType[4] = 9;
  for (const bytes of [
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]),
    negative,
    badType,
  ]) {
    const socket = await dial(address);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(bytes);
    await closed;
  }
  assert.equal(lines.length, 4);
  assert.match(lines[0]!, /FRAME_TOO_LARGE.*HTTP request/);
  assert.match(lines[1]!, /TLS handshake/);
  assert.match(lines[3]!, /FRAME_MALFORMED.*serialize type/);
  assert.equal((await ask(client, address, { code: 1, body: [text("fine")] })).body, "fine");
  assert.equal(server.status.connections, 1);
});

test("when a connection dies, its requests in flight fail as maybe handled and parked replies still end", async (t) => {
  const { server, client, address } = await echoPair(t);
  const parked: Exchange[] = [];
  server.handle(2, (_request, exchange) => void parked.push(exchange));
  const events: [string, boolean][] = [];
  client.onConnection((at, _peer, open) => events.push([at, open]));
  const asked = Array.from({ length: 50 }, () => answer());
  for (const { done } of asked) client.request(address, { code: 2 }, 10_000, done);
  await until(() => parked.length === 50);
  parked[0]!.peer.close();
  const got = await Promise.all(asked.map(({ promise }) => promise));
  assert.ok(got.every(({ error }) => error?.code === "CONNECTION_CLOSED" && error.sent));
  assert.equal(got[0]?.error?.retriable, true);
  await until(() => server.status.connections === 0);
  assert.equal(server.status.requestsInFlight, 0);
  let written = 0;
  for (const exchange of parked) exchange.reply({ code: 0, written: () => written++ });
  await until(() => written === 50);
  assert.equal(server.status.requestsInFlight, 0);
  assert.equal((await ask(client, address, { code: 1, body: [text("again")] })).body, "again");
  assert.ok(asked.every(({ calls }) => calls() === 1));
  assert.deepEqual(events, [
    [address, true],
    [address, false],
    [address, true],
  ]);
});

test("a reply framed in the very turn in which its connection dies is told written, too", async (t) => {
  let handlers!: ConnectionHandlers;
  let writes = 0;
  const connection: Connection = {
    remote: { host: "192.0.2.1", port: 1 },
    local: { host: "192.0.2.2", port: 2 },
    unsentBytes: 0,
    handle: (given) => {
      handlers = given;
    },
    write: () => writes++,
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  };
  const listener = { local: connection.local, close: (done?: () => void) => done?.() };
  const network: Network = {
    ...host.network,
    listen: (_local, onConnection, done) => {
      done(undefined, listener);
      onConnection(connection);
    },
  };
  const server = newServer(t, { ...host, network });
  let written = 0;
  server.handle(1, (_request, exchange) => exchange.reply({ code: 0, written: () => written++ }));
  await listen(server);
  handlers.onData(frameBytes({ code: 1 }));
  assert.equal(written, 0);
  handlers.onClosed(undefined);
  assert.deepEqual([written, server.status.unsentBytes, server.status.connections], [1, 0, 0]);
  await turns(2);
  assert.deepEqual([written, writes], [1, 0]);
});

test("stopping answers what is in flight, turns new requests away and closes every connection", async (t) => {
  const { logger } = recordingLogger();
  const { server, client, address } = await echoPair(t, { server: { logger }, client: { version: 409 } });
  const modern = newClient(t, host);
  const parked: Exchange[] = [];
  const oneways: number[] = [];
  server.handle(2, (_request, exchange) => void parked.push(exchange));
  server.handle(15, (request) => void oneways.push(request.code));
  const inFlight = [ask(client, address, { code: 2 }), ask(modern, address, { code: 2 })];
  await until(() => parked.length === 2);
  const stopped = stopServer(server);
  await turns(3);
  const refused = await ask(client, address, { code: 1 });
  assert.deepEqual([refused.code, refused.remark?.slice(0, 10)], [2, "[STOPPING]"]);
  const gone = await ask(modern, address, { code: 1 });
  assert.deepEqual([gone.error?.code, gone.error?.sent], ["CONNECT_FAILED", false]);
  client.oneway(address, { code: 15 });
  await until(() => oneways.length === 1);
  for (const exchange of parked) exchange.reply({ code: 0, remark: "answered" });
  assert.deepEqual(
    (await Promise.all(inFlight)).map(({ remark }) => remark),
    ["answered", "answered"],
  );
  assert.equal(await stopped, 0);
  assert.equal(await stopServer(server), 0);
  assert.equal(server.status.connections, 0);
});

test("stopping gives up on requests nobody answers, and says how many", async (t) => {
  const { server, client, address } = await echoPair(t);
  server.handle(2, () => {});
  const asked = ask(client, address, { code: 2 });
  await until(() => server.status.requestsInFlight === 1);
  assert.equal(await stopServer(server, 50), 1);
  assert.equal((await asked).error?.code, "CONNECTION_CLOSED");
});

test("several listeners share handlers and peers", async (t) => {
  const { server, client, address } = await echoPair(t);
  const vip = await listen(server);
  const got = await Promise.all([address, vip].map((at) => ask(client, at, { code: 1, body: [text(at)] })));
  assert.deepEqual(
    got.map(({ body }) => body),
    [address, vip],
  );
  assert.equal(server.status.connections, 2);
});
