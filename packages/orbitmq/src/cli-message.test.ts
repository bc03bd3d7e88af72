/** `orbitmq message query`, `get` and `trace` against a server in memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  ensureBuilt,
  jsonRows as rows,
  runCommand,
  startServer,
  type TestServer,
  temporaryFolder,
} from "./testing/built-command.ts";

describe("orbitmq message", () => {
  let shared: TestServer;
  let folder: ReturnType<typeof temporaryFolder>;
  const receipts: Record<string, unknown>[] = [];

  const orbitmq = (...args: string[]) => runCommand([...args, "-n", shared.namesrv]);

  before(async () => {
    ensureBuilt();
    folder = temporaryFolder();
    shared = await startServer(["--store", "memory"], { cwd: folder.path });
    for (const [body, key, tag] of [
      ["first\nof two", "k1", "red"],
      ["second", "k2", "red"],
    ] as const) {
      const sent = await orbitmq("send", "found", body, "--key", key, "--tag", tag, "--json");
      assert.equal(sent.code, 0, sent.stderr);
      receipts.push(...rows(sent.stdout));
    }
  });

  after(async () => {
    shared.child.kill("SIGTERM");
    await shared.ended;
    folder.remove();
  });

  it("query finds by key and by tag, as a table and as JSON lines, and says when there is nothing", async () => {
    const asTable = await orbitmq("message", "query", "found", "k1");
    assert.equal(asTable.code, 0, asTable.stderr);
    const [head, row, ...more] = asTable.stdout.trimEnd().split("\n");
    assert.match(head ?? "", /^ID +BROKER +QUEUE +OFFSET +STORED +BODY$/);
    assert.match(
      row ?? "",
      new RegExp(`^${receipts[0]?.["msgId"]} +broker-a +\\d +0 +20\\d\\d-.*Z +first of two$`),
    );
    assert.deepEqual(more, []);
    const byTag = await orbitmq("message", "query", "found", "red", "--tag", "--json");
    assert.deepEqual(
      rows(byTag.stdout)
        .map(({ body }) => body)
        .sort(),
      ["first\nof two", "second"],
    );
    const limited = await orbitmq("message", "query", "found", "red", "--tag", "--max", "1", "--json");
    assert.deepEqual(
      rows(limited.stdout).map(({ body }) => body),
      ["second"],
      "the newest",
    );
    const early = await orbitmq("message", "query", "found", "k1", "--to", "1000", "--json");
    assert.deepEqual(rows(early.stdout), []);
  });

  it("get prints one message, by the producer's id or by its place", async () => {
    const [receipt] = receipts;
    for (const id of [receipt?.["msgId"], receipt?.["offsetMsgId"]] as string[]) {
      const { code, stdout, stderr } = await orbitmq("message", "get", "found", id);
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`^id +${receipt?.["msgId"]}$`, "m"));
      assert.match(stdout, new RegExp(`^offset id +${receipt?.["offsetMsgId"]}$`, "m"));
      assert.match(stdout, /^queue +broker-a \d, offset 0$/m);
      assert.match(stdout, /^KEYS +k1$/m);
      assert.match(stdout, /^TAGS +red$/m);
      assert.ok(stdout.endsWith("\nfirst\nof two\n"));
    }
    const json = await orbitmq("message", "get", "found", receipt?.["msgId"] as string, "--json");
    assert.deepEqual(
      rows(json.stdout).map(({ body, tag, msgId }) => [body, tag, msgId]),
      [["first\nof two", "red", receipt?.["msgId"]]],
    );
    const missing = await orbitmq("message", "get", "found", `${"0".repeat(31)}1`);
    assert.notEqual(missing.code, 0);
    assert.equal(missing.stdout, "");
    assert.notEqual(missing.stderr, "");
  });

  it("trace prints what clients told of a message, by id and by key, as a table and as JSON lines", async () => {
    const { Producer } = await import("@orbitmq/client");
    const producer = new Producer({ namesrv: shared.namesrv, group: "tellers", trace: true });
    await producer.start();
    const { msgId } = await producer.send({ topic: "traced", body: "hello", keys: "k9" });
    await producer.shutdown();
    const asTable = await orbitmq("message", "trace", "--id", msgId);
    assert.equal(asTable.code, 0, asTable.stderr);
    assert.match(asTable.stdout, new RegExp(`${msgId} +Pub +tellers .* sent to traced at .*, 5 bytes`));
    const byKey = await orbitmq("message", "trace", "--key", "k9", "--json");
    assert.deepEqual(
      rows(byKey.stdout).map(({ type, msgId: id }) => [type, id]),
      [["Pub", msgId]],
    );
    const neither = await orbitmq("message", "trace");
    assert.equal(neither.code, 2);
    assert.match(neither.stderr, /needs either --id or --key/);
  });
});
