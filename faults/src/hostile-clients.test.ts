import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { nodeHost } from "@orbitmq/host/node";
import { pullMessageRequestHeader, RequestCode, RpcClient } from "@orbitmq/wire";
import type { ServerProcess } from "orbitmq/testing";
import { RawRequests } from "./raw-requests.ts";
import { startTestServer, temporaryHome } from "./test-server.ts";

const IDLE_CONNECTIONS = Number(process.env["ORBITMQ_IDLE_CONNECTIONS"] ?? 10_000);

function serverFor(t: TestContext): Promise<ServerProcess> {
  return startTestServer(t, temporaryHome(t));
}

function dial(address: string): Promise<Socket> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** The bytes of one request frame as the product's own client writes them, caught by a listener of ours. */
async function frameOf(
  code: number,
  encode: (sink: Parameters<typeof pullMessageRequestHeader.encode>[1]) => void,
): Promise<Buffer> {
  const { createServer } = await import("node:net");
  const rpc = new RpcClient(nodeHost());
  try {
    return await new Promise((resolve, reject) => {
      const listener = createServer((socket) => {
        socket.once("data", (chunk) => {
          resolve(chunk);
          socket.destroy();
          listener.close();
        });
        socket.on("error", reject);
      });
      listener.listen(0, "127.0.0.1", () => {
        const port = (listener.address() as { port: number }).port;
        rpc.request(`127.0.0.1:${port}`, { code, header: encode }, 5_000, () => undefined);
      });
    });
  } finally {
    rpc.stop();
  }
}

async function stillServes(server: ServerProcess): Promise<void> {
  const raw = new RawRequests(server.brokerAddr);
  assert.equal((await raw.send({ topic: "Others" }, Buffer.from("served"))).code, 0);
  raw.stop();
}

test("a client that never reads costs bounded memory and others are served", {
  timeout: 120_000,
}, async (t) => {
  const server = await serverFor(t);
  const raw = new RawRequests(server.brokerAddr);
  for (let index = 0; index < 64; index++) {
    assert.equal(
      (await raw.send({ topic: "Big", defaultTopicQueueNums: 1 }, Buffer.alloc(256 * 1024, index))).code,
      0,
    );
  }
  const before = server.rssMiB();
  const pull = await frameOf(RequestCode.PULL_MESSAGE, (sink) =>
    pullMessageRequestHeader.encode(
      {
        consumerGroup: "glutton",
        topic: "Big",
        queueId: 0,
        queueOffset: 0,
        maxMsgNums: 32,
        sysFlag: 4 | 16,
        commitOffset: 0,
        suspendTimeoutMillis: 0,
        subscription: "*",
        subVersion: 0,
        expressionType: "TAG",
      },
      sink,
    ),
  );
  const glutton = await dial(server.brokerAddr);
  glutton.on("error", () => glutton.destroy());
  glutton.pause();
  // 4,000 pulls of 256 KiB each would be 1 GB of answers.
  for (let index = 0; index < 4_000 && !glutton.destroyed; index++) {
    if (!glutton.write(pull)) {
      await Promise.race([
        new Promise((resolve) => glutton.once("drain", resolve)),
        new Promise((resolve) => glutton.once("close", resolve)),
        stillServes(server),
      ]);
    }
  }
  for (let probe = 0; probe < 20; probe++) await stillServes(server);
  const grown = server.rssMiB() - before;
  assert.ok(grown < 128, `memory grew by ${grown.toFixed(0)} MiB`);
  t.diagnostic(`memory grew by ${grown.toFixed(0)} MiB`);
  glutton.destroy();
  raw.stop();
});

test(`${IDLE_CONNECTIONS} idle connections leave memory bounded and others served`, {
  timeout: 120_000,
}, async (t) => {
  const server = await serverFor(t);
  const before = server.rssMiB();
  const sockets: Socket[] = [];
  while (sockets.length < IDLE_CONNECTIONS) {
    const batch = Math.min(200, IDLE_CONNECTIONS - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => dial(server.brokerAddr)))));
  }
  await stillServes(server);
  const grown = server.rssMiB() - before;
  assert.ok(grown < 200, `memory grew by ${grown.toFixed(0)} MiB`);
  t.diagnostic(`memory grew by ${grown.toFixed(0)} MiB for ${sockets.length} connections`);
  for (const socket of sockets) socket.destroy();
  await stillServes(server);
});

test("connections that dribble one byte at a time hold no more than what they sent", {
  timeout: 60_000,
}, async (t) => {
  const server = await serverFor(t);
  const before = server.rssMiB();
  const sockets = await Promise.all(Array.from({ length: 200 }, () => dial(server.brokerAddr)));
  // Announces a frame of 15 MiB, then sends its header byte by byte; between the bytes others are served.
  const announcement = Buffer.from([0x00, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40]);
  for (const byte of announcement) {
    for (const socket of sockets) socket.write(Buffer.from([byte]));
    await stillServes(server);
  }
  const grown = server.rssMiB() - before;
  assert.ok(grown < 64, `memory grew by ${grown.toFixed(0)} MiB`);
  t.diagnostic(`memory grew by ${grown.toFixed(0)} MiB`);
  for (const socket of sockets) socket.destroy();
});
