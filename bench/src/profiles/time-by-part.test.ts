import assert from "node:assert/strict";
import { test } from "node:test";
import type { CpuProfile, ProfileNode } from "./cpu-profile.ts";
import { type Part, partNames } from "./parts.ts";
import { timeByPart } from "./time-by-part.ts";

const BUNDLE = "file:///dist/cli.js";
const SOURCES = [
  "packages/host/src/node/node-connection.ts",
  "packages/host/src/node/node-open-file.ts",
  "packages/wire/src/frame/decode-command.ts",
  "packages/wire/src/message/crc32.ts",
  "packages/wire/src/bytes/copy-bytes.ts",
  "packages/store/src/consume-queue/consume-queue.ts",
  "node_modules/ajv/ajv.js",
];

type Drawn = readonly [name: string, url: string, us: number, ...children: Drawn[]];

/** A profile of a drawn tree: each node's own time in one sample. */
function profiled(...drawn: Drawn[]): CpuProfile {
  const nodes: ProfileNode[] = [];
  const samples = [1];
  const timeDeltas = [70_000];
  const add = ([functionName, source, us, ...children]: Drawn): number => {
    const id = nodes.length + 1;
    const line = SOURCES.indexOf(source);
    const callFrame =
      line < 0
        ? { functionName, url: source, lineNumber: 0 }
        : { functionName, url: BUNDLE, lineNumber: line };
    const node = { id, callFrame, children: [] as number[] };
    nodes.push(node);
    if (us > 0) {
      samples.push(id);
      timeDeltas.push(us);
    }
    node.children.push(...children.map(add));
    return id;
  };
  add(["(root)", "", 0, ...drawn]);
  return { nodes, samples, timeDeltas };
}

/** Only what took time. By default the thread was on its core for all of it. */
function spent(
  profile: CpuProfile,
  coreUs = Number.POSITIVE_INFINITY,
  readyUs = 0,
): Partial<Record<Part, number>> {
  const stretch = { coreUs, readyUs, profile };
  const time = timeByPart(stretch, (url, line) => (url === BUNDLE ? SOURCES[line] : undefined));
  return Object.fromEntries(partNames.filter((part) => time[part] > 0).map((part) => [part, time[part]]));
}

test("what is native belongs to whoever called it: a socket's write and a file's are told apart", () => {
  const profile = profiled(
    ["writeGeneric", "node:internal/stream_base_commons", 1, ["writev", "", 20]],
    ["write", SOURCES[0]!, 2, ["emit", "node:events", 30]],
    ["writeSync", "node:fs", 4, ["writeBuffer", "", 40]],
    ["writeSync", SOURCES[1]!, 5, ["writeBuffer", "", 50]],
  );
  assert.deepEqual(spent(profile), { sockets: 53, files: 99 });
});

test("a function is the part of the folder it is written in, whoever called it", () => {
  const crc: Drawn = ["crc32", SOURCES[3]!, 7];
  const profile = profiled([
    "onread",
    "node:net",
    1,
    ["decode", SOURCES[2]!, 2, ["put", SOURCES[5]!, 4, crc]],
  ]);
  assert.deepEqual(spent(profile), { sockets: 1, wire: 2, dispatch: 4, checksums: 7 });
});

test("helpers that serve everybody count for their caller", () => {
  const copy: Drawn = ["copyBytes", SOURCES[4]!, 10, ["copy", "", 100]];
  assert.deepEqual(spent(profiled(["decode", SOURCES[2]!, 1, copy], ["put", SOURCES[5]!, 2, copy])), {
    wire: 111,
    dispatch: 112,
  });
});

test("what nobody of ours called, and what is other people's, is the rest", () => {
  const profile = profiled(
    ["processTicksAndRejections", "node:internal/process/task_queues", 3, ["runMicrotasks", "", 4]],
    ["validate", SOURCES[6]!, 5],
    ["eval", "evalmachine.<anonymous>", 6],
    ["(garbage collector)", "", 9],
  );
  assert.deepEqual(spent(profile), { loop: 18, gc: 9 });
});

test("how long it waited is what the scheduler counts neither on a core nor ready", () => {
  const profile = profiled(["(idle)", "", 600], ["(program)", "", 400], ["decode", SOURCES[2]!, 100]);
  assert.deepEqual(spent(profile, 400), { waiting: 700, loop: 300, wire: 100 });
  assert.deepEqual(spent(profile, 50), { waiting: 1_000, wire: 100 });
  assert.deepEqual(spent(profile, 1_101), { loop: 1_000, wire: 100 });
});

test("time without a core is taken from all parts alike", () => {
  const profile = profiled(
    ["(idle)", "", 1_000],
    ["decode", SOURCES[2]!, 400],
    ["(garbage collector)", "", 200],
  );
  assert.deepEqual(spent(profile, 600, 200), { waiting: 800, ready: 200, loop: 150, wire: 300, gc: 150 });
  assert.deepEqual(spent(profile, 0, 2_000), { ready: 1_600 });
});

test("all parts together are the time of the samples, without the profiler's own beginning", () => {
  const profile = profiled(["(program)", "", 5], ["decode", SOURCES[2]!, 6, ["onread", "node:net", 7]]);
  const sum = Object.values(spent(profile, 10, 3)).reduce((all, us) => all + us, 0);
  assert.equal(sum, 18);
  assert.deepEqual(spent({ nodes: [], samples: [], timeDeltas: [] }), {});
});
