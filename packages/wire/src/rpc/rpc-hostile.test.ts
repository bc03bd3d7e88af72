import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "@orbitmq/host";
import { type SimHost, SimWorld } from "@orbitmq/host/sim";
import type { Exchange, OutgoingRequest } from "./peer.ts";
import { RpcClient } from "./rpc-client.ts";
import { RpcServer } from "./rpc-server.ts";
import { recordingLogger } from "./testing/rpc-fixture.ts";

const SEEDS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 40);

/** What one run of a seed counted, over its whole life. */
interface Tally {
  /** Warnings and errors of every incarnation of the server and of the client; failed assertions land here. */
  readonly lines: string[];
  readonly logger: Logger;
  /** Ids of requests that reached a handler. */
  readonly handled: Set<string>;
  replies: number;
  written: number;
}

function startServer(host: SimHost, tally: Tally): RpcServer {
  const server = new RpcServer(host, { logger: tally.logger });
  const answer = (id: string, body: Uint8Array, exchange: Exchange): void => {
    tally.replies++;
    exchange.reply({
      code: 0,
      header: (sink) => sink.put("id", id),
      body: [body.subarray(0, body.length >> 1), body.subarray(body.length >> 1)],
      written: () => {
        tally.written++;
        body.fill(0xff);
      },
    });
  };
  server.handle(1, (request, exchange) => {
    const id = request.ext.get("id")!;
    assert.ok(!tally.handled.has(id), `request ${id} was handled twice`);
    tally.handled.add(id);
    const body = Uint8Array.from(request.body);
    const delayMs = host.random.int(4) === 0 ? host.random.int(400) : 0;
    if (delayMs === 0) answer(id, body, exchange);
    else host.timers.after(delayMs, () => answer(id, body, exchange));
  });
  server.handle(2, (request) => void tally.handled.add(request.ext.get("id")!));
  server.listen({ host: "0.0.0.0", port: 9 }, (error) => assert.equal(error, undefined));
  return server;
}

/** Connections break, the network parts, the server's process dies and comes back, all from one seed. */
function scheduleFaults(world: SimWorld, restartServer: () => void): void {
  const { random, fabric } = world;
  const [server, client] = world.machines;
  for (let at = 300; at < 6000; at += 100 + random.int(900)) {
    const fault = random.int(4);
    world.after(at, () => {
      if (fault === 0) fabric.breakConnections(() => true);
      else if (fault === 1) restartServer();
      else {
        const [from, to] = fault === 2 ? [server!, client!] : [client!, server!];
        fabric.cut(from, to);
        world.after(random.int(1500), () => fabric.heal(from, to));
      }
    });
  }
}

async function run(seed: number): Promise<{ ok: number; failed: Map<string, number> }> {
  const world = new SimWorld(seed, {
    network: { splitChance: 0.3, partialTakeChance: 0.2, lateWrittenChance: 0.3 },
  });
  const serverMachine = world.addMachine("s");
  const clientHost = world.spawn(world.addMachine("c"), "client");
  const tally: Tally = { ...recordingLogger(), handled: new Set(), replies: 0, written: 0 };
  let serverHost = world.spawn(serverMachine, "server");
  let server = startServer(serverHost, tally);
  scheduleFaults(world, () => {
    world.kill(serverHost);
    // What the dead process had under way is never told; only the last incarnation's books must balance.
    tally.replies = 0;
    tally.written = 0;
    serverHost = world.spawn(serverMachine, "server");
    server = startServer(serverHost, tally);
  });

  const client = new RpcClient(clientHost, { logger: tally.logger });
  const calls = new Map<string, number>();
  const failed = new Map<string, number>();
  let ok = 0;
  let next = 0;
  const send = (): void => {
    const id = String(next++);
    const body = new Uint8Array(clientHost.random.int(3) === 0 ? clientHost.random.int(60_000) : 40).fill(
      next & 0x7f,
    );
    const request: OutgoingRequest = { code: 1, header: (sink) => sink.put("id", id), body: [body] };
    calls.set(id, 0);
    client.request("s:9", request, 50 + clientHost.random.int(1500), (error, response) => {
      calls.set(id, calls.get(id)! + 1);
      if (error !== undefined) {
        failed.set(error.code, (failed.get(error.code) ?? 0) + 1);
        if (!error.sent) assert.ok(!tally.handled.has(id), `${id} failed as not sent and was handled`);
      } else {
        ok++;
        assert.equal(response!.code, 0);
        assert.equal(response!.ext.get("id"), id);
        assert.deepEqual(Buffer.from(response!.body), Buffer.from(body));
      }
      body.fill(0xee);
    });
    if (clientHost.random.int(5) === 0) {
      client.oneway("s:9", { code: 2, header: (sink) => sink.put("id", `oneway ${id}`) });
    }
  };
  const traffic = clientHost.timers.every(20, () => {
    for (let i = clientHost.random.int(8); i > 0; i--) send();
  });
  world.after(6500, () => traffic.cancel());
  await world.run(12_000);

  assert.deepEqual(
    [...calls.entries()].filter(([, count]) => count !== 1),
    [],
  );
  assert.equal(client.status.requestsInFlight, 0);
  assert.equal(client.status.unsentBytes, 0);
  assert.equal(server.status.requestsInFlight, 0);
  assert.equal(server.status.unsentBytes, 0);
  assert.equal(tally.written, tally.replies);
  assert.deepEqual(tally.lines, [], "no frame was malformed, nobody threw");

  // After the storm everything works again, and stopping leaves nothing behind.
  let after: number | undefined;
  client.request("s:9", { code: 1, header: (sink) => sink.put("id", "after") }, 3000, (_error, response) => {
    after = response?.code;
  });
  await world.run(4000);
  assert.equal(after, 0);
  let stopped = 0;
  client.stop(() => stopped++);
  server.stop(2000, () => stopped++);
  await world.run(5000);
  assert.equal(stopped, 2);
  assert.deepEqual([client.status.connections, server.status.connections], [0, 0]);
  return { ok, failed };
}

test("under broken connections, partitions and dying servers each request is settled once and truthfully", async () => {
  const failed = new Map<string, number>();
  let ok = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await run(seed).catch((error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
    ok += result.ok;
    for (const [code, count] of result.failed) failed.set(code, (failed.get(code) ?? 0) + count);
  }
  assert.ok(ok > SEEDS * 200, `${ok} answered`);
  // Every way to fail was met.
  assert.deepEqual([...failed.keys()].sort(), ["CONNECTION_CLOSED", "CONNECT_FAILED", "REQUEST_TIMEOUT"]);
});
