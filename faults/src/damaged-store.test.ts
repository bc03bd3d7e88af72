/**
 * Real stores with one bit flipped, or one file cut off, in any file: the server serves every message at its place,
 * or says which one it cannot read and goes past it when an operator gives it up, or refuses to start with a reason.
 * Every fourth damage is a flip in the log. ORBITMQ_DAMAGES sets how many (default 40).
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { Producer } from "@orbitmq/client";
import { type ServerProcess, serverCommand } from "orbitmq/testing";
import { startTestServer, temporaryHome } from "./test-server.ts";
import { type Found, type Ledger, newLedger, readAll, startLoad } from "./workload.ts";

const DAMAGES = Number(process.env["ORBITMQ_DAMAGES"] ?? 40);
/** More than there are processors: a reader in front of a record that is given up waits for its pull to end. */
const LANES = 4;
const run = promisify(execFile);
const TOPIC = "DamagedStore";
const options = [
  ...["-o", "mappedFileSizeCommitLog=65536", "-o", "mappedFileSizeConsumeQueue=2000"],
  ...["-o", "defaultTopicQueueNums=2", "--log-format", "json"],
  // An IndexFile of the usual size is 400 MB long, and every round copies one.
  ...["-o", "maxHashSlotNum=1000", "-o", "maxIndexNum=4000"],
];

/** A store with some hundred messages, stopped in order or killed. */
async function makeStore(t: TestContext, isStopped: boolean): Promise<{ home: string; ledger: Ledger }> {
  const home = temporaryHome(t);
  const ledger = newLedger();
  const server = await startTestServer(t, home, { options });
  const load = await startLoad(server.namesrvAddr, TOPIC, "damaged", 2, 8, ledger, 100);
  await load.acknowledgedReaches(400);
  if (isStopped) {
    await load.stop();
    assert.equal((await server.stop()).code, 0);
  } else {
    await server.kill();
    await load.stop();
    // What was written since the last mark was saved could as well be torn as damaged: another start saves one.
    await (await startTestServer(t, home, { options })).kill();
  }
  return { home, ledger };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && statSync(path).size > 0 && !path.endsWith("lock"));
}

/** Flips a bit somewhere in the part of a file that was ever written, or cuts the file off there. */
function damage(home: string, random: (below: number) => number, isOfLog: boolean): string {
  const files = filesBelow(home);
  const folders = [...new Set(files.map((path) => path.slice(0, path.lastIndexOf("/"))))];
  const folder = isOfLog ? join(home, "commitlog") : folders[random(folders.length)]!;
  const inside = files.filter((path) => path.slice(0, path.lastIndexOf("/")) === folder);
  // Segments that nothing was written to yet have nothing to lose.
  const within = isOfLog ? inside.filter((path) => readFileSync(path).some((byte) => byte !== 0)) : inside;
  const path = within[random(within.length)]!;
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 1 && bytes[end - 1] === 0) end -= 1;
  const at = random(end);
  const isCut = !isOfLog && random(4) === 0;
  if (isCut) truncateSync(path, at);
  else {
    const bit = random(8);
    bytes[at] = bytes[at]! ^ (1 << bit);
    writeFileSync(path, bytes);
  }
  return `${path.slice(home.length)} ${isCut ? "cut off at" : "flipped at"} ${at}`;
}

async function giveUp(home: string, offset: string, what: string): Promise<void> {
  const [node, cli] = serverCommand({ home });
  await run(node!, [cli!, "store", "skip", "--home", home, "--offset", offset]).catch((error: unknown) => {
    throw new Error(`${what}: the operator could not give up offset ${offset}`, { cause: error });
  });
}

/** Plays the operator: a message that is reported unreadable is given up. `stop` tells how many were. */
function giveUpReported(server: ServerProcess, home: string, what: string): { stop(): Promise<number> } {
  const given = new Map<string, Promise<unknown>>();
  const look = setInterval(() => {
    const reports = server.stderr().matchAll(/"physicalOffset":(\d+)[^\n]*a stored message cannot be read/g);
    for (const [, offset] of reports) {
      if (given.has(offset!)) continue;
      given.set(offset!, giveUp(home, offset!, what));
    }
  }, 100);
  return {
    stop: async () => {
      clearInterval(look);
      await Promise.all(given.values());
      return given.size;
    },
  };
}

function checkMessages(ledger: Ledger, { copies }: Found, missingMax: number, what: string): number {
  let missing = 0;
  for (const [body, { queue, queueOffset }] of ledger.acknowledged) {
    const places = copies.get(body);
    if (places === undefined) missing += 1;
    else assert.ok(places.has(`${queue.queueId}@${queueOffset}`), `${what}: ${body} is at another place`);
  }
  assert.ok(missing <= missingMax, `${what}: ${missing} messages are withheld, ${missingMax} were reported`);
  for (const body of copies.keys()) {
    assert.ok(
      ledger.acknowledged.has(body) || ledger.unknown.has(body) || body === "after",
      `${what}: ${body}`,
    );
  }
  return missing;
}

test(`${DAMAGES} damaged stores serve what was sent, report what they cannot, or say why they do not start`, {
  timeout: 600_000,
}, async (t) => {
  const stores = [await makeStore(t, true), await makeStore(t, false)];
  const counts = { served: 0, reported: 0, refused: 0 };
  let next = 0;
  const lane = async () => {
    while (next < DAMAGES) {
      const number = next++;
      const { home: intact, ledger } = stores[number % 8 < 4 ? 0 : 1]!;
      const home = temporaryHome(t);
      cpSync(intact, home, { recursive: true });
      let state = number + 1;
      const random = (below: number) => {
        state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
        return ((state ^ (state >>> 13)) >>> 0) % below;
      };
      const what = `damage ${number}: ${damage(home, random, number % 4 === 0)}`;
      let server: ServerProcess;
      let givenUp = 0;
      try {
        server = await startTestServer(t, home, { options });
      } catch (error) {
        assert.doesNotMatch(String(error), /TypeError|RangeError|AssertionError|assertion/i, what);
        assert.match(String(error), /commitlog|orbitmq-|config|damaged/i, what);
        counts.refused += 1;
        const place = /the record at offset (\d+)/.exec(String(error))?.[1];
        if (place === undefined) continue;
        // Nobody knows whose record it was; given up by its place, the rest is served.
        await giveUp(home, place, what);
        givenUp = 1;
        server = await startTestServer(t, home, { options });
      }
      const operator = giveUpReported(server, home, what);
      const found = await readAll(server.namesrvAddr, TOPIC);
      givenUp += await operator.stop();
      const missing = checkMessages(ledger, found, givenUp, what);
      if (missing > 0) counts.reported += 1;
      else counts.served += 1;
      const producer = new Producer({ namesrv: server.namesrvAddr, group: "after", sendTimeoutMs: 20_000 });
      await producer.start();
      await producer.send({ topic: TOPIC, body: "after" });
      await producer.shutdown();
      assert.equal((await server.stop()).code, 0, what);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (DAMAGES > 4) assert.ok(counts.reported > 0, "a message was given up");
  t.diagnostic(
    `all served ${counts.served}, one given up ${counts.reported}, refused at first ${counts.refused}`,
  );
});
