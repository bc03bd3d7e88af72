/**
 * Who may import whom, and which globals and `node:` modules each place may touch. This table is the house's
 * floor plan; everything not listed is refused.
 */
export interface Room {
  /** Folder, from the repository's root; the longest matching prefix counts. */
  readonly folder: string;
  /** Workspace packages it may import (besides itself). */
  readonly packages: readonly string[];
  /** `node:` modules it may import. */
  readonly modules: readonly string[];
  /** May it use ambient time, timers, randomness, `process` and the like? */
  readonly ambient: boolean | readonly string[];
}

const everything = [
  "@orbitmq/host",
  "@orbitmq/host/node",
  "@orbitmq/wire",
  "@orbitmq/store",
  "@orbitmq/nameserver",
  "@orbitmq/broker",
  "@orbitmq/client",
  "@orbitmq/client/internal",
  "orbitmq",
];
const anyModule = ["*"];

export const rooms: readonly Room[] = [
  { folder: "packages/host/src", packages: [], modules: [], ambient: false },
  { folder: "packages/host/src/node", packages: [], modules: anyModule, ambient: true },
  {
    // The simulated event loop lets microtasks drain between two events; nothing else there is ambient.
    folder: "packages/host/src/sim",
    packages: [],
    modules: ["node:crypto"],
    ambient: ["queueMicrotask", "process.nextTick"],
  },
  {
    folder: "packages/wire/src",
    packages: ["@orbitmq/host"],
    modules: ["node:zlib", "node:crypto"],
    ambient: false,
  },
  { folder: "packages/store/src", packages: ["@orbitmq/host", "@orbitmq/wire"], modules: [], ambient: false },
  {
    folder: "packages/nameserver/src",
    packages: ["@orbitmq/host", "@orbitmq/wire"],
    modules: [],
    ambient: false,
  },
  {
    folder: "packages/broker/src",
    packages: ["@orbitmq/host", "@orbitmq/wire", "@orbitmq/store"],
    modules: [],
    ambient: false,
  },
  {
    folder: "packages/client/src",
    packages: ["@orbitmq/host", "@orbitmq/wire"],
    modules: ["node:crypto"],
    ambient: false,
  },
  {
    folder: "packages/client/src/index.ts",
    packages: ["@orbitmq/host", "@orbitmq/host/node", "@orbitmq/wire"],
    modules: [],
    ambient: false,
  },
  { folder: "packages/orbitmq/src", packages: everything, modules: anyModule, ambient: true },
  { folder: "packages/orbitmq/pack-tests", packages: [], modules: anyModule, ambient: true },
  {
    folder: "packages/simulator",
    packages: [...everything, "@orbitmq/host/sim"],
    modules: anyModule,
    ambient: true,
  },
  { folder: "faults", packages: [...everything, "orbitmq/testing"], modules: anyModule, ambient: true },
  {
    folder: "bench",
    packages: [...everything, "orbitmq/testing", "@orbitmq/interop"],
    modules: anyModule,
    ambient: true,
  },
  {
    folder: "interop",
    packages: [...everything, "orbitmq/testing", "orbitmq/testing/prometheus"],
    modules: anyModule,
    ambient: true,
  },
  { folder: "examples", packages: ["@orbitmq/client", "orbitmq"], modules: anyModule, ambient: true },
  { folder: "scripts", packages: [], modules: anyModule, ambient: true },
];

export function roomOf(path: string): Room | undefined {
  let best: Room | undefined;
  for (const room of rooms) {
    const inside = path === room.folder || path.startsWith(`${room.folder}/`);
    if (inside && (best === undefined || room.folder.length > best.folder.length)) best = room;
  }
  return best;
}

/** Tests, fuzzers and benches run on the real machine and may use the test doubles of other packages. */
export function isTest(path: string): boolean {
  return /\.(test|fuzz|bench)\.ts$/.test(path) || path.includes("/testing/");
}
