import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, Host } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { parseAddress } from "../message/host-address.ts";
import { goldenFrames } from "../testing/golden.ts";
import { fuzzRuns, SeededRandom } from "../testing/random.ts";
import { inProcessNetwork } from "./in-process-transport.ts";
import type { Peer } from "./peer.ts";
import {
  ask,
  listen,
  newClient,
  newServer,
  recordingLogger,
  text,
  turns,
  until,
} from "./testing/rpc-fixture.ts";

const AT_ONCE = 50;

/** Random bytes, mutated frames of Java clients and servers, several in a row, some cut off. */
function stream(random: SeededRandom): Buffer {
  const parts: Buffer[] = [];
  for (let count = 1 + random.int(4); count > 0; count--) {
    const golden = random.pick(goldenFrames).bytes;
    const kind = random.int(8);
    if (kind === 0) parts.push(random.bytes(random.int(400)));
    else if (kind < 4) parts.push(Buffer.from(golden));
    else if (kind === 4) parts.push(Buffer.from(golden.subarray(0, random.int(golden.length))));
    else parts.push(random.mutated(golden));
  }
  return Buffer.concat(parts);
}

test("whatever bytes arrive, the server neither throws nor keeps memory, and serves others", async (t) => {
  const machine = nodeHost();
  const host: Host = { ...machine, network: inProcessNetwork(machine.timers) };
  const { logger, lines } = recordingLogger();
  const server = newServer(t, host, { logger });
  let asked = 0;
  server.handleUnknown((request, exchange) => {
    let fields = 0;
    request.ext.forEach((name, value) => {
      fields += name.length + value.length;
    });
    exchange.reply({ code: 0, remark: request.remark, body: [text(`${fields} ${request.body.length}`)] });
    asked++;
  });
  // Requests of ours to every stranger, so that mutated responses meet pending ones.
  let pending = 0;
  server.onPeer((peer: Peer, open) => {
    if (!open) return;
    for (let i = 0; i < 3; i++) {
      pending++;
      peer.request({ code: 307 }, 60_000, () => pending--);
    }
  });
  const address = await listen(server);
  const client = newClient(t, host);

  const random = new SeededRandom(20_240_611);
  const runs = fuzzRuns(20_000);
  for (let done = 0; done < runs; done += AT_ONCE) {
    const connections: Connection[] = [];
    for (let i = 0; i < AT_ONCE; i++) {
      host.network.connect(parseAddress(address), 1000, (error, connection) => {
        assert.equal(error, undefined);
        connection!.handle({ onData: () => {}, onClosed: () => {} });
        connections.push(connection!);
      });
    }
    await until(() => connections.length === AT_ONCE);
    for (const connection of connections) {
      const bytes = stream(random);
      const cut = random.int(bytes.length + 1);
      connection.write([bytes.subarray(0, cut)]);
      if (random.int(2) === 0) connection.write([bytes.subarray(cut)]);
    }
    await turns(3);
    const good = await ask(client, address, { code: 1, body: [text("fine")] });
    assert.equal(good.body, "0 4");
    for (const connection of connections) connection.destroy();
    await until(() => server.status.connections === 1);
    assert.deepEqual([server.status.unsentBytes, server.status.requestsInFlight], [0, 0]);
  }
  await until(() => pending <= 3);
  assert.ok(asked > runs / 5, `${asked} requests got through`);
  const closes = lines.filter((line) => /^closing a connection: FRAME_(MALFORMED|TOO_LARGE)/.test(line));
  assert.ok(closes.length > runs / 10, `${closes.length} connections were closed`);
  assert.deepEqual(lines.filter((line) => !closes.includes(line)).slice(0, 5), [], "nothing else went wrong");
});
