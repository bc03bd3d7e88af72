import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { connect as rawConnect, Socket } from "node:net";
import { mock, test } from "node:test";
import type { HostError } from "../host-error.ts";
import type { Connection, ConnectionHandlers, Listener, SocketAddress } from "../network.ts";
import { nodeHost } from "./node-host.ts";
import { deferred } from "./testing/deferred.ts";

const { network } = nodeHost();
const loopback = { host: "127.0.0.1", port: 0 };

function listen(onConnection: (connection: Connection) => void, local = loopback): Promise<Listener> {
  return new Promise((resolve, reject) =>
    network.listen(local, onConnection, (error, listener) =>
      listener === undefined ? reject(error) : resolve(listener),
    ),
  );
}

/** `handlers` are installed in the callback, as the interface demands. */
function connect(remote: SocketAddress, handlers: ConnectionHandlers): Promise<Connection> {
  return new Promise((resolve, reject) =>
    network.connect(remote, 5000, (error, connection) => {
      if (connection === undefined) return reject(error);
      connection.handle(handlers);
      return resolve(connection);
    }),
  );
}

const ignore: ConnectionHandlers = { onData: () => {}, onClosed: () => {} };

/** A pair of connections, the accepted side echoing nothing by itself. */
async function pair(accepted: Partial<ConnectionHandlers>, dialled: Partial<ConnectionHandlers>) {
  let server!: Connection;
  const arrived = deferred<void>();
  const listener = await listen((connection) => {
    server = connection;
    connection.handle({ ...ignore, ...accepted });
    arrived.resolve();
  });
  const client = await connect(listener.local, { ...ignore, ...dialled });
  await arrived.promise;
  return { server, client, listener };
}

test("neither side of a connection holds small writes back (TCP_NODELAY)", async () => {
  const setNoDelay = mock.method(Socket.prototype, "setNoDelay");
  const { client, listener } = await pair({}, {});
  assert.deepEqual(
    setNoDelay.mock.calls.map(({ arguments: [on] }) => on),
    [true],
    "the side that connects; for the side that accepts Node does it before there is a Socket",
  );
  setNoDelay.mock.restore();
  client.destroy();
  listener.close();
});

test("bytes travel both ways, several slices as one stream, and each write is confirmed once", async () => {
  const heard: string[] = [];
  let confirmed = 0;
  const answered = deferred<void>();
  const { server, client, listener } = await pair(
    {
      onData: (chunk) => {
        heard.push(Buffer.from(chunk).toString());
        server.write([Buffer.from("an"), Buffer.from("swer")], () => confirmed++);
      },
    },
    {
      onData: (chunk) => {
        heard.push(Buffer.from(chunk).toString());
        answered.resolve();
      },
    },
  );
  client.write([Buffer.from("que"), Buffer.from("st"), Buffer.from("ion")], () => confirmed++);
  client.write([], () => confirmed++);
  await answered.promise;
  assert.deepEqual(heard, ["question", "answer"]);
  await new Promise(setImmediate);
  assert.equal(confirmed, 3);
  assert.equal(client.unsentBytes, 0);
  assert.equal(client.remote.port, listener.local.port);
  assert.deepEqual(server.remote, client.local);
  client.destroy();
  listener.close();
});

test("all connections read through one buffer without mixing their bytes", async () => {
  const seen = new Map<number, number>();
  const buffers = new Set<ArrayBufferLike>();
  let chunks = 0;
  const all = deferred<void>();
  const size = 200_000;
  const listener = await listen((connection) =>
    connection.handle({
      ...ignore,
      onData: (chunk) => {
        buffers.add(chunk.buffer);
        chunks++;
        const id = chunk[0]!;
        assert.equal(Buffer.compare(chunk, Buffer.alloc(chunk.length, id)), 0);
        seen.set(id, (seen.get(id) ?? 0) + chunk.length);
        if ([...seen.values()].reduce((sum, count) => sum + count, 0) === 5 * size) all.resolve();
      },
    }),
  );
  const clients = await Promise.all([1, 2, 3, 4, 5].map(() => connect(listener.local, ignore)));
  for (const [id, client] of clients.entries()) client.write([new Uint8Array(size).fill(id)]);
  await all.promise;
  // What was put off to another turn had to be copied.
  assert.ok(buffers.size < chunks, `${chunks} chunks from ${buffers.size} buffers`);
  for (const client of clients) client.destroy();
  listener.close();
});

test("a turn that takes long ends before all is handed over: others come between, and nothing is lost or mixed up", async () => {
  const log: string[] = [];
  const closed = deferred<void>();
  const left = new Set([1, 2, 3]);
  const listener = await listen((connection) => {
    let id = 0;
    let received = 0;
    connection.handle({
      ...ignore,
      onData: (chunk) => {
        id = chunk[0]!;
        received += chunk.length;
        assert.ok(chunk.every((byte) => byte === id));
        log.push(`data ${id}`);
        setImmediate(() => log.push("turn"));
        const until = performance.now() + 2;
        while (performance.now() < until);
        // Paused and resumed in the middle of it.
        connection.pause();
        setImmediate(() => connection.resume());
      },
      onClosed: () => {
        assert.equal(received, 300_000);
        left.delete(id);
        if (left.size === 0) closed.resolve();
      },
    });
  });
  const clients = await Promise.all([...left].map(() => connect(listener.local, ignore)));
  for (const [index, client] of clients.entries()) {
    client.write([new Uint8Array(300_000).fill(index + 1)]);
    client.end();
  }
  await closed.promise;
  const chunks = log.filter((entry) => entry !== "turn").length;
  const together = log.filter(
    (entry, index) => entry !== "turn" && log[index - 1]?.startsWith("data"),
  ).length;
  assert.ok(together < chunks / 4, `${together} of ${chunks} chunks came in the turn of the one before`);
  listener.close();
});

test("destroying a connection whose peer does not read confirms every write and closes once, on both sides", async () => {
  const closed: string[] = [];
  const both = deferred<void>();
  const note = (side: string) => {
    closed.push(side);
    if (closed.length === 2) both.resolve();
  };
  const { server, client, listener } = await pair(
    { onClosed: () => note("server") },
    { onClosed: (error) => note(`client ${error?.code ?? "orderly"}`) },
  );
  server.pause();
  const confirmed = new Array<number>(50).fill(0);
  const chunk = new Uint8Array(1 << 20);
  for (let index = 0; index < 50; index++) client.write([chunk], () => confirmed[index]!++);
  assert.ok(client.unsentBytes > 0);
  await new Promise(setImmediate);
  client.destroy();
  client.destroy();
  client.write([chunk], () => confirmed.push(1));
  server.resume();
  await both.promise;
  assert.deepEqual(confirmed, new Array<number>(51).fill(1));
  assert.equal(client.unsentBytes, 0);
  assert.ok(closed.includes("client orderly"));
  listener.close();
});

test("a paused connection delivers nothing until it is resumed, and the sender is told when all has left", async () => {
  let received = 0;
  let paused = true;
  const drained = deferred<void>();
  const everything = deferred<void>();
  const total = 20 << 20;
  const { server, client, listener } = await pair(
    {
      onData: (chunk) => {
        assert.equal(paused, false);
        received += chunk.length;
        if (received === total) everything.resolve();
      },
    },
    { onDrained: () => drained.resolve() },
  );
  server.pause();
  client.write([new Uint8Array(total)]);
  await new Promise(setImmediate);
  assert.equal(received, 0);
  paused = false;
  server.resume();
  await drained.promise;
  await everything.promise;
  assert.equal(client.unsentBytes, 0);
  client.destroy();
  listener.close();
});

test("end sends what is queued before it closes", async () => {
  let received = 0;
  const serverClosed = deferred<HostError | undefined>();
  const clientClosed = deferred<HostError | undefined>();
  const { client, listener } = await pair(
    {
      onData: (chunk) => {
        received += chunk.length;
      },
      onClosed: serverClosed.resolve,
    },
    { onClosed: clientClosed.resolve },
  );
  client.write([new Uint8Array(5 << 20)]);
  client.end();
  client.end();
  assert.deepEqual([await serverClosed.promise, await clientClosed.promise], [undefined, undefined]);
  assert.equal(received, 5 << 20);
  listener.close();
});

test("a peer that closes only its half is closed whole, and so is one that never closes after our end", async () => {
  const closed: Promise<unknown>[] = [];
  let ended = 0;
  const listener = await listen((connection) => {
    const gone = deferred<unknown>();
    closed.push(gone.promise);
    connection.handle({ ...ignore, onClosed: gone.resolve });
    if (closed.length === 2) connection.end();
  });
  const peers: Socket[] = [];
  for (let index = 0; index < 2; index++) {
    const peer = rawConnect({ port: listener.local.port, host: "127.0.0.1", allowHalfOpen: true });
    peer.on("end", () => ended++);
    peer.on("error", () => {});
    peer.resume();
    peers.push(peer);
    await new Promise<void>((resolve) => peer.once("connect", resolve));
  }
  while (closed.length < 2) await new Promise(setImmediate);
  peers[0]!.end();
  assert.deepEqual(await Promise.all(closed), [undefined, undefined]);
  assert.equal(ended, 2);
  for (const peer of peers) peer.destroy();
  listener.close();
});

test("a reset by the peer is reported once, with its code, and is no unhandled error", async () => {
  const closed = deferred<HostError | undefined>();
  const accepted = deferred<Connection>();
  const listener = await listen((connection) => {
    connection.handle({ ...ignore, onClosed: closed.resolve });
    accepted.resolve(connection);
  });
  const peer = rawConnect({ port: listener.local.port, host: "127.0.0.1" });
  const connection = await accepted.promise;
  peer.resetAndDestroy();
  assert.equal((await closed.promise)?.code, "ECONNRESET");
  connection.write([new Uint8Array(8)]);
  listener.close();
});

const connectCode = (remote: SocketAddress, timeoutMs: number) =>
  new Promise<string | undefined>((resolve) =>
    network.connect(remote, timeoutMs, (error, connection) => {
      connection?.handle(ignore);
      resolve(error?.code);
    }),
  );

test("connecting fails with a code when it is refused or the address makes no sense", async () => {
  const gone = await listen(() => {});
  await new Promise<void>((resolve) => gone.close(resolve));
  assert.equal(await connectCode(gone.local, 5000), "ECONNREFUSED");
  assert.equal(await connectCode({ host: "127.0.0.1", port: 70_000 }, 5000), "ERR_SOCKET_BAD_PORT");
});

test("connecting fails with ETIMEDOUT when nobody answers in time", async () => {
  // A listener that never accepts: once its short queue is full, the kernel leaves further calls unanswered.
  const program = `
    const server = require("node:net").createServer();
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, server.address().port + "\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once("data", (data) => resolve(Number(String(data)))),
  );
  const codes = await Promise.all(
    Array.from({ length: 6 }, () => connectCode({ host: "127.0.0.1", port }, 300)),
  );
  assert.ok(codes.includes("ETIMEDOUT"));
  child.kill("SIGKILL");
});

test("listening on a taken port fails with EADDRINUSE; close frees the port while connections live on", async () => {
  const { server, client, listener } = await pair({}, {});
  await assert.rejects(
    listen(() => {}, listener.local),
    { name: "HostError", code: "EADDRINUSE" },
  );
  await assert.rejects(
    listen(() => {}, { host: "127.0.0.1", port: 70_000 }),
    { name: "HostError" },
  );
  await new Promise<void>((resolve) => listener.close(resolve));
  const again = await listen(() => {}, listener.local);
  const heard = new Promise<void>((resolve) => server.write([new Uint8Array(1)], resolve));
  await heard;
  client.destroy();
  again.close();
});

test("numeric addresses resolve to themselves, names to an address, unknown names to an error", async () => {
  const resolve = (name: string) =>
    new Promise<unknown>((done) => network.resolve(name, (error, address) => done(error ?? address)));
  assert.equal(await resolve("192.0.2.7"), "192.0.2.7");
  assert.equal(await resolve("::1"), "::1");
  assert.match(String(await resolve("localhost")), /^(127\.|::1)/);
});

test("local addresses end with the loopback ones", () => {
  const addresses = network.localAddresses();
  const isLoopback = addresses.map((address) => address.startsWith("127.") || address === "::1");
  assert.ok(isLoopback.includes(true));
  assert.deepEqual(
    isLoopback,
    [...isLoopback].sort((a, b) => Number(a) - Number(b)),
  );
});
