/** `orbitmq store …` on the files of a server, while it runs and after it has stopped. */
import assert from "node:assert/strict";
import { openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import {
  ensureBuilt,
  jsonRows,
  runCommand,
  startServer,
  type TestServer,
  temporaryFolder,
} from "./testing/built-command.ts";

before(ensureBuilt);

let folder: ReturnType<typeof temporaryFolder>;
let home: string;
let servers: TestServer[];
const SMALL = ["-o", "mappedFileSizeCommitLog=65536", "-o", "mappedFileSizeConsumeQueue=4000"];

beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, "store");
  servers = [];
});

afterEach(async () => {
  for (const server of servers) {
    server.child.kill("SIGKILL");
    await server.ended;
  }
  folder.remove();
});

async function serve(at: string): Promise<TestServer> {
  const server = await startServer(["--home", at, ...SMALL]);
  servers.push(server);
  return server;
}

async function stop(server: TestServer): Promise<void> {
  server.child.kill("SIGTERM");
  await server.ended;
}

const send = (server: TestServer, body: string, count = 1) =>
  runCommand(["send", "T", body, "--count", String(count), "-n", server.namesrv]);
const store = (...args: string[]) => runCommand(["store", ...args, "--home", home]);

describe("orbitmq store", () => {
  it("verifies, counts and dumps the store of a running and of a stopped server", async () => {
    const server = await serve(home);
    assert.equal((await send(server, "hello", 20)).code, 0);
    assert.equal((await store("verify")).code, 0);
    assert.equal((await store("rebuild-queues")).code, 3, "the store is in use");
    await stop(server);
    const verified = await store("verify");
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /^20 records in .* 20 units in \d queues: all is well\n$/);
    const [stat] = jsonRows((await store("stat", "--json")).stdout);
    assert.deepEqual([stat?.["state"], stat?.["messages"]], ["stopped", 20]);
    const dumped = jsonRows((await store("dump", "--topic", "T", "--count", "7")).stdout);
    assert.deepEqual(new Set(dumped.map((record) => record["body"])), new Set(["hello"]));
    assert.equal(dumped.length, 7);
    assert.equal((await store("dump", "--from", "soon")).code, 2);
    assert.equal((await runCommand(["store", "stat", "--home", join(folder.path, "none")])).code, 8);
  });

  it("finds a damaged record, ends with 13, and leads consumers past it once it is skipped", async () => {
    const first = await serve(home);
    for (const body of ["one", "two-damaged", "three"]) assert.equal((await send(first, body)).code, 0);
    await stop(first);
    const log = join(home, "commitlog", "00000000000000000000");
    const at = readFileSync(log).indexOf("two-damaged");
    writeSync(openSync(log, "r+"), "X", at);
    const verified = await store("verify", "--json");
    assert.equal(verified.code, 13);
    const [report] = jsonRows(verified.stdout) as { findings: { offset: number; reason: string }[] }[];
    const { offset } = report!.findings[0]!;
    const second = await serve(home);
    const skipped = await store("skip", "--offset", String(offset));
    assert.equal(skipped.code, 0, skipped.stderr);
    assert.match(skipped.stdout, /^skipped: T\/\d at \d, log/);
    assert.equal((await store("skip", "--offset", "0")).code, 2, "what can be read is not skipped");
    const seen = await runCommand([
      ...["consume", "T", "--from", "first", "--count", "2", "--timeout", "30", "--json"],
      ...["-n", second.namesrv],
    ]);
    const bodies = jsonRows(seen.stdout).map((message) => message["body"]);
    assert.deepEqual(new Set(bodies), new Set(["one", "three"]));
    await stop(second);
    assert.equal((await store("rebuild-queues")).code, 0);
    assert.equal((await store("rebuild-index")).code, 0);
  });

  it("backs a server up under load; the copy starts with everything that was acknowledged before", async () => {
    const copy = join(folder.path, "copy");
    const server = await serve(home);
    assert.equal((await send(server, "before".padEnd(300, "b"), 300)).code, 0);
    const consumed = await runCommand([
      ...["consume", "T", "-g", "readers", "--from", "first", "--count", "300", "--timeout", "30"],
      ...["-n", server.namesrv],
    ]);
    assert.equal(consumed.code, 0, consumed.stderr);
    const load = send(server, "during".padEnd(300, "d"), 2000);
    const backedUp = await store("backup", "--to", copy, "--json");
    assert.equal(backedUp.code, 0, backedUp.stderr);
    assert.equal((await load).code, 0);
    const again = jsonRows((await store("backup", "--to", copy, "--json")).stdout)[0]!;
    assert.ok((again["keptBytes"] as number) >= 65_536, "full segments are copied once");
    assert.equal((await send(server, "after")).code, 0);
    await stop(server);
    const restored = await serve(copy);
    const seen = await runCommand([
      ...["consume", "T", "--from", "first", "--count", "2300", "--timeout", "60", "--json"],
      ...["-n", restored.namesrv],
    ]);
    assert.equal(seen.code, 0, seen.stderr);
    const bodies = jsonRows(seen.stdout).map((message) => (message["body"] as string).slice(0, 6));
    assert.equal(bodies.filter((body) => body === "before").length, 300);
    assert.equal(bodies.filter((body) => body === "during").length, 2000);
    const next = await send(restored, "goes on");
    assert.equal(next.code, 0);
    assert.equal(
      (await runCommand(["store", "backup", "--home", home, "--to", copy])).code,
      2,
      "it is a store now",
    );
  });
});
