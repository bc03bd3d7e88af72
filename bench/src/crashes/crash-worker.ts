/**
 * The application that is killed, or whose broker is: works on `count` messages at once up to a point, says "reached"
 * there, and goes on when a line comes in. Its own commits are lines of a file, each written before it counts:
 * processes are killed here, not machines. A worker with the point "recover" is the application started again: all it
 * does is be there to be asked.
 *
 * At the point "sending" it works on a flow of messages, and says "reached" amid it.
 *
 * Argument: one JSON object (CrashWorkerOptions). Prints "reached", and "done" when every message is through.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as later } from "node:timers/promises";
import { type LocalTransactionState, Producer, TransactionProducer } from "@orbitmq/client";
import { FLOW_IN_FLIGHT, type Point, type Way } from "./crash-plan.ts";

export interface CrashWorkerOptions {
  readonly namesrv: string;
  readonly topic: string;
  readonly group: string;
  readonly way: Way;
  readonly point: Point | "recover";
  readonly count: number;
  /** The file of local commits. */
  readonly commits: string;
}

const RETRY_MS = 200;
const RETRIES_FOR_MS = 60_000;
const options = JSON.parse(process.argv[2] ?? "{}") as CrashWorkerOptions;
const { namesrv, topic, group, way, point, count, commits } = options;

const file = openSync(commits, "a");
const working = new Set<string>();
let arrived = 0;
let goOn: () => void = () => {};
const told = new Promise<void>((resolve) => {
  goOn = resolve;
});

function commit(id: string): void {
  writeSync(file, `${id}\n`);
}

function isCommitted(id: string): boolean {
  return existsSync(commits) && readFileSync(commits, "utf8").split("\n").includes(id);
}

/** All messages wait here, if this is the point. */
async function at(here: Point): Promise<void> {
  if (here !== point) return;
  if (++arrived === count) console.log("reached");
  await told;
}

/** Repeated until it succeeds: what the application promises itself by "with retries". */
async function untilDone(send: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + RETRIES_FOR_MS;
  for (;;) {
    try {
      await send();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await later(RETRY_MS);
    }
  }
}

async function transactions(): Promise<void> {
  const producer = new TransactionProducer<string>({
    namesrv,
    group,
    executeLocalTransaction: async ({ argument: id }): Promise<LocalTransactionState> => {
      working.add(id);
      await at("between");
      commit(id);
      await at("after");
      working.delete(id);
      return "COMMIT_MESSAGE";
    },
    checkLocalTransaction: (message): LocalTransactionState => {
      const id = message.text();
      if (isCommitted(id)) return "COMMIT_MESSAGE";
      return working.has(id) ? "UNKNOW" : "ROLLBACK_MESSAGE";
    },
  });
  await producer.start();
  if (point === "recover") {
    // To be heard of by the broker it has to know the topic's route.
    await producer.publishQueues(topic);
    console.log("reached");
    await told;
  } else {
    await each(async (id) => {
      await at("before");
      // One that was never taken is the application's to do again: nothing is committed.
      await untilDone(() => producer.sendInTransaction({ topic, body: id }, { argument: id }));
    });
  }
  await producer.shutdown();
}

async function sends(): Promise<void> {
  if (point === "recover") return;
  const producer = new Producer({ namesrv, group });
  await producer.start();
  // A first message of its own: the others are on their way as soon as they are sent.
  await producer.publishQueues(topic);
  await each(async (id) => {
    commit(id);
    await at("before");
    await untilDone(() => producer.send({ topic, body: id }));
    await at("after");
  });
  await producer.shutdown();
}

function each(work: (id: string) => Promise<void>): Promise<unknown> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      if (point === "sending" && next === count >> 2) console.log("reached");
      await work(`${way}-${point}-${next++}`);
    }
  };
  return Promise.all(Array.from({ length: point === "sending" ? FLOW_IN_FLIGHT : count }, lane));
}

createInterface({ input: process.stdin }).once("line", () => goOn());
await (way === "transaction" ? transactions() : sends());
closeSync(file);
process.stdout.write("done\n", () => process.exit(0));
