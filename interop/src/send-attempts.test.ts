/**
 * What a producer makes of answers that are none: the attempts of the official clients and ours, side by side, against
 * brokers that answer by a script. `A` is the broker of the first attempt, `B` the other one.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { OrbitError, Producer, type ProducerOptions, type SendResult } from "@orbitmq/client";
import { type JavaVersion, javaVersions } from "./java-classpath.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { type Answer, ScriptedBrokers } from "./scripted-brokers.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const TOPIC = "attempts";
const workshop = new Workshop("send-attempts");
const clientsOf = new Map<JavaVersion, JavaClients>();

before(async () => {
  for (const version of javaVersions) {
    const started = await startJavaClients({ home: workshop.folder, version });
    clientsOf.set(
      version,
      workshop.ends(started, (it) => it.stop()),
    );
  }
});

interface Row {
  readonly name: string;
  readonly answers: readonly Answer[];
  readonly attempts: string;
  readonly mode?: "sync" | "async" | "oneway";
  readonly options?: ProducerOptions;
  /** What both say in the end: a status, or the broker's code; "failed" when no broker said anything. */
  readonly end: string | number;
  /** What ours says where Java says something else: docs/differences.md. */
  readonly ours?: string | number;
  /** Where the client of 4.9.8 goes another way than that of 5.5.0. */
  readonly java4?: { readonly attempts?: string; readonly end?: string | number };
}

const retried = [1, 2, 14, 16, 17, 204, 205];
const final = [3, 13, 24, 26, 29, 215];
const stored = { 10: "FLUSH_DISK_TIMEOUT", 11: "SLAVE_NOT_AVAILABLE", 12: "FLUSH_SLAVE_TIMEOUT" } as const;
const both = { retryAnotherBrokerWhenNotStoreOK: true };

/** 4.9.8 asks nobody else when a broker is busy… */
const busy = { attempts: "A", end: 2 };
/** …knows no broker that goes away… */
const gone = { attempts: "A", end: 1_500 };
/** …and notices a lost connection when its time is over. So does 5.5.0 when another of its threads has the channels locked. */
const lost = { attempts: "A", end: "failed" };

const rows: readonly Row[] = [
  { name: "an acknowledgement", answers: [0], attempts: "A", end: "SEND_OK" },
  ...retried.map((code) => ({
    name: `code ${code}, for ever`,
    answers: [code],
    attempts: "ABA",
    end: code,
    ...(code === 2 ? { java4: busy } : {}),
  })),
  // Both connect anew and ask the same broker once more; a second one is a lost connection to Java, and told as it is by ours.
  {
    name: "code 1500, for ever",
    answers: [1_500],
    attempts: "AABBAA",
    end: "failed",
    ours: 1_500,
    java4: gone,
  },
  {
    name: "code 1500, for ever",
    mode: "async",
    answers: [1_500],
    attempts: "AABBAA",
    end: "failed",
    ours: 1_500,
    java4: gone,
  },
  ...final.map((code) => ({ name: `code ${code}`, answers: [code], attempts: "A", end: code })),
  ...Object.entries(stored).flatMap(([code, status]) => [
    // Ours resolves for SEND_OK only.
    { name: `code ${code}`, answers: [Number(code)], attempts: "A", end: status, ours: Number(code) },
    {
      name: `code ${code}, another broker wanted`,
      answers: [Number(code), 0],
      attempts: "AB",
      end: "SEND_OK",
      options: both,
    },
    {
      name: `code ${code} for ever, another broker wanted`,
      answers: [Number(code)],
      attempts: "ABA",
      end: status,
      ours: Number(code),
      options: both,
    },
  ]),
  { name: "busy, then an acknowledgement", answers: [2, 0], attempts: "AB", end: "SEND_OK", java4: busy },
  { name: "busy, then illegal", answers: [2, 13], attempts: "AB", end: 13, java4: busy },
  { name: "busy, without retries", answers: [2], attempts: "A", end: 2, options: { retryTimes: 0 } },
  {
    name: "busy, with five retries",
    answers: [2],
    attempts: "ABABAB",
    end: 2,
    options: { retryTimes: 5 },
    java4: busy,
  },
  {
    name: "a lost connection, then an acknowledgement",
    answers: ["drop", 0],
    attempts: "AB",
    end: "SEND_OK",
    java4: lost,
  },
  { name: "lost connections for ever", answers: ["drop"], attempts: "ABA", end: "failed", java4: lost },
  { name: "silence", answers: ["silence"], attempts: "A", end: "failed", options: { sendTimeoutMs: 500 } },
  {
    name: "silence, with a time for each attempt",
    answers: ["silence"],
    attempts: "ABA",
    end: "failed",
    options: { sendTimeoutMs: 1_500, sendTimeoutPerRequestMs: 300 },
  },
  {
    name: "silence once, with a time for each attempt",
    answers: ["silence", 0],
    attempts: "AB",
    end: "SEND_OK",
    options: { sendTimeoutMs: 5_000, sendTimeoutPerRequestMs: 300 },
  },
  {
    name: "busy, latencies watched",
    answers: [2, 0],
    attempts: "AB",
    end: "SEND_OK",
    options: { sendLatencyFaultEnable: true },
    java4: busy,
  },
  { name: "busy", mode: "async", answers: [2], attempts: "A", end: 2 },
  { name: "code 10", mode: "async", answers: [10], attempts: "A", end: stored[10], ours: 10 },
  {
    name: "a lost connection, then an acknowledgement",
    mode: "async",
    answers: ["drop", 0],
    attempts: "AB",
    end: "SEND_OK",
    java4: lost,
  },
  {
    name: "lost connections for ever",
    mode: "async",
    answers: ["drop"],
    attempts: "ABA",
    end: "failed",
    java4: lost,
  },
  {
    name: "lost connections, without retries",
    mode: "async",
    answers: ["drop"],
    attempts: "A",
    end: "failed",
    options: { retryTimesAsync: 0 },
  },
  {
    name: "silence",
    mode: "async",
    answers: ["silence"],
    attempts: "A",
    end: "failed",
    options: { sendTimeoutMs: 500 },
  },
  { name: "anything", mode: "oneway", answers: [2], attempts: "A", end: "ONEWAY" },
];

function pattern(attempts: readonly string[]): string {
  return attempts.map((name) => (name === attempts[0] ? "A" : "B")).join("");
}

async function byJava(
  java: JavaClients,
  { mode = "sync", options = {} }: Row,
  namesrv: string,
): Promise<string | number> {
  const args = {
    namesrv,
    topic: TOPIC,
    mode,
    count: 1,
    "timeout-ms": options.sendTimeoutMs ?? 3_000,
    ...(options.retryTimes === undefined ? {} : { retries: options.retryTimes }),
    ...(options.retryTimesAsync === undefined ? {} : { "retries-async": options.retryTimesAsync }),
    ...(options.sendTimeoutPerRequestMs === undefined
      ? {}
      : { "attempt-ms": options.sendTimeoutPerRequestMs }),
    ...(options.retryAnotherBrokerWhenNotStoreOK === true ? { "not-store-ok": 1 } : {}),
    ...(options.sendLatencyFaultEnable === true ? { "latency-fault": 1 } : {}),
  };
  const run = java.start("produce", args);
  const line = await run.line((one) => "status" in one || "error" in one);
  // A oneway's program then asks brokers something that these do not answer.
  if (mode !== "oneway") await run.done;
  if (typeof line["status"] === "string") return line["status"];
  return line["error"] === "MQBrokerException" ? Number(line["code"]) : "failed";
}

async function byOurs({ mode = "sync", options = {} }: Row, namesrv: string): Promise<string | number> {
  const producer = new Producer({ namesrv, ...options });
  await producer.start();
  const message = { topic: TOPIC, body: "hello" };
  try {
    if (mode === "oneway") {
      await producer.sendOneway(message);
      return "ONEWAY";
    }
    const result = await (mode === "sync"
      ? producer.send(message)
      : new Promise<SendResult>((resolve, reject) => {
          producer.sendAsync(message, { onSuccess: resolve, onException: reject });
        }));
    return result.status;
  } catch (error) {
    if (!(error instanceof OrbitError)) throw error;
    return error.responseCode ?? "failed";
  } finally {
    await producer.shutdown();
  }
}

interface Sender {
  readonly who: string;
  readonly send: (namesrv: string) => Promise<string | number>;
  readonly end: string | number;
  readonly attempts: string;
  /** How else it may go. */
  readonly late?: { readonly end: string | number; readonly attempts: string } | undefined;
}

function sendersOf(row: Row): Sender[] {
  const { attempts, java4, options } = row;
  const senders: Sender[] = [];
  for (const version of javaVersions) {
    // Only 5.x knows a time for each attempt.
    if (version === "4.9.8" && options?.sendTimeoutPerRequestMs !== undefined) continue;
    const send = (namesrv: string) => byJava(clientsOf.get(version)!, row, namesrv);
    const other = version === "4.9.8" ? java4 : undefined;
    const late = version === "5.5.0" && java4 === lost ? lost : undefined;
    senders.push({ who: `RocketMQ's ${version}`, send, end: row.end, attempts, ...other, late });
  }
  senders.push({ who: "ours", send: (namesrv) => byOurs(row, namesrv), end: row.ours ?? row.end, attempts });
  return senders;
}

describe("a producer meets", () => {
  for (const row of rows) {
    test(`${row.name} (${row.mode ?? "sync"})`, { timeout }, async () => {
      for (const { who, send, end, attempts, late } of sendersOf(row)) {
        const brokers = new ScriptedBrokers(TOPIC, row.answers);
        await brokers.start();
        try {
          const ended = await send(brokers.namesrv);
          while (brokers.attempts.length === 0) await new Promise((resolve) => setImmediate(resolve));
          if (ended === late?.end && pattern(brokers.attempts) === late.attempts) continue;
          assert.equal(ended, end, `${who} ends`);
          assert.equal(pattern(brokers.attempts), attempts, `${who} attempts`);
        } finally {
          await brokers.stop();
        }
      }
    });
  }
});
