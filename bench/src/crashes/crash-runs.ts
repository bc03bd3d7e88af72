/**
 * Runs every case of crash-plan.ts against a real broker process: the application works up to its point, one of the two
 * is killed by kill -9, the broker is started again on the same store and ports, an application of the same group comes
 * back, and once nobody can be asked any more the topic is read from its beginning.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as later } from "node:timers/promises";
import { Reader } from "@orbitmq/client";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { killAtExit, removeAtExit } from "../left-behind.ts";
import { bundled } from "../load/bundled.ts";
import { someTopics } from "../workloads/load.ts";
import {
  type CrashCase,
  type CrashOutcome,
  crashCases,
  FLOW_BLOWS,
  messagesOf,
  outcomeOf,
  together,
} from "./crash-plan.ts";
import type { CrashWorkerOptions } from "./crash-worker.ts";

export interface CrashRunsOptions {
  /** Messages of a case, all at the same point when the blow comes. */
  readonly messages: number;
  readonly folder: string;
  readonly said: (line: string) => void;
}

/** Halves are asked about early, so that a case ends in seconds. */
const SETTINGS = ["-o", "transactionTimeOut=1000", "-o", "transactionCheckInterval=1000"];
/** A flow goes on for so long before the blow. */
const FLOW_MS = 5;
/** How long the broker is away. */
const DOWN_MS = 1_000;
/** By then every unfinished half was asked about several times. */
const SETTLED_MS = 6_000;
const LOST_AFTER_MS = 45_000;
const LOOK_MS = 500;
const QUEUES = 4;

export async function runCrashes({
  messages,
  folder: parent,
  said,
}: CrashRunsOptions): Promise<CrashOutcome[]> {
  const folder = mkdtempSync(join(parent, "orbitmq-bench-"));
  const remove = removeAtExit(folder);
  const broker = new CrashedBroker(join(folder, "store"));
  const outcomes: CrashOutcome[] = [];
  try {
    await broker.start();
    for (const one of crashCases) {
      const blows: CrashOutcome[] = [];
      const times = one.point === "sending" ? FLOW_BLOWS : 1;
      for (let blow = 1; blow <= times; blow++)
        blows.push(await runCase(one, messages, broker, folder, blow));
      const outcome = together(blows);
      const { way, victim, point, lost, twice, untrue } = outcome;
      said(`${way}, ${victim} killed ${point}: ${lost} lost, ${twice} twice, ${untrue} untrue`);
      outcomes.push(outcome);
    }
    return outcomes;
  } finally {
    await broker.kill();
    remove();
  }
}

async function runCase(
  one: CrashCase,
  messages: number,
  broker: CrashedBroker,
  folder: string,
  blow: number,
): Promise<CrashOutcome> {
  const { way, victim, point } = one;
  const count = messagesOf(one, messages);
  const topic = `Crash-${way}-${victim}-${point}-${blow}`;
  const commits = join(folder, `${topic}.commits`);
  await someTopics({ stores: true, namesrvAddr: broker.namesrvAddr }, 1, QUEUES, topic);
  const options = {
    namesrv: broker.namesrvAddr,
    topic,
    group: `${topic}-group`,
    way,
    commits,
    count,
  };
  const worker = new Worker({ ...options, point });
  let back: Worker | undefined;
  try {
    await worker.says("reached");
    // Amid the flow: an answer and the messages that follow it are in the same turn.
    if (point === "sending") await later(FLOW_MS);
    if (victim === "producer") {
      await worker.kill();
      back = new Worker({ ...options, point: "recover" });
    } else {
      await broker.kill();
      worker.goOn();
      await later(DOWN_MS);
      await broker.start();
      await worker.says("done");
      // Only a producer that is there can be asked.
      if (way === "transaction") back = new Worker({ ...options, point: "recover" });
    }
    if (way === "transaction") await back?.says("reached");
    else await back?.says("done");
    const copies = await settledCopies(broker.namesrvAddr, topic, commits);
    return outcomeOf(one, count, committedIn(commits), copies);
  } finally {
    await Promise.all([worker.kill(), back?.kill()]);
  }
}

/** How often each message was delivered, when nothing more is to be expected. */
async function settledCopies(
  namesrv: string,
  topic: string,
  commits: string,
): Promise<ReadonlyMap<string, number>> {
  const end = performance.now() + LOST_AFTER_MS;
  await later(SETTLED_MS);
  for (;;) {
    const copies = await copiesOf(namesrv, topic);
    const missing = [...committedIn(commits)].some((id) => !copies.has(id));
    if (!missing || performance.now() > end) return copies;
    await later(LOOK_MS);
  }
}

async function copiesOf(namesrv: string, topic: string): Promise<Map<string, number>> {
  const copies = new Map<string, number>();
  const reader = new Reader({ namesrv });
  await reader.start();
  try {
    for await (const message of reader.read(topic, { follow: false })) {
      const id = message.text();
      copies.set(id, (copies.get(id) ?? 0) + 1);
    }
  } finally {
    await reader.shutdown();
  }
  return copies;
}

function committedIn(path: string): Set<string> {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return new Set(text.split("\n").filter((line) => line !== ""));
}

/** A broker that comes back where it was. */
class CrashedBroker {
  readonly #home: string;
  #server: ServerProcess | undefined;
  #ended: () => void = () => {};
  #ports: readonly string[] = [];

  constructor(home: string) {
    this.#home = home;
  }

  get namesrvAddr(): string {
    return this.#server?.namesrvAddr ?? "";
  }

  async start(): Promise<void> {
    const options = ["--log-level", "error", ...SETTINGS, ...this.#ports];
    const server = await startServerProcess({ home: this.#home, options });
    this.#server = server;
    this.#ended = killAtExit(server.pid);
    const [namesrv, broker] = [server.namesrvAddr, server.brokerAddr].map(
      (address) => address.split(":").at(-1)!,
    );
    this.#ports = ["--namesrv-port", namesrv!, "--broker-port", broker!];
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#ended();
  }
}

class Worker {
  readonly #child: ChildProcess;
  readonly #ended: () => void;
  readonly #said = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #stderr = "";

  constructor(options: CrashWorkerOptions) {
    const script = bundled(join(import.meta.dirname, "crash-worker.ts"));
    const child = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.#ended = killAtExit(child.pid!);
    createInterface({ input: child.stdout! }).on("line", (line) => {
      this.#said.add(line);
      for (const look of this.#waiting) look();
    });
    child.stderr!.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    child.on("exit", () => {
      this.#ended();
      for (const look of this.#waiting) look();
    });
    child.stdin!.on("error", (error) => {
      this.#stderr += error.message;
    });
  }

  /** Rejects when it ended without. */
  says(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
        if (!this.#said.has(line) && !hasEnded) return;
        this.#waiting.delete(look);
        if (this.#said.has(line)) resolve();
        else reject(new Error(`the application ended before it said ${line}: ${this.#stderr}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  goOn(): void {
    this.#child.stdin!.write("go\n");
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
