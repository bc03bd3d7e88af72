/**
 * From a profile to the time of each part: pure, whatever the profile is of. How long the thread was on a core, ready
 * without one, and asleep is what the scheduler counted; the profile only tells what it did on the core. To V8 the loop
 * is idle, too, while it reads a socket; and whoever is taken off a core seems to work until it is back, which for want of
 * a better knowledge is taken from all alike.
 */
import type { CallFrame, CpuProfile, ProfiledStretch } from "./cpu-profile.ts";
import { type Part, partNames, partOf } from "./parts.ts";

/** Microseconds of each part; all together the stretch. */
export type TimeByPart = Readonly<Record<Part, number>>;

/** The source file that a function is of; undefined where the file is not known. */
export type SourceOf = (url: string, line: number) => string | undefined;

export function timeByPart({ profile, coreUs, readyUs }: ProfiledStretch, sourceOf: SourceOf): TimeByPart {
  const partOfNode = partsOfNodes(profile, sourceOf);
  const time = Object.fromEntries(partNames.map((part) => [part, 0])) as Record<Part, number>;
  let allUs = 0;
  // A sample stands for the time before it: a thread that was taken off its core is asked when it is back. The
  // first one's time is the profiler's own beginning.
  for (let index = 1; index < profile.samples.length; index++) {
    const us = profile.timeDeltas[index]!;
    allUs += us;
    time[partOfNode.get(profile.samples[index]!) ?? "loop"] += us;
  }
  const asleepUs = Math.min(Math.max(0, allUs - coreUs - readyUs), time.waiting);
  time.loop += time.waiting - asleepUs;
  time.waiting = 0;
  const awakeUs = allUs - asleepUs;
  const ready = Math.min(1, readyUs / Math.max(1, awakeUs));
  for (const part of partNames) time[part] *= 1 - ready;
  time.waiting = asleepUs;
  time.ready = awakeUs * ready;
  return time;
}

/** Parents come before their children. */
function partsOfNodes({ nodes }: CpuProfile, sourceOf: SourceOf): ReadonlyMap<number, Part> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, Part>();
  const [root] = nodes;
  const todo: (readonly [id: number, caller: Part])[] = root === undefined ? [] : [[root.id, "loop"]];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const [id, caller] = at;
    const node = byId.get(id);
    if (node === undefined) continue;
    const found = partOfFrame(node.callFrame, sourceOf);
    const part = found === "caller" ? caller : found;
    parts.set(id, part);
    for (const child of node.children ?? []) todo.push([child, part]);
  }
  return parts;
}

function partOfFrame({ functionName, url, lineNumber }: CallFrame, sourceOf: SourceOf): Part | "caller" {
  if (functionName === "(idle)" || functionName === "(program)") return "waiting";
  if (functionName === "(garbage collector)") return "gc";
  if (url === "") return "caller";
  if (url.startsWith("node:")) return partOf(url);
  const source = sourceOf(url, lineNumber);
  return source === undefined ? "loop" : partOf(source);
}
