/** `orbitmq send`, `consume` and `topic` against a server in memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  ensureBuilt,
  jsonRows as rows,
  runCommand,
  startCommand,
  startServer,
  type TestServer,
  temporaryFolder,
} from "./testing/built-command.ts";

describe("client commands", () => {
  let shared: TestServer;
  let sharedFolder: ReturnType<typeof temporaryFolder>;

  before(async () => {
    ensureBuilt();
    sharedFolder = temporaryFolder();
    shared = await startServer(["--store", "memory"], { cwd: sharedFolder.path });
  });

  after(async () => {
    shared.child.kill("SIGTERM");
    await shared.ended;
    sharedFolder.remove();
  });

  const orbitmq = (args: string[], stdin?: string | Buffer) =>
    runCommand([...args, "-n", shared.namesrv], stdin === undefined ? {} : { stdin });

  it("send one message with tag, keys and properties, and consume it as one JSON line", async () => {
    const sent = await orbitmq([
      ...[
        "send",
        "one",
        "héllo",
        "--tag",
        "A",
        "--key",
        "k1",
        "--key",
        "k2",
        "--property",
        "p=q=r",
        "--json",
      ],
    ]);
    assert.equal(sent.code, 0, sent.stderr);
    const [receipt] = rows(sent.stdout);
    const seen = await orbitmq([
      "consume",
      "one",
      "--from",
      "first",
      "--count",
      "1",
      "--timeout",
      "30",
      "--json",
    ]);
    const [message] = rows(seen.stdout);
    assert.equal(message?.["body"], "héllo");
    assert.equal(message?.["tag"], "A");
    assert.deepEqual(message?.["keys"], ["k1", "k2"]);
    assert.equal((message as { properties: Record<string, string> }).properties["p"], "q=r");
    assert.equal(message?.["msgId"], receipt?.["msgId"]);
    assert.equal(message?.["offsetMsgId"], receipt?.["offsetMsgId"]);
  });

  it("send the body from stdin, the same one several times, and refuse an empty one", async () => {
    const piped = await orbitmq(["send", "counted", "-", "--count", "3", "--rate", "1000"], "two\nlines");
    assert.equal(piped.code, 0, piped.stderr);
    assert.equal(piped.stdout.match(/^SEND_OK counted broker-a:\d+ offset \d+ /gm)?.length, 3);
    const seen = await orbitmq([
      "consume",
      "counted",
      "--from",
      "first",
      "--count",
      "3",
      "--timeout",
      "30",
      "--json",
    ]);
    assert.deepEqual(
      rows(seen.stdout).map(({ body }) => body),
      ["two\nlines", "two\nlines", "two\nlines"],
    );
    assert.equal((await orbitmq(["send", "counted"], "")).code, 2);
  });

  it("show a body that is not UTF-8 as base64", async () => {
    await orbitmq(["send", "binary", "-"], Buffer.from([0xff, 0x00, 0xfe]));
    const seen = await orbitmq([
      "consume",
      "binary",
      "--from",
      "first",
      "--count",
      "1",
      "--timeout",
      "30",
      "--json",
    ]);
    assert.equal(rows(seen.stdout)[0]?.["bodyBase64"], "/wD+", seen.stderr);
  });

  it("only look without a group: what is printed is still there", async () => {
    await orbitmq(["send", "looked-at", "still here"]);
    for (let round = 0; round < 2; round++) {
      const seen = await orbitmq([
        "consume",
        "looked-at",
        "--from",
        "first",
        "--count",
        "1",
        "--timeout",
        "30",
      ]);
      assert.equal(seen.stdout, "still here\n", seen.stderr);
    }
  });

  it("take part with a group, say so, and leave what they did not print to the group", async () => {
    await orbitmq(["topic", "create", "grouped", "--queues", "1"]);
    await orbitmq(["send", "grouped", "--lines"], "1\n2\n3\n4\n5\n6\n");
    const printed: string[] = [];
    for (let round = 0; round < 3; round++) {
      const result = await orbitmq([
        ...["consume", "grouped", "--group", "g1", "--from", "first", "--count", "2", "--timeout", "30"],
      ]);
      assert.equal(result.code, 0, result.stderr);
      assert.match(result.stderr, /taking part in group g1/);
      printed.push(...result.stdout.trim().split("\n"));
    }
    assert.deepEqual(printed, ["1", "2", "3", "4", "5", "6"]);
  });

  it("end with 10 when --timeout comes before --count", async () => {
    const { code, stderr } = await orbitmq(["consume", "nothing-here", "--count", "1", "--timeout", "200ms"]);
    assert.equal(code, 10);
    assert.match(stderr, /0 of 1 messages/);
  });

  it("filter by tag", async () => {
    for (const tag of ["A", "B", "C"]) await orbitmq(["send", "tagged", tag, "--tag", tag]);
    const seen = await orbitmq([
      ...["consume", "tagged", "--tag", "A || C", "--from", "first", "--count", "2", "--timeout", "30"],
    ]);
    assert.deepEqual(seen.stdout.trim().split("\n").sort(), ["A", "C"]);
  });

  it("create, list, route and look at topics, for people and as JSON", async () => {
    const created = await orbitmq(["topic", "create", "made", "--queues", "3", "--perm", "rw", "--json"]);
    assert.equal(created.code, 0, created.stderr);
    assert.deepEqual(rows(created.stdout), [{ topic: "made", queues: 3, perm: 6, brokers: ["broker-a"] }]);
    const { topics } = rows((await orbitmq(["topic", "list", "--json"])).stdout)[0] as { topics: string[] };
    assert.ok(topics.includes("made"));
    assert.match(
      (await orbitmq(["topic", "route", "made"])).stdout,
      /^broker-a +DefaultCluster +\S+ +3 +3 +rw$/m,
    );
    await orbitmq(["send", "made", "x"]);
    const status = await orbitmq(["topic", "status", "made", "--json"]);
    const [{ queues }] = rows(status.stdout) as [{ queues: { maxOffset: number }[] }];
    assert.equal(queues.length, 3);
    assert.equal(
      queues.reduce((sum, { maxOffset }) => sum + maxOffset, 0),
      1,
    );
  });

  it("end with 9 and a hint when the topic is unknown or nobody answers", async () => {
    const unknown = await orbitmq(["topic", "route", "never-made"]);
    assert.equal(unknown.code, 9);
    assert.match(unknown.stderr, /TOPIC_ROUTE_NOT_FOUND/);
    const nobody = await runCommand(["send", "x", "y", "-n", "127.0.0.1:1"]);
    assert.equal(nobody.code, 9);
    assert.match(nobody.stderr, /127\.0\.0\.1:1/);
  });

  it("end quietly when the reader of stdout goes away", async () => {
    await orbitmq(["send", "piped", "x", "--count", "50"]);
    const consuming = startCommand(["consume", "piped", "--from", "first", "-n", shared.namesrv]);
    await consuming.printed(/x\n/);
    consuming.child.stdout?.destroy();
    await orbitmq(["send", "piped", "x", "--count", "5"]);
    const { code, stderr } = await consuming.ended;
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
  });
});
