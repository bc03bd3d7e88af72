/**
 * What the event loop's time is told apart into. A sample belongs where the function on top is written: the product's
 * by folder, Node's by module. What is native, and what serves everybody (Buffer, events), belongs to whoever called it,
 * so that a write to a socket and one to a file are two things.
 */

/** In the order of a table's rows: from the machine over the connection to the store. All but two are time on a core. */
export const parts = {
  waiting: "waiting, nothing to do",
  ready: "ready, but without a core",
  loop: "the loop itself, and the rest: socket reads, wake-ups, timers",
  sockets: "sockets: writes, Node's streams",
  files: "files: writes, reads, the thread pool's calls and answers",
  gc: "garbage collection",
  wire: "`wire`: frames, headers, properties, batches",
  checksums: "`wire`: checksums (CRC-32)",
  log: "`store`: commit log",
  dispatch: "`store`: dispatch, ConsumeQueues, key index",
  reading: "`store`: reading",
  broker: "`broker`: handlers, long polls",
} as const;

export type Part = keyof typeof parts;

export const partNames = Object.keys(parts) as readonly Part[];

/** By where a source file lies; the first that fits. `caller`: whoever called it. */
export const PLACES: readonly (readonly [prefix: string, part: Part | "caller"])[] = [
  ["node:net", "sockets"],
  ["node:internal/net", "sockets"],
  ["node:stream", "sockets"],
  ["node:internal/stream", "sockets"],
  ["node:fs", "files"],
  ["node:internal/fs/", "files"],
  ["node:", "caller"],
  ["packages/host/src/node/node-connection.ts", "sockets"],
  ["packages/host/src/node/node-network.ts", "sockets"],
  ["packages/host/src/node/node-time.ts", "loop"],
  ["packages/host/src/node/", "files"],
  ["packages/host/", "caller"],
  ["packages/wire/src/bytes/", "caller"],
  ["packages/wire/src/message/crc32.ts", "checksums"],
  ["packages/wire/", "wire"],
  ["packages/store/src/commit-log/", "log"],
  ["packages/store/src/dispatch/", "dispatch"],
  ["packages/store/src/consume-queue/", "dispatch"],
  ["packages/store/src/index-file/", "dispatch"],
  ["packages/store/src/reading/", "reading"],
  ["packages/store/src/integrity/", "reading"],
  ["packages/store/", "log"],
  ["packages/broker/", "broker"],
  ["bench/src/servers/null-broker.ts", "broker"],
];

/** Of a source file or a module of Node's. */
export function partOf(source: string): Part | "caller" {
  return PLACES.find(([prefix]) => source.startsWith(prefix))?.[1] ?? "loop";
}
