/**
 * One kind of message beside plain ones, by the pipelined loader and by our client, in interleaved rounds: each turn has
 * a fresh server on an empty store, who goes first changes from round to round, and a turn counts only when the queues
 * hold exactly what was acknowledged.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { KindDriverOptions } from "../clients/kind-driver.ts";
import { removeAtExit } from "../left-behind.ts";
import type { LoaderResult } from "../load/loader.ts";
import { runLoader } from "../load/run-loader.ts";
import { runProcess } from "../load/run-process.ts";
import type { SentKind } from "../load/send-frame.ts";
import { rawSyncRate } from "../measure/raw-sync.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import type { BenchServer, FlushDiskType } from "../servers/bench-server.ts";
import { orbitmq } from "../servers/orbitmq.ts";
import { placeOf, someTopics } from "../workloads/load.ts";

/** Who sends: the loader, whose messages cost it next to nothing, or our client as applications use it. */
export type Sender = "loader" | "client";

export interface KindTurn {
  readonly round: number;
  readonly kind: SentKind;
  readonly sender: Sender;
  readonly rawSyncPerSecond: number;
  readonly result: LoaderResult;
}

export interface KindRoundsOptions {
  readonly kind: Exclude<SentKind, "plain">;
  readonly rounds: number;
  readonly seconds: number;
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly flush: FlushDiskType;
  /** Where stores are made. */
  readonly folder: string;
  readonly said: (line: string) => void;
}

const QUEUES = 4;
const WARM_UP_MS = 2_000;
const RAW_SYNC_MS = 500;
const TIMER_TOPIC = "rmq_sys_wheel_timer";

export async function runKindRounds(options: KindRoundsOptions): Promise<KindTurn[]> {
  const turns: KindTurn[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const order: (readonly [SentKind, Sender])[] = (["loader", "client"] as const).flatMap((sender) => [
      ["plain", sender] as const,
      [options.kind, sender] as const,
    ]);
    if (round % 2 === 0) order.reverse();
    for (const [kind, sender] of order) {
      const turn = await oneTurn(kind, sender, round, options);
      turns.push(turn);
      const { perSecond, p99Ms, serverCpuUs } = turn.result;
      options.said(
        `round ${round}/${options.rounds}: ${kind} by the ${sender} ${Math.round(perSecond).toLocaleString("en")}/s, ` +
          `p99 ${p99Ms.toFixed(2)} ms, ${serverCpuUs.toFixed(1)} µs CPU of the server a message`,
      );
    }
  }
  return turns;
}

async function oneTurn(
  kind: SentKind,
  sender: Sender,
  round: number,
  { flush, folder: parent, ...options }: KindRoundsOptions,
): Promise<KindTurn> {
  const folder = mkdtempSync(join(parent, "orbitmq-bench-"));
  const remove = removeAtExit(folder);
  try {
    const rawSyncPerSecond = rawSyncRate(folder, RAW_SYNC_MS);
    const server = await orbitmq().start({ flush, folder: join(folder, "store") });
    try {
      const [topic = ""] = await someTopics(server, 1, QUEUES);
      const result = await load(server, sender, kind, topic, options);
      if (result.refused > 0) throw new Error(`${result.refused} ${kind} messages were refused`);
      const topics = kind === "timer" ? [TIMER_TOPIC] : [topic];
      const queues = kind === "timer" ? 1 : QUEUES;
      await awaitStored(server.brokerAddr, { topics, queues, atLeast: result.acknowledgedInTotal });
      return { round, kind, sender, rawSyncPerSecond, result };
    } finally {
      await server.stop("kill");
    }
  } finally {
    remove();
  }
}

function load(
  server: BenchServer,
  sender: Sender,
  kind: SentKind,
  topic: string,
  { inFlight, bodyBytes, seconds }: Pick<KindRoundsOptions, "inFlight" | "bodyBytes" | "seconds">,
): Promise<LoaderResult> {
  const times = { warmUpMs: WARM_UP_MS, durationMs: seconds * 1_000, serverPids: server.pids };
  if (sender === "loader") {
    const place = { ...placeOf(server.brokerAddr), topics: [topic], queues: QUEUES };
    return runLoader({ ...place, ...times, kind, bodyBytes, connections: 1, inFlight });
  }
  const driver: KindDriverOptions = {
    namesrv: server.namesrvAddr,
    kind,
    topic,
    bodyBytes,
    inFlight,
    ...times,
  };
  return runProcess<LoaderResult>("../clients/kind-driver.ts", driver);
}
