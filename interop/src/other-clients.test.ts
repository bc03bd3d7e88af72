/**
 * Clients that neither we nor the RocketMQ project's Java people wrote, against OrbitMQ: Go's rocketmq-client-go/v2,
 * built from interop/go, and Node's ali-ons: send, consume, tags, and what one sends the others get.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, type Delivery, deliveriesIn } from "./delivery.ts";
import { consume, createTopic, sendAll, startProducer } from "./our-clients.ts";
import type { JsonLine } from "./program-lines.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("other-clients");
let server: ServerProcess;
let namesrv: string;
before(async () => {
  server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
  namesrv = server.namesrvAddr;
});

/** What a client of any kind can do here. */
interface Basics {
  send(topic: string, keys: string, count: number, tag?: string): Promise<void>;
  /** As a member of the group, until it has so many. */
  consume(topic: string, group: string, count: number, tags?: string): Promise<readonly Delivery[]>;
}

const ours: Basics = {
  async send(topic, keys, count, tag) {
    const producer = await startProducer({ namesrv });
    await sendAll(producer, topic, { keys, count, ...(tag === undefined ? {} : { tag }) });
    await producer.shutdown();
  },
  consume: (topic, group, count, tags) => consume({ namesrv, group }, topic, count, tags),
};

function basicsOf(name: string, client: Basics): void {
  test(`${name} sends, and it and ours consume it whole`, { timeout }, async () => {
    const topic = `from-${name}`;
    await createTopic(namesrv, topic, 4);
    await client.send(topic, "a-", 20, "A");
    await client.send(topic, "b-", 10, "B");
    const all = [
      { keys: "a-", count: 20, tag: "A" },
      { keys: "b-", count: 10, tag: "B" },
    ];
    assertDelivered(await ours.consume(topic, "g-ours", 30), ...all);
    assertDelivered(await client.consume(topic, `g-${name}`, 30), ...all);
  });

  test(`${name} gets what ours sent, of the tags it asked for, and goes on where it stopped`, {
    timeout,
  }, async () => {
    const [topic, group] = [`to-${name}`, `g-to-${name}`];
    await createTopic(namesrv, topic, 4);
    for (const tag of ["A", "B", "C"]) await ours.send(topic, `${tag}-`, 10, tag);
    assertDelivered(
      await client.consume(topic, group, 20, "A || C"),
      { keys: "A-", count: 10, tag: "A" },
      { keys: "C-", count: 10, tag: "C" },
    );
    await ours.send(topic, "more-", 5, "C");
    assertDelivered(await client.consume(topic, group, 5, "A || C"), { keys: "more-", count: 5, tag: "C" });
  });
}

/** Those of a program that takes `produce` and `consume` and prints JSON lines. */
function programBasics(command: () => readonly string[]): Basics {
  const run = async (what: string, options: Readonly<Record<string, string | number>>) => {
    const [file = "", ...before] = command();
    const args = Object.entries({ namesrv, ...options }).map(([name, value]) => `--${name}=${value}`);
    const limits = { timeout: 40_000, killSignal: "SIGKILL" } as const;
    const { stdout } = await promisify(execFile)(file, [...before, what, ...args], limits);
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as JsonLine);
  };
  return {
    send: async (topic, keys, count, tag = "") => {
      const receipts = await run("produce", { topic, keys, count, tag });
      assert.equal(new Set(receipts.map(({ msgId }) => msgId)).size, count);
    },
    consume: async (topic, group, count, tag = "*") =>
      deliveriesIn(await run("consume", { topic, group, count, tag })),
  };
}

const go = spawnSync("go", ["version"], { encoding: "utf8" });
describe("Go's rocketmq-client-go", { skip: go.status === 0 ? false : "needs go" }, () => {
  const program = join(workshop.folder, "go-client");
  before(async () => {
    const cwd = join(import.meta.dirname, "../go");
    await promisify(execFile)("go", ["build", "-o", program, "."], { cwd });
  });
  basicsOf(
    "go",
    programBasics(() => [program]),
  );
});

describe("Node's ali-ons", () => {
  const program = join(import.meta.dirname, "ons-program.ts");
  const run = [process.execPath, "--conditions=orbitmq-source", "--import", "tsx", program];
  basicsOf(
    "ali-ons",
    programBasics(() => run),
  );
});
