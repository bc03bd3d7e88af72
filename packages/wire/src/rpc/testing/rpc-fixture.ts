/** A server on the real machine, clients for it, answers as promises, and a network that counts writes. */
import type { TestContext } from "node:test";
import type { Connection, Host, Logger, Network, SocketAddress } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { FrameWriter, type OutgoingFrame } from "../../frame/frame-writer.ts";
import { SERIALIZE_ROCKETMQ } from "../../frame/remoting-command.ts";
import { formatAddress } from "../../message/host-address.ts";
import type { WireError } from "../../wire-error.ts";
import type { OutgoingRequest, Peer, ResponseCallback } from "../peer.ts";
import { RpcClient } from "../rpc-client.ts";
import type { RpcClientOptions, RpcServerOptions } from "../rpc-options.ts";
import { RpcServer } from "../rpc-server.ts";

export interface Answer {
  readonly error: WireError | undefined;
  readonly code: number | undefined;
  readonly remark: string | undefined;
  readonly body: string;
  readonly serializeType: number | undefined;
  readonly echo: string | undefined;
}

/** A callback that settles a promise and counts how often it is called. */
export function answer(): { promise: Promise<Answer>; done: ResponseCallback; calls: () => number } {
  let calls = 0;
  let resolve!: (answer: Answer) => void;
  const promise = new Promise<Answer>((onResolve) => {
    resolve = onResolve;
  });
  const done: ResponseCallback = (error, response) => {
    calls++;
    resolve({
      error,
      code: response?.code,
      remark: response?.remark,
      body: Buffer.from(response?.body ?? []).toString(),
      serializeType: response?.serializeType,
      echo: response?.ext.get("echo"),
    });
  };
  return { promise, done, calls: () => calls };
}

export function ask(
  from: RpcClient | Peer,
  address: string,
  request: OutgoingRequest,
  timeoutMs = 10_000,
): Promise<Answer> {
  const { promise, done } = answer();
  if ("address" in from) from.request(request, timeoutMs, done);
  else from.request(address, request, timeoutMs, done);
  return promise;
}

export const text = (value: string): Uint8Array => Buffer.from(value);

export function listen(
  server: RpcServer,
  local: SocketAddress = { host: "127.0.0.1", port: 0 },
): Promise<string> {
  return new Promise((resolve, reject) =>
    server.listen(local, (error, listener) =>
      listener === undefined ? reject(error) : resolve(formatAddress(listener.local)),
    ),
  );
}

/** A server that is stopped when the test is over, however it ended. */
export function newServer(t: TestContext, host: Host, options?: RpcServerOptions): RpcServer {
  const server = new RpcServer(host, options);
  t.after(() => stopServer(server, 0));
  return server;
}

/** A client that is stopped when the test is over, however it ended. */
export function newClient(t: TestContext, host: Host, options?: RpcClientOptions): RpcClient {
  const client = new RpcClient(host, options);
  t.after(() => stopClient(client));
  return client;
}

export const stopServer = (server: RpcServer, timeoutMs = 5000): Promise<number> =>
  new Promise((resolve) => server.stop(timeoutMs, resolve));
export const stopClient = (client: RpcClient): Promise<void> =>
  new Promise((resolve) => client.stop(() => resolve()));

/** One frame as bytes. */
export function frameBytes(frame: Partial<OutgoingFrame> & { code: number }): Buffer {
  const writer = new FrameWriter();
  writer.frame({
    serializeType: SERIALIZE_ROCKETMQ,
    language: 0,
    version: 513,
    opaque: 1,
    flag: 0,
    ...frame,
  });
  const batch = writer.take()!;
  return Buffer.concat(batch.slices);
}

/** Resolves after as many turns of the event loop as asked for. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

/** Waits, a turn at a time, until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1);
}

export interface CountedHost extends Host {
  /** The slices of every write, oldest first. */
  readonly writes: (readonly Uint8Array[])[];
}

/** The real machine, with every write noted. */
export function countingHost(): CountedHost {
  const host = nodeHost();
  const writes: (readonly Uint8Array[])[] = [];
  const count = (connection: Connection): Connection => {
    const write = connection.write.bind(connection);
    connection.write = (slices, written) => {
      writes.push(slices);
      write(slices, written);
    };
    return connection;
  };
  const network: Network = {
    listen: (local, onConnection, done) =>
      host.network.listen(local, (connection) => onConnection(count(connection)), done),
    connect: (remote, timeoutMs, done) =>
      host.network.connect(remote, timeoutMs, (error, connection) =>
        done(error, connection === undefined ? undefined : count(connection)),
      ),
    resolve: (name, done) => host.network.resolve(name, done),
    localAddresses: () => host.network.localAddresses(),
  };
  return { ...host, network, writes };
}

/** Keeps every line at warn and above. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (bindings: object | string, message?: string): void => {
    const { err } = (typeof bindings === "string" ? {} : bindings) as { err?: Error };
    lines.push(`${message ?? bindings} ${err?.message ?? ""}`);
  };
  const drop = (): void => {};
  return { logger: { trace: drop, debug: drop, info: drop, warn: keep, error: keep, fatal: keep }, lines };
}
