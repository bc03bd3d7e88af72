/**
 * What messages that wait for their time cost in memory: a fresh server takes so many of them, another as many plain
 * ones, and resident memory is looked at all the while. What the first needs beyond the second, the timers add.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import { removeAtExit } from "../left-behind.ts";
import { runLoader } from "../load/run-loader.ts";
import type { SentKind } from "../load/send-frame.ts";
import { memoryOf } from "../measure/process-cpu.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { orbitmq } from "../servers/orbitmq.ts";
import { placeOf, someTopics } from "../workloads/load.ts";

export interface PendingMemory {
  readonly kind: SentKind;
  readonly messages: number;
  /** MiB: before the first message, the most while they came, and when nothing had come for a while. */
  readonly idleMiB: number;
  readonly peakMiB: number;
  readonly restMiB: number;
  readonly perSecond: number;
}

const QUEUES = 4;
const REST_MS = 15_000;
const TIMER_TOPIC = "rmq_sys_wheel_timer";

export async function fillAndLook(
  kind: SentKind,
  messages: number,
  { folder: parent, bodyBytes }: { readonly folder: string; readonly bodyBytes: number },
): Promise<PendingMemory> {
  const folder = mkdtempSync(join(parent, "orbitmq-bench-"));
  const remove = removeAtExit(folder);
  try {
    const server = await orbitmq().start({ flush: "SYNC_FLUSH", folder: join(folder, "store") });
    try {
      const topics = await someTopics(server, 1, QUEUES);
      const idleMiB = memoryOf(server.pids).rssMiB;
      const result = await runLoader({
        ...placeOf(server.brokerAddr),
        topics,
        queues: QUEUES,
        kind,
        bodyBytes,
        connections: 1,
        inFlight: 64,
        warmUpMs: 0,
        durationMs: 0,
        messagesMin: messages,
      });
      const { acknowledgedInTotal: atLeast } = result;
      await awaitStored(
        server.brokerAddr,
        kind === "timer"
          ? { topics: [TIMER_TOPIC], queues: 1, atLeast }
          : { topics, queues: QUEUES, atLeast },
      );
      await later(REST_MS);
      const { rssMiB: restMiB, peakMiB } = memoryOf(server.pids);
      return { kind, messages: atLeast, idleMiB, peakMiB, restMiB, perSecond: result.perSecond };
    } finally {
      await server.stop("kill");
    }
  } finally {
    remove();
  }
}

/** A Markdown table, and whether what the timers add stays under `mostMiB`. */
export function pendingVerdict(
  timers: PendingMemory,
  plain: PendingMemory,
  mostMiB: number,
): { readonly lines: readonly string[]; readonly passed: boolean } {
  const row = (name: string, { messages, idleMiB, peakMiB, restMiB }: PendingMemory): string =>
    `| ${name} | ${messages.toLocaleString("en")} | ${[idleMiB, peakMiB, restMiB].map((mib) => mib.toFixed(1)).join(" | ")} |`;
  const peak = timers.peakMiB - plain.peakMiB;
  const rest = timers.restMiB - plain.restMiB;
  const passed = peak <= mostMiB && rest <= mostMiB;
  return {
    passed,
    lines: [
      "| what | messages | RSS idle MiB | peak of filling MiB | at rest MiB |",
      "|---|---|---|---|---|",
      row("for a time, all pending", timers),
      row("plain", plain),
      "",
      `- pending timers add ${peak.toFixed(1)} MiB to the peak and ${rest.toFixed(1)} MiB at rest, ` +
        `at most ${mostMiB} MiB: ${passed ? "pass" : "falls short"}`,
    ],
  };
}
