/** What somebody sees whose store was damaged while the server was not running: the whole server, on a real disk. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Producer, Reader, type SendResult } from "@orbitmq/client";
import { type Logger, silentLogger } from "@orbitmq/host";
import { exitCodeFor } from "./commands/failure.ts";
import { ServerError } from "./server-error.ts";
import { type OrbitMQ, type StartOptions, start } from "./start.ts";
import { temporaryFolder } from "./testing/built-command.ts";

let folder: ReturnType<typeof temporaryFolder>;
let home: string;
let running: OrbitMQ | undefined;

beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, "store");
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
  folder.remove();
});

async function started(options: StartOptions = {}): Promise<OrbitMQ> {
  running = await start({ home, namesrvPort: 0, brokerPort: 0, vipPort: 0, ...options });
  return running;
}

async function stopped(): Promise<void> {
  await running?.stop();
  running = undefined;
}

async function send(bodies: readonly string[], properties?: Record<string, string>): Promise<SendResult[]> {
  await using producer = new Producer({ namesrv: running!.namesrvAddr });
  await producer.start();
  const results: SendResult[] = [];
  for (const body of bodies) {
    results.push(await producer.send({ topic: "orders", body, ...(properties && { properties }) }));
  }
  return results;
}

async function texts(): Promise<string[]> {
  await using reader = new Reader({ namesrv: running!.namesrvAddr });
  await reader.start();
  const found: string[] = [];
  for await (const message of reader.read("orders", { from: "first", follow: false }))
    found.push(message.text());
  return found.sort();
}

function listening(): { logger: Logger; said: string[] } {
  const said: string[] = [];
  const note = (first: object | string, message?: string): void => {
    said.push(typeof first === "string" ? first : (message ?? ""));
  };
  return { logger: { ...silentLogger, warn: note, error: note }, said };
}

describe("a send", () => {
  for (const [flushDiskType, wait, durability] of [
    ["SYNC_FLUSH", "true", "disk"],
    ["SYNC_FLUSH", "false", "memory"],
    ["ASYNC_FLUSH", "true", "memory"],
    ["ASYNC_FLUSH", "false", "memory"],
  ] as const) {
    it(`under ${flushDiskType} with WAIT=${wait} is told that its message is in ${durability}`, async () => {
      await started({ config: { flushDiskType } });
      const [result] = await send(["x"], { WAIT: wait });
      assert.equal(result?.durability, durability);
      assert.deepEqual(await texts(), ["x"]);
    });
  }
});

describe("a store with", () => {
  it("a segment missing in the middle is refused with exit code 4, naming the gap and what can be done", async () => {
    const config = { mappedFileSizeCommitLog: 1024 * 1024 };
    await started({ config });
    // The client compresses what it can.
    await send(Array.from({ length: 8 }, () => randomBytes(450_000).toString("base64")));
    await stopped();
    const segments = readdirSync(join(home, "commitlog")).sort();
    assert.ok(segments.length >= 4, segments.join());
    rmSync(join(home, "commitlog", segments[1]!));
    await assert.rejects(started({ config }), (error) => {
      assert.ok(error instanceof ServerError && exitCodeFor(error) === 4, String(error));
      assert.match(
        error.message,
        new RegExp(`gap: .*${segments[1]} is missing \\(offsets 1048576 to 2097152\\)`),
      );
      assert.match(error.message, /bring the file back from a copy, or move/);
      return true;
    });
  });

  it("its configuration torn, backups and all, starts, says what is lost and serves every message", async () => {
    await started();
    await send(["a", "b", "c"]);
    await stopped();
    const config = join(home, "config");
    const names = readdirSync(config).filter((name) => /\.json(\.bak)?$/.test(name));
    assert.ok(names.includes("topics.json"), names.join());
    for (const name of names) writeFileSync(join(config, name), '{"topicConfigTable":{');
    writeFileSync(join(config, "consumerOffset.json"), "");
    const { logger, said } = listening();
    await started({ logger });
    assert.deepEqual(await texts(), ["a", "b", "c"]);
    assert.match(said.join("\n"), /topics.json is lost: topics that have messages are made again/);
    assert.match(said.join("\n"), /all committed offsets are lost/);
    await send(["d"]);
    assert.deepEqual(await texts(), ["a", "b", "c", "d"]);
  });

  it("its queues, its checkpoint and everything that can be derived gone serves every message", async () => {
    await started();
    await send(["a", "b", "c"]);
    await stopped();
    for (const name of readdirSync(home)) {
      if (name !== "commitlog") rmSync(join(home, name), { recursive: true });
    }
    await started();
    assert.deepEqual(await texts(), ["a", "b", "c"]);
  });
});
