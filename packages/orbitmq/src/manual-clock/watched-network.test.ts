import assert from "node:assert/strict";
import { it } from "node:test";
import type { Connection, Listener } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { Traffic } from "./watched-network.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("traffic is busy from a connect to its accept, from a write to its arrival, from a close to its end", async () => {
  const traffic = new Traffic();
  // Two networks, as of two programs: what counts is that both are watched.
  const [here, there] = [nodeHost(), nodeHost()].map(({ network }) => traffic.watch(network));
  let accepted: Connection | undefined;
  let heard = 0;
  const closed = new Set<string>();
  const listener = await new Promise<Listener>((resolve, reject) =>
    there!.listen(
      { host: "127.0.0.1", port: 0 },
      (connection) => {
        accepted = connection;
        connection.handle({
          onData: (chunk) => {
            heard += chunk.length;
          },
          onClosed: () => void closed.add("accepted"),
        });
      },
      (error, opened) => (opened === undefined ? reject(error) : resolve(opened)),
    ),
  );
  assert.equal(traffic.busy, false);

  let dialled: Connection | undefined;
  here!.connect(listener.local, 5_000, (_error, connection) => {
    dialled = connection;
    connection?.handle({ onData: () => {}, onClosed: () => void closed.add("dialled") });
  });
  assert.equal(traffic.busy, true);
  while (traffic.busy) await turn();
  assert.ok(dialled !== undefined && accepted !== undefined);

  dialled.write([new Uint8Array(100_000)]);
  assert.equal(traffic.busy, true);
  while (traffic.busy) await turn();
  assert.equal(heard, 100_000);

  accepted.pause();
  dialled.write([new Uint8Array(10)]);
  assert.equal(traffic.busy, false, "nobody reads it");
  accepted.resume();
  while (traffic.busy) await turn();
  assert.equal(heard, 100_010);

  dialled.end();
  assert.equal(traffic.busy, true);
  while (closed.size < 2) await turn();
  assert.equal(traffic.busy, false);
  listener.close();
});
