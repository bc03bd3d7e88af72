/**
 * One store folder, opened in turn by the original broker and by ours, ended cleanly or by kill -9: whoever has it finds
 * every message the other stored, goes on in the same queues and groups, and leaves alone what it does not understand.
 * The tests of one `describe` build on each other. CommitLog and ConsumeQueue files are small, so that many are crossed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, bodyOf, type Delivery, deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { type JavaPart, launchJavaBroker } from "./java-server.ts";
import { Collector, consume, createTopic, readAll, sendAll, startProducer } from "./our-clients.ts";
import type { JsonLine } from "./program-lines.ts";
import { brokerNameFor, storeWithJava, storeWithOurs } from "./store-owners.ts";
import { assertFoundByKeys, assertKept, recordsOf, type StoreView, viewStore } from "./store-view.ts";
import { Workshop } from "./workshop.ts";

const timeout = 240_000;
const COMMIT_LOG_BYTES = 1_048_576;
const sizes = { mappedFileSizeCommitLog: String(COMMIT_LOG_BYTES), mappedFileSizeConsumeQueue: "1000" };
/** Level 2 is an hour: what is delayed by it stays where it is for as long as a test lasts. */
const levels = { messageDelayLevel: "1s 1h" };
/** Prepared messages are asked about after an hour. */
const patient = { transactionTimeOut: "3600000", transactionCheckInterval: "3600000" };
const smallIndex = { maxHashSlotNum: "10000", maxIndexNum: "40000" };
const javaProperties = { ...sizes, ...levels, ...patient, ...smallIndex, flushDiskType: "SYNC_FLUSH" };

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);
const canUnshare = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0;
const workshop = new Workshop("store-exchange");
let namesrv: string;
let clients: JavaClients;

before(async () => {
  const nameServer = await startServerProcess({ role: "namesrv", home: "" });
  workshop.ends(nameServer, (it) => it.stop());
  namesrv = nameServer.namesrvAddr;
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

const openWithJava = (directory: string, properties: Readonly<Record<string, string>>): Promise<JavaPart> =>
  storeWithJava({ workshop, namesrv }, directory, properties);

const openWithOurs = (
  home: string,
  options: Readonly<Record<string, string>>,
  wrapper: readonly string[] = [],
): Promise<ServerProcess> => storeWithOurs({ workshop, namesrv }, home, options, { wrapper });

/**
 * A line per message with all that was stored; what a broker adds on the way to a consumer is no part of it, nor is the
 * checksum among our records' properties, which Java's client shows and ours has checked and taken off.
 */
function stored(deliveries: readonly Delivery[]): readonly string[] {
  return deliveries
    .map(({ topic, queueId, queueOffset, key, properties, ...rest }) => {
      const { MIN_OFFSET: _min, MAX_OFFSET: _max, CONSUME_START_TIME: _start, ...shown } = properties;
      const { "__CRC32#": _checksum, ...kept } = shown;
      const place = `${topic} ${queueId} ${String(queueOffset).padStart(6)} ${key}`;
      return `${place} ${JSON.stringify(rest)} ${JSON.stringify(Object.entries(kept).sort())}`;
    })
    .sort();
}

/** The same messages in the same places; says which are missing and which are too many. */
function assertSame(found: readonly Delivery[], known: readonly Delivery[], where: string): void {
  const [actual, expected] = [stored(found), stored(known)];
  const missing = expected.filter((line) => !actual.includes(line));
  const extra = actual.filter((line) => !expected.includes(line));
  const some = (lines: readonly string[]) => `${lines.length}\n  ${lines.slice(0, 3).join("\n  ")}`;
  assert.ok(
    missing.length + extra.length === 0 && actual.length === expected.length,
    `${where}: ${actual.length} messages, missing ${some(missing)}\nextra ${some(extra)}`,
  );
}

let groups = 0;
/** Everything a Java consumer of a new group gets from the topic. */
async function readWithJava(topic: string, count: number): Promise<readonly Delivery[]> {
  const group = `reader-${++groups}`;
  return deliveriesIn(await clients.run("consume", { namesrv, topic, group, count }));
}

/** Of what the original brings back itself, at least once, one delivery of each key. */
async function readReturnedWithJava(topic: string, keys: readonly string[]): Promise<readonly Delivery[]> {
  const group = `reader-${++groups}`;
  const reader = clients.start("consume", { namesrv, topic, group, "idle-ms": 100_000 });
  const byKey = () => new Map(deliveriesIn(reader.lines).map((delivery) => [delivery.key, delivery]));
  await reader.until(() => (keys.every((key) => byKey().has(key)) ? true : undefined));
  await reader.stop();
  return [...byKey().values()];
}

/** Both kinds of client see these messages, each where it was seen before. */
async function assertThere(known: ReadonlyMap<string, readonly Delivery[]>): Promise<void> {
  for (const [topic, deliveries] of known) {
    assertSame(await readAll({ namesrv }, topic), deliveries, `${topic} read by our client`);
    assertSame(await readWithJava(topic, deliveries.length), deliveries, `${topic} read by Java's`);
  }
}

/** The CommitLog's first bytes, over all its files. */
function commitLog(home: string, bytes: number): Buffer {
  const folder = join(home, "commitlog");
  const files = readdirSync(folder).sort();
  return Buffer.concat(files.map((name) => readFileSync(join(folder, name)))).subarray(0, bytes);
}

/** Each queue's entries, the unused rest of its last file cut off. */
function consumeQueues(home: string): Record<string, string> {
  const root = join(home, "consumequeue");
  const queues: Record<string, string> = {};
  for (const topic of readdirSync(root))
    for (const queueId of readdirSync(join(root, topic))) {
      const files = readdirSync(join(root, topic, queueId)).sort();
      const units = Buffer.concat(files.map((name) => readFileSync(join(root, topic, queueId, name))));
      let end = 0;
      while (end < units.length && units.readInt32BE(end + 8) > 0) end += 20;
      queues[`${topic}/${queueId}`] = units.toString("hex", 0, end).replaceAll(/(.{40})/g, "$1\n");
    }
  return queues;
}

/** Messages of every shape, and enough of them to fill CommitLog files. */
async function sendWithJava(round: string): Promise<void> {
  const mixed = { namesrv, topic: "mixed" };
  await clients.run("produce", { ...mixed, count: 20, keys: `${round}plain-`, property: "colour=grün" });
  await clients.run("produce", { ...mixed, count: 20, keys: `${round}tag-`, tag: "TagA" });
  await clients.run("produce", { ...mixed, count: 30, keys: `${round}batch-`, mode: "batch", tag: "B" });
  for (const compress of ["ZLIB", "LZ4", "ZSTD"])
    await clients.run("produce", {
      ...mixed,
      count: 3,
      keys: `${round}${compress}-`,
      size: 100_000,
      compress,
    });
  const large = { namesrv, topic: "large", size: 10_000, "compress-over": 1_000_000, mode: "async" };
  await clients.run("produce", { ...large, count: 150, keys: `${round}large-` });
}

async function sendWithOurs(round: string): Promise<void> {
  const producer = await startProducer({ namesrv, compressOverBytes: 50_000 });
  await sendAll(producer, "mixed", { keys: `${round}plain-`, count: 20 });
  await sendAll(producer, "mixed", { keys: `${round}tag-`, count: 20, tag: "TagA" });
  await sendAll(producer, "mixed", { keys: `${round}zlib-`, count: 5, size: 100_000 });
  const one = (i: number) => ({
    topic: "mixed",
    body: bodyOf(`${round}batch-${i}`, 64),
    keys: `${round}batch-${i}`,
  });
  await producer.send(Array.from({ length: 30 }, (_, i) => one(i)));
  await sendAll(producer, "large", { keys: `${round}large-`, count: 150, size: 10_000 });
  await producer.shutdown();
}

const contents = {
  java: (round: string) => ({
    mixed: [
      { keys: `${round}plain-`, count: 20 },
      { keys: `${round}tag-`, count: 20, tag: "TagA" },
      { keys: `${round}batch-`, count: 30, tag: "B" },
      ...["ZLIB", "LZ4", "ZSTD"].map((name) => ({ keys: `${round}${name}-`, count: 3, size: 100_000 })),
    ],
    large: [{ keys: `${round}large-`, count: 150, size: 10_000 }],
  }),
  ours: (round: string) => ({
    mixed: [
      { keys: `${round}plain-`, count: 20 },
      { keys: `${round}tag-`, count: 20, tag: "TagA" },
      { keys: `${round}batch-`, count: 30 },
      { keys: `${round}zlib-`, count: 5, size: 100_000 },
    ],
    large: [{ keys: `${round}large-`, count: 150, size: 10_000 }],
  }),
};

/** Sends until the broker, killed on the way, takes no more; what it acknowledged. */
async function sendUntilKilled(
  topic: string,
  broker: { kill(): Promise<unknown> },
): Promise<readonly JsonLine[]> {
  const options = { namesrv, topic, count: 4_000, mode: "async", size: 300, "timeout-ms": 1_000 };
  const load = clients.start("produce", options);
  const acknowledged = () => load.lines.filter((line) => line["status"] === "SEND_OK");
  await load.until(() => (acknowledged().length >= 1_000 ? true : undefined));
  await broker.kill();
  assert.equal(await load.done, 1, "the kill came before the last message");
  return acknowledged();
}

/** Each acknowledged message lies where its acknowledgement said. */
async function assertAcknowledgedThere(topic: string, acknowledged: readonly JsonLine[]): Promise<void> {
  const place = (key: unknown, queueId: unknown, offset: unknown) => `${key} in ${queueId} at ${offset}`;
  const found = await readAll({ namesrv }, topic);
  const places = new Set(found.map(({ key, queueId, queueOffset }) => place(key, queueId, queueOffset)));
  const lost = acknowledged
    .map((line) => place(`key-${line["i"]}`, line["queueId"], line["queueOffset"]))
    .filter((one) => !places.has(one));
  assert.deepEqual(lost, []);
}

const countOf = (parts: readonly { readonly count: number }[]): number =>
  parts.reduce((sum, { count }) => sum + count, 0);

describe("a store that begins with the original broker", () => {
  const directory = workshop.place("java-first");
  const home = join(directory, "store");
  const known = new Map<string, readonly Delivery[]>();
  const expected = { mixed: contents.java("a"), large: contents.java("a") };
  let java: JavaPart;
  let ours: ServerProcess;
  let logBytes: number;
  let queues: Record<string, string>;
  let view: StoreView;

  // Whatever failed here, no broker of these topics is left to take messages of the next test's clients.
  after(() => Promise.all([java?.kill(), ours?.kill()]));

  /** Adds what is there now to what must be there from now on. */
  async function learn(read: (topic: string, count: number) => Promise<readonly Delivery[]>): Promise<void> {
    for (const topic of ["mixed", "large"] as const)
      known.set(topic, await read(topic, countOf(expected[topic][topic])));
    for (const topic of ["mixed", "large"] as const)
      assertDelivered(known.get(topic)!, ...expected[topic][topic]);
  }

  test("is filled by it", { timeout }, async () => {
    java = await openWithJava(directory, javaProperties);
    await clients.run("admin", {
      line: `updateTopic -n ${namesrv} -b ${java.address} -t three -r 3 -w 3 -p 6`,
    });
    await clients.run("admin", {
      line: `updateSubGroup -n ${namesrv} -b ${java.address} -g settled -r 7 -q 2`,
    });
    await sendWithJava("a");
    await learn(readWithJava);
    await clients.run("consume", { namesrv, topic: "mixed", group: "settled", count: 79 });
    await clients.run("produce", { namesrv, topic: "delayed", count: 3, "delay-level": 2 });
    for (const outcome of ["commit", "rollback", "unknown"])
      await clients
        .run("transact", {
          namesrv,
          topic: "prepared",
          count: 2,
          keys: `${outcome}-`,
          outcome,
          "check-ms": 0,
        })
        .catch((error: unknown) => {
          // Unknown ones are told as an error: nobody has asked about them yet.
          if (outcome !== "unknown") throw error;
        });
    const refused = { namesrv, topic: "refused", count: 2 };
    await clients.run("produce", refused);
    const refusing = clients.start("consume", { ...refused, group: "g", refuse: 1, "refuse-delay-level": 2 });
    await refusing.until(() =>
      refusing.lines.filter((line) => line["accepted"] === false).length === 2 ? true : undefined,
    );
    await refusing.stop();
  });

  test("is refused to ours while the original has it, with the pid of who has it", { timeout }, async (t) => {
    await assert.rejects(
      openWithOurs(home, { ...sizes, ...levels }),
      (error) => String(error).includes("(3)") && String(error).includes(`pid ${java.jvm.pid}`),
    );
    if (canUnshare)
      await assert.rejects(
        openWithOurs(home, { ...sizes, ...levels }, [
          "unshare",
          "--pid",
          "--fork",
          "--kill-child",
          "--mount-proc",
        ]),
        (error) => String(error).includes("(3)") && String(error).includes("a process not visible from here"),
      );
    else t.diagnostic("not tried from another pid namespace: that needs root");
    await clients.run("produce", { namesrv, topic: "three", count: 3 });
    // Its queues follow an acknowledgement by a moment.
    do view = await viewStore(java.address);
    while (recordsOf(view, "three").length < 3);
    await java.stop();
    const segments = readdirSync(join(home, "commitlog")).length;
    assert.ok(segments >= 2, `${segments} CommitLog files`);
    queues = consumeQueues(home);
    assert.ok(Object.keys(queues).some((name) => name.startsWith("SCHEDULE_TOPIC_XXXX/")));
    assert.ok(Object.keys(queues).some((name) => name.startsWith("RMQ_SYS_TRANS_HALF_TOPIC/")));
  });

  test("its ConsumeQueues are rebuilt by ours as the original wrote them, were they lost", {
    timeout,
  }, async () => {
    const copy = workshop.place("copy");
    await cp(home, copy, { recursive: true });
    rmSync(join(copy, "consumequeue"), { recursive: true });
    const rebuilding = await openWithOurs(copy, { ...sizes, ...levels });
    await rebuilding.stop();
    assert.deepEqual(consumeQueues(copy), queues);
  });

  test("is opened by ours: every message, group and topic is there", { timeout }, async () => {
    logBytes = commitLog(home, Number.POSITIVE_INFINITY).length;
    const log = commitLog(home, logBytes);
    // Next to nothing of the log stays in memory: it is read from the files.
    ours = await openWithOurs(home, { ...sizes, ...levels, hotTailBytes: "0" });
    await assertThere(known);
    // Prepared, delayed and timed ones, too, and by their keys, though IndexFiles have another size here.
    // The original notes only at its stop which prepared ones are settled.
    const isNote = (topic: string) => topic === "RMQ_SYS_TRANS_OP_HALF_TOPIC";
    assertKept(await viewStore(ours.brokerAddr), view, "ours", isNote);
    await assertFoundByKeys(ours.brokerAddr, view, "ours");
    assert.deepEqual(
      commitLog(home, logBytes).equals(log),
      true,
      "opening and reading changes no byte of the log",
    );
    const committed = await readAll({ namesrv }, "prepared");
    assertDelivered(committed, { keys: "commit-", count: 2 });
    assert.deepEqual(await readAll({ namesrv }, "delayed"), []);
    assert.equal((await readAll({ namesrv }, "three")).length, 3);
    const [printed] = await clients.run("admin", { line: `topicStatus -n ${namesrv} -t three` });
    assert.match(String(printed?.["stdout"]), /java-first-\d +2 +0 +\d/);
  });

  test("a group goes on in ours where it stopped in the original", { timeout }, async () => {
    const producer = await startProducer({ namesrv });
    await sendAll(producer, "mixed", { keys: "bnext-", count: 20 });
    await producer.shutdown();
    const next = await consume({ namesrv, group: "settled" }, "mixed", 20);
    assertDelivered(next, { keys: "bnext-", count: 20 });
  });

  test("is filled further by ours, and killed", { timeout }, async () => {
    await sendWithOurs("b");
    const more = contents.ours("b");
    expected.mixed.mixed.push({ keys: "bnext-", count: 20 }, ...more.mixed);
    expected.large.large.push(...more.large);
    await learn((topic) => readAll({ namesrv }, topic));
    await ours.kill();
    assert.ok(commitLog(home, Number.POSITIVE_INFINITY).length > logBytes);
  });

  test("is opened by the original again: every message is there, and it goes on", { timeout }, async () => {
    java = await openWithJava(directory, javaProperties);
    await assertThere(known);
    const groups = JSON.parse(readFileSync(join(home, "config/subscriptionGroup.json"), "utf8"));
    const { retryMaxTimes, retryQueueNums } = groups.subscriptionGroupTable.settled;
    assert.deepEqual({ retryMaxTimes, retryQueueNums }, { retryMaxTimes: 7, retryQueueNums: 2 });
    await clients.run("produce", { namesrv, topic: "mixed", count: 20, keys: "cnext-" });
    // The group's last commits died with the broker: what it had consumed after them comes again, nothing else does.
    const wanted = expected.mixed.mixed.filter(({ keys }) => keys.startsWith("b") && keys !== "bnext-");
    const keys = wanted.flatMap(({ keys: prefix, count }) =>
      Array.from({ length: count }, (_, i) => prefix + i),
    );
    for (let i = 0; i < 20; i++) keys.push(`cnext-${i}`);
    const settled = clients.start("consume", { namesrv, topic: "mixed", group: "settled" });
    await settled.until(() => {
      const seen = new Set(deliveriesIn(settled.lines).map(({ key }) => key));
      return keys.every((key) => seen.has(key)) ? true : undefined;
    });
    await settled.stop();
    const again = deliveriesIn(settled.lines).filter(({ key }) => !keys.includes(key));
    assert.ok(again.every(({ key }) => key.startsWith("bnext-")));
    await sendWithJava("c");
    const more = contents.java("c");
    expected.mixed.mixed.push({ keys: "cnext-", count: 20 }, ...more.mixed);
    expected.large.large.push(...more.large);
    await learn(readWithJava);
    await clients.run("produce", { namesrv, topic: "timed", count: 2, "delay-ms": 20_000 });
  });

  test("is killed there, and opened by ours again: every message is there, and it goes on", {
    timeout,
  }, async () => {
    await java.kill();
    ours = await openWithOurs(home, { ...sizes, ...levels });
    await assertThere(known);
    await sendWithOurs("d");
    const more = contents.ours("d");
    expected.mixed.mixed.push(...more.mixed);
    expected.large.large.push(...more.large);
    await learn((topic) => readAll({ namesrv }, topic));
    for (const topic of ["delayed", "timed"]) assert.deepEqual(await readAll({ namesrv }, topic), []);
    assertDelivered(await readAll({ namesrv }, "prepared"), { keys: "commit-", count: 2 });
    const settled = new Collector({ namesrv, group: "settled" }, "mixed");
    await settled.consumer.start();
    await settled.until(() => settled.deliveries.filter(({ key }) => key.startsWith("d")).length >= 75);
    await settled.consumer.shutdown();
    assert.deepEqual(await ours.stop(), { code: 0, signal: null });
  });

  test("what ours left alone is delivered when the original has it again: delayed, timed, refused, prepared", {
    timeout,
  }, async () => {
    // Shorter levels make the delayed ones due, a shorter patience makes it ask about the prepared ones: from its start,
    // though nobody is there yet to be asked, and the 15 times it would ask are soon counted.
    java = await openWithJava(directory, {
      ...javaProperties,
      messageDelayLevel: "1s 1s",
      transactionTimeOut: "1000",
      transactionCheckInterval: "1000",
      transactionCheckMax: "10000",
    });
    await assertThere(known);
    await clients.run("produce", { namesrv, topic: "mixed", count: 20, keys: "enext-" });
    const next = { namesrv, topic: "mixed", group: "settled", count: 20 };
    assertDelivered(deliveriesIn(await clients.run("consume", next)), { keys: "enext-", count: 20 });
    assertDelivered(await readReturnedWithJava("delayed", ["key-0", "key-1", "key-2"]), { count: 3 });
    assertDelivered(await readReturnedWithJava("timed", ["key-0", "key-1"]), { count: 2 });
    const again = await clients.run("consume", {
      namesrv,
      topic: "refused",
      group: "g",
      count: 2,
      "idle-ms": 60_000,
    });
    assert.deepEqual(
      deliveriesIn(again).map(({ reconsumeTimes }) => reconsumeTimes),
      [1, 1],
    );
    // Any producer of their group may be asked about them.
    const options = { namesrv, topic: "prepared", count: 1, keys: "new-", outcome: "unknown", checks: 1_000 };
    const asked = clients.start("transact", options);
    await asked.until(() =>
      ["unknown-0", "unknown-1"].every((key) =>
        asked.lines.some((line) => line["checked"] === true && line["keys"] === key),
      )
        ? true
        : undefined,
    );
    const prepared = clients.start("consume", {
      namesrv,
      topic: "prepared",
      group: "last",
      "idle-ms": 100_000,
    });
    const keysOfPrepared = () => new Set(deliveriesIn(prepared.lines).map(({ key }) => key));
    const wanted = ["commit-0", "commit-1", "unknown-0", "unknown-1"];
    await prepared
      .until(() => (wanted.every((key) => keysOfPrepared().has(key)) ? true : undefined))
      .catch((cause: unknown) => {
        const checks = asked.lines.filter((line) => line["checked"] === true).map((line) => line["keys"]);
        const assigned = prepared.lines.filter((line) => "assigned" in line).at(-1);
        const seen = `delivered ${[...keysOfPrepared()]}, asked about ${checks}, ${JSON.stringify(assigned)}`;
        throw new Error(seen, { cause });
      });
    await Promise.all([prepared.stop(), asked.stop()]);
    assert.ok(deliveriesIn(prepared.lines).every(({ key }) => !key.startsWith("rollback-")));
    await java.kill();
  });
});

describe("a store that begins with ours, all sizes as they are by default", () => {
  const directory = workshop.place("ours-first");
  const home = join(directory, "store");
  const known = new Map<string, readonly Delivery[]>();
  let ours: ServerProcess;
  let java: JavaPart;

  test("is filled by clients of both kinds", { timeout }, async () => {
    ours = workshop.ends(
      await startServerProcess({
        role: "broker",
        home,
        // Records then hold IPv6 addresses, which are longer.
        options: [
          "--namesrv",
          namesrv,
          "--broker-name",
          brokerNameFor(directory),
          ...(hasIpv6 ? ["--host", "::1"] : []),
        ],
      }),
      (it) => it.kill(),
    );
    await createTopic(namesrv, "three", 3);
    await sendWithOurs("a");
    await sendWithJava("b");
    for (const topic of ["mixed", "large"] as const) {
      known.set(topic, await readAll({ namesrv }, topic));
      assertDelivered(known.get(topic)!, ...contents.ours("a")[topic], ...contents.java("b")[topic]);
    }
    await clients.run("produce", { namesrv, topic: "three", count: 3 });
  });

  test("is refused to the original while ours has it, and comes to no harm by the attempt", {
    timeout,
  }, async () => {
    const refused = await launchJavaBroker({
      directory,
      namesrv,
      properties: { ...smallIndex, brokerName: brokerNameFor(directory) },
    });
    workshop.ends(refused, (it) => it.kill());
    assert.notEqual(await refused.jvm.exited, 0);
    assert.match(readFileSync(join(directory, "broker.out"), "utf8"), /Lock failed/);
    assert.equal((await readAll({ namesrv }, "three")).length, 3);
    await clients.run("produce", { namesrv, topic: "three", count: 3, keys: "more-" });
    await ours.kill();
    ours = await openWithOurs(home, {});
    await assertThere(known);
    assertDelivered(await readAll({ namesrv }, "three"), { count: 3 }, { keys: "more-", count: 3 });
    await consume({ namesrv, group: "settled" }, "mixed", 154);
    await consume({ namesrv, group: "java-settled" }, "three", 6);
    assert.deepEqual(await ours.stop(), { code: 0, signal: null });
  });

  test("is killed in the middle of writing, and opened by the original: all is there, and it goes on", {
    timeout,
  }, async () => {
    ours = await openWithOurs(home, {});
    const acknowledged = await sendUntilKilled("load-on-ours", ours);
    java = await openWithJava(directory, { ...smallIndex, flushDiskType: "ASYNC_FLUSH" });
    await assertThere(known);
    await assertAcknowledgedThere("load-on-ours", acknowledged);
    const [printed] = await clients.run("admin", { line: `topicRoute -n ${namesrv} -t three` });
    assert.match(String(printed?.["stdout"]), /"readQueueNums":3/);
    await goOn("c");
    const next = await clients.run("consume", { namesrv, topic: "mixed", group: "settled", count: 20 });
    assertDelivered(deliveriesIn(next), { keys: "c-", count: 20 });
    const three = await consume({ namesrv, group: "java-settled" }, "three", 1);
    assertDelivered(three, { keys: "c-", count: 1 });
    known.set("mixed", await readWithJava("mixed", 174));
  });

  test("is killed there in the middle of writing, too, and opened by ours: all is there", {
    timeout,
  }, async () => {
    const acknowledged = await sendUntilKilled("load-on-java", java);
    ours = await openWithOurs(home, {});
    await assertThere(known);
    await assertAcknowledgedThere("load-on-java", acknowledged);
    await ours.stop();
  });

  /** One message to "three", twenty to "mixed", by a Java producer. */
  async function goOn(round: string): Promise<void> {
    await clients.run("produce", { namesrv, topic: "three", count: 1, keys: `${round}-` });
    await clients.run("produce", { namesrv, topic: "mixed", count: 20, keys: `${round}-` });
  }
});
