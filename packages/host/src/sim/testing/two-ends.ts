/** A client and a server process on two machines with one connection between them, for tests. */
import type { HostError } from "../../host-error.ts";
import type { Connection } from "../../network.ts";
import type { SimHost } from "../sim-host.ts";
import type { SimMachine } from "../sim-machine.ts";
import { SimWorld, type SimWorldOptions } from "../sim-world.ts";

/** One end, with everything it was told. */
export interface End {
  connection: Connection;
  /** What arrived, chunk by chunk. */
  chunks: string[];
  drained: number;
  /** undefined while open; "ended" after an orderly close, else the error's code. */
  closed: string | undefined;
}

export interface TwoEnds {
  readonly world: SimWorld;
  readonly clientMachine: SimMachine;
  readonly serverMachine: SimMachine;
  readonly client: SimHost;
  readonly server: SimHost;
  readonly near: End;
  readonly far: End;
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

export function watch(connection: Connection): End {
  const end: End = { connection, chunks: [], drained: 0, closed: undefined };
  connection.handle({
    onData: (chunk) => end.chunks.push(latin1(chunk)),
    onDrained: () => end.drained++,
    onClosed: (error: HostError | undefined) => {
      if (end.closed !== undefined) throw new Error("closed twice");
      end.closed = error === undefined ? "ended" : error.code;
    },
  });
  return end;
}

export async function twoEnds(seed: number, options: SimWorldOptions = {}): Promise<TwoEnds> {
  const world = new SimWorld(seed, options);
  const clientMachine = world.addMachine("c1");
  const serverMachine = world.addMachine("s1");
  const client = world.spawn(clientMachine, "client");
  const server = world.spawn(serverMachine, "server");
  let near: End | undefined;
  let far: End | undefined;
  server.network.listen(
    { host: "0.0.0.0", port: 9876 },
    (connection) => {
      far = watch(connection);
    },
    () =>
      client.network.connect({ host: "s1", port: 9876 }, 3_000, (_error, connection) => {
        if (connection !== undefined) near = watch(connection);
      }),
  );
  await world.run(200);
  if (near === undefined || far === undefined) throw new Error("no connection");
  return { world, clientMachine, serverMachine, client, server, near, far };
}
