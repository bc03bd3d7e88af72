/**
 * What the promise means in system calls: no SEND_OK goes into a socket before an fdatasync has returned that began
 * after the write of its record had returned. Judged by strace, from outside.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Producer } from "@orbitmq/client";
import { readSystemCalls, type SystemCalls, tracing } from "./system-calls.ts";
import { startTestServer, temporaryHome } from "./test-server.ts";

const SENDERS = 8;
const SENDS_EACH = 25;
const MAGIC_AT = 4;
const MAGIC_V1 = 0xdaa320a7;
const strace = spawnSync("strace", ["-V"]).status === 0;
const skip = strace ? false : "strace is not installed";

interface Judged {
  readonly acknowledged: number;
  /** Physical offsets of records acknowledged too early. */
  readonly early: readonly number[];
}

async function traced(t: TestContext, flushDiskType: string): Promise<Judged> {
  const home = temporaryHome(t);
  const prefix = join(home, "calls");
  const server = await startTestServer(t, home, {
    wrapper: tracing(prefix),
    options: ["-o", `flushDiskType=${flushDiskType}`],
  });
  const producer = new Producer({ namesrv: server.namesrvAddr, group: "traced" });
  await producer.start();
  let sent = 0;
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (let count = 0; count < SENDS_EACH; count++) {
        await producer.send({ topic: "Traced", body: `message ${++sent}` });
      }
    }),
  );
  await producer.shutdown();
  await server.kill();
  const calls = readSystemCalls(prefix);
  const log = readFileSync(join(home, "commitlog", "0".repeat(20)));
  return judge(calls, (offset) => log.readInt32BE(offset));
}

function judge({ writes, syncs, acknowledgements }: SystemCalls, sizeAt: (offset: number) => number): Judged {
  const early: number[] = [];
  for (const { physicalOffset, begin } of acknowledgements) {
    const end = physicalOffset + sizeAt(physicalOffset);
    // Zeros were written there before: the record's write is the one that has its magic number in place.
    const write = writes.find(
      ({ position, bytes, head }) =>
        position <= physicalOffset &&
        position + bytes >= end &&
        head.length >= physicalOffset - position + MAGIC_AT + 4 &&
        head.readUInt32BE(physicalOffset - position + MAGIC_AT) === MAGIC_V1,
    );
    assert.ok(write !== undefined, `the write of the record at ${physicalOffset} was seen`);
    const isSynced = syncs.some(
      (sync) => sync.file === write.file && sync.begin >= write.end && sync.end <= begin,
    );
    if (!isSynced) early.push(physicalOffset);
  }
  return { acknowledged: acknowledgements.length, early };
}

test("under SYNC_FLUSH no SEND_OK is written before a sync that began after its record's write", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const { acknowledged, early } = await traced(t, "SYNC_FLUSH");
  assert.equal(acknowledged, SENDERS * SENDS_EACH, "every acknowledgement was seen");
  assert.deepEqual(early, []);
});

test("the same judge finds the acknowledgements of ASYNC_FLUSH early", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const { acknowledged, early } = await traced(t, "ASYNC_FLUSH");
  assert.equal(acknowledged, SENDERS * SENDS_EACH);
  assert.ok(early.length > acknowledged / 2, `${early.length} of ${acknowledged} were early`);
});
