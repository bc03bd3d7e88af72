/** Every workload there is, in the order in which `compare` goes through them, and how the command line names them. */
import type { FlushDiskType } from "./servers/bench-server.ts";
import { catchUp } from "./workloads/catch-up.ts";
import { catchUpCold } from "./workloads/catch-up-cold.ts";
import { endToEndJava, endToEndOurs } from "./workloads/end-to-end.ts";
import { javaBatchProducer, javaProducer } from "./workloads/java-producer.ts";
import { memory } from "./workloads/memory.ts";
import { nodeClientsConsume, nodeClientsSend } from "./workloads/node-clients.ts";
import { drain, openMessaging } from "./workloads/open-messaging.ts";
import { otherSystems } from "./workloads/other-systems.ts";
import { pipelined } from "./workloads/pipelined.ts";
import { stall } from "./workloads/stall.ts";
import { startAfterKill, startEmpty } from "./workloads/start.ts";
import type { Workload } from "./workloads/workload.ts";

export const catalogue: readonly Workload[] = [
  ...[128, 1024].flatMap((bytes) => ["1x1", "1x64", "64x16"].map((shape) => pipelined(shape, bytes))),
  ...[128, 1024].flatMap((bytes) => [1, 16, 64].map((threads) => javaProducer(threads, bytes, false))),
  javaProducer(1, 128, true),
  javaProducer(1, 1024, true),
  javaBatchProducer(16, 32),
  endToEndJava,
  endToEndOurs,
  catchUp(5_000_000, 128),
  catchUp(1_000_000, 1024),
  catchUpCold(5_000_000, 128),
  catchUpCold(1_000_000, 1024),
  openMessaging(1, 1),
  openMessaging(1, 16),
  openMessaging(1, 100),
  openMessaging(100, 1),
  drain(500_000),
  startEmpty,
  startAfterKill(10),
  memory(10_000_000),
  stall,
  nodeClientsSend,
  nodeClientsConsume,
  otherSystems,
];

export interface Chosen {
  readonly workload: Workload;
  readonly flush: FlushDiskType;
  /** `pipelined-1x64-128-sync`. */
  readonly name: string;
}

const FLUSHES: readonly FlushDiskType[] = ["SYNC_FLUSH", "ASYNC_FLUSH"];

export function chosenName(workload: Workload, flush: FlushDiskType): string {
  return `${workload.id}-${flush === "SYNC_FLUSH" ? "sync" : "async"}`;
}

/** Whether something of it is held against a goal of the product's, not only against one of the loader's. */
export function hasGoal({ workload, flush }: Chosen): boolean {
  return workload.goals(flush).some(({ metric }) => metric !== "clientCores");
}

/**
 * `only`: names, or ids without `-sync`/`-async`, comma separated, `*` for any letters; default all. Throws for one
 * that names nothing.
 */
export function choose(workloads: readonly Workload[], only: string | undefined): Chosen[] {
  const all = workloads.flatMap((workload) =>
    FLUSHES.filter((flush) => (workload.flushes ?? FLUSHES).includes(flush)).map((flush) => ({
      workload,
      flush,
      name: chosenName(workload, flush),
    })),
  );
  if (only === undefined) return all;
  const wanted = new Set<Chosen>();
  for (const pattern of only.split(",")) {
    const escaped = pattern.split("*").map((text) => text.replace(/[.+?^$()[\]{}|\\]/g, "\\$&"));
    const expression = new RegExp(`^${escaped.join(".*")}$`);
    const found = all.filter(({ workload, name }) => expression.test(name) || expression.test(workload.id));
    if (found.length === 0) throw new Error(`no workload is called ${pattern}; --list names them`);
    for (const each of found) wanted.add(each);
  }
  return all.filter((each) => wanted.has(each));
}
