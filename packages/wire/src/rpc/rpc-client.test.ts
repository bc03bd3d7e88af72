import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { nodeHost } from "@orbitmq/host/node";
import { LanguageCode } from "../tables/language-code.ts";
import { MQVersion } from "../tables/mq-version.ts";
import type { Exchange } from "./peer.ts";
import {
  answer,
  ask,
  listen,
  newClient,
  newServer,
  stopClient,
  stopServer,
  text,
  turns,
  until,
} from "./testing/rpc-fixture.ts";

const host = nodeHost();

async function parkingServer(t: TestContext) {
  const server = newServer(t, host);
  const parked: Exchange[] = [];
  server.handle(1, (_request, exchange) => exchange.reply({ code: 0, body: [text("now")] }));
  server.handle(2, (_request, exchange) => void parked.push(exchange));
  return { server, parked, address: await listen(server) };
}

test("requests made before the connection is up share one connection and all arrive", async (t) => {
  const { address } = await parkingServer(t);
  const client = newClient(t, host);
  const opened: string[] = [];
  client.onConnection((at, _peer, open) => {
    if (open) opened.push(at);
  });
  const got = await Promise.all(Array.from({ length: 20 }, () => ask(client, address, { code: 1 })));
  assert.ok(got.every(({ body }) => body === "now"));
  assert.deepEqual(opened, [address]);
});

test("a request made when a connection opens goes over that connection, before what waited for it", async (t) => {
  const { server, address } = await parkingServer(t);
  const codes: number[] = [];
  for (const code of [3, 4]) {
    server.handle(code, (_request, exchange) => {
      codes.push(code);
      exchange.reply({ code: 0 });
    });
  }
  const client = newClient(t, host);
  const greetings: Promise<unknown>[] = [];
  client.onConnection((at, _peer, open) => {
    if (open) greetings.push(ask(client, at, { code: 3 }));
  });
  await ask(client, address, { code: 4 });
  await Promise.all(greetings);
  assert.deepEqual([codes, greetings.length, client.status.connections], [[3, 4], 1, 1]);
});

test("a peer that says it is 5.0 or newer is told our language, an older one or a silent one is not", async (t) => {
  for (const [version, expected] of [
    [MQVersion.V4_9_8, [LanguageCode.OTHER, LanguageCode.OTHER]],
    [MQVersion.V5_0_0, [LanguageCode.OTHER, LanguageCode.NODE_JS]],
  ] as const) {
    const server = newServer(t, host, { version });
    const languages: number[] = [];
    server.handle(1, (request, exchange) => {
      languages.push(request.language);
      exchange.reply({ code: 0 });
    });
    const address = await listen(server);
    const client = newClient(t, host);
    await ask(client, address, { code: 1 });
    await ask(client, address, { code: 1 });
    assert.deepEqual(languages, expected);
  }
});

test("a request that cannot connect fails as surely not sent, with a hint of the address", async (t) => {
  const { server, address } = await parkingServer(t);
  await stopServer(server);
  const client = newClient(t, host);
  const { error } = await ask(client, address, { code: 1 });
  assert.deepEqual([error?.code, error?.sent, error?.retriable], ["CONNECT_FAILED", false, true]);
  assert.ok(error?.message.includes(address) && error.message.includes("ECONNREFUSED"), error?.message);
  const nonsense = await ask(client, "no port here", { code: 1 });
  assert.deepEqual([nonsense.error?.code, nonsense.error?.sent], ["ADDRESS_INVALID", false]);
  const dropped = await new Promise((resolve) => client.oneway(address, { code: 1 }, resolve));
  assert.match(String(dropped), /ECONNREFUSED/);
  assert.equal(client.status.requestsInFlight, 0);
});

test("a request not answered in time fails as maybe sent, and its late answer is dropped and counted", async (t) => {
  const { address, parked } = await parkingServer(t);
  const client = newClient(t, host);
  const { promise, done, calls } = answer();
  client.request(address, { code: 2 }, 30, done);
  const { error } = await promise;
  assert.deepEqual([error?.code, error?.sent], ["REQUEST_TIMEOUT", true]);
  await until(() => parked.length === 1);
  parked[0]!.reply({ code: 0 });
  await until(() => client.status.lateResponses === 1);
  assert.equal(calls(), 1);
  assert.equal((await ask(client, address, { code: 1 })).body, "now");
});

test("beyond the limit of requests in flight further ones are refused until some are answered", async (t) => {
  const { address, parked } = await parkingServer(t);
  const client = newClient(t, host, { requestsInFlightMax: 3 });
  const asked = [1, 2, 3].map(() => ask(client, address, { code: 2 }));
  const { promise, done, calls } = answer();
  client.request(address, { code: 1 }, 1000, done);
  assert.equal(calls(), 0);
  assert.deepEqual([(await promise).error?.code, (await promise).error?.sent], ["TOO_MANY_REQUESTS", false]);
  await until(() => parked.length === 3);
  parked[0]!.reply({ code: 0 });
  await asked[0];
  assert.equal((await ask(client, address, { code: 1 })).body, "now");
  for (const exchange of parked.slice(1)) exchange.reply({ code: 0 });
  await Promise.all(asked);
});

test("a GO_AWAY moves new requests to a new connection, resends once, and lets the old one finish", async (t) => {
  const { server: first, address, parked } = await parkingServer(t);
  const client = newClient(t, host);
  const waiting = ask(client, address, { code: 2 });
  await until(() => parked.length === 1);
  const port = Number(address.split(":")[1]);
  await new Promise<void>((resolve) => first.stopAccepting(resolve));
  const second = newServer(t, host);
  second.handle(1, (_request, exchange) => exchange.reply({ code: 0, body: [text("second")] }));
  await listen(second, { host: "127.0.0.1", port });
  const drained = new Promise<number>((resolve) => first.drain(5000, resolve));
  assert.equal((await ask(client, address, { code: 1 })).body, "second");
  parked[0]!.reply({ code: 0, body: [text("first")] });
  assert.equal((await waiting).body, "first");
  assert.equal(await drained, 0);
  await until(() => first.status.connections === 0);
  await until(() => client.status.connections === 1);
  await new Promise<number>((resolve) => second.drain(5000, resolve));
  const { code, error } = await ask(client, address, { code: 1 });
  assert.deepEqual([code, error], [1500, undefined]);
});

test("mapAddress decides what is dialled, while answers and events keep the address asked for", async (t) => {
  const { address } = await parkingServer(t);
  const events: string[] = [];
  const client = newClient(t, host, { mapAddress: (from) => (from === "broker-a:10911" ? address : from) });
  client.onConnection((at) => events.push(at));
  assert.equal((await ask(client, "broker-a:10911", { code: 1 })).body, "now");
  assert.deepEqual(events, ["broker-a:10911"]);
  await stopClient(client);
  const throwing = newClient(t, host, {
    mapAddress: () => {
      throw new Error("unmapped");
    },
  });
  assert.equal((await ask(throwing, "a:1", { code: 1 })).error?.code, "ADDRESS_INVALID");
});

test("stop settles everything under way, refuses what follows, and leaves nothing open", async (t) => {
  const { address, parked } = await parkingServer(t);
  const client = newClient(t, host);
  const framed = ask(client, address, { code: 2 });
  await until(() => parked.length === 1);
  const notYetWritten = ask(client, address, { code: 2 });
  const unconnected = ask(client, "127.0.0.1:1", { code: 1 });
  let stops = 0;
  client.stop(() => stops++);
  client.stop(() => stops++);
  const errors = (await Promise.all([framed, notYetWritten, unconnected])).map(({ error }) => error);
  assert.deepEqual(
    errors.slice(0, 2).map((error) => error?.code),
    ["RPC_STOPPED", "RPC_STOPPED"],
  );
  // Refusal of the connection and the stop race.
  assert.match(errors[2]!.code, /^(RPC_STOPPED|CONNECT_FAILED)$/);
  assert.deepEqual(
    errors.map((error) => error?.sent),
    [true, true, false],
  );
  await until(() => stops === 2);
  assert.equal((await ask(client, address, { code: 1 })).error?.code, "RPC_STOPPED");
  assert.equal(client.status.connections, 0);
});

test("disconnect closes one address, and the next request connects again", async (t) => {
  const { address, parked } = await parkingServer(t);
  const client = newClient(t, host);
  const waiting = ask(client, address, { code: 2 });
  await until(() => parked.length === 1);
  client.disconnect(address);
  client.disconnect("never seen:1");
  assert.equal((await waiting).error?.code, "CONNECTION_CLOSED");
  assert.equal((await ask(client, address, { code: 1 })).body, "now");
});

test("a callback or listener that throws harms nobody else", async (t) => {
  const { address } = await parkingServer(t);
  const client = newClient(t, host);
  client.onConnection(() => {
    throw new Error("listener");
  });
  client.request(address, { code: 1 }, 1000, () => {
    throw new Error("callback");
  });
  assert.equal((await ask(client, address, { code: 1 })).body, "now");
  await turns(2);
  assert.equal(client.status.requestsInFlight, 0);
});

test("names and codes beyond 16 bits travel as they should", async (t) => {
  const server = newServer(t, host);
  server.handle(200_050, (request, exchange) =>
    exchange.reply({ code: 0, remark: request.ext.get("topic") }),
  );
  const address = await listen(server);
  const client = newClient(t, host);
  const got = await ask(client, `localhost:${address.split(":")[1]}`, {
    code: 200_050,
    header: (sink) => sink.put("topic", "订单"),
  });
  assert.deepEqual([got.code, got.remark], [0, "订单"]);
});
