/**
 * One store goes back and forth between OrbitMQ and the original, three times, each writing more of every kind: rolled
 * segments and IndexFiles, segments removed by retention, delay and retry topics, long names, IPv6 addresses, batches.
 * Whoever has it shows each record as the other wrote it, byte for byte, finds it by every key, and delivers what the
 * other left pending, once. The last Java broker is killed in the middle of writing; what then is in the store is asked
 * of Java and of ours, each with a copy. The tests build on each other.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startServerProcess } from "orbitmq/testing";
import { bodyOf } from "./delivery.ts";
import { type JavaClients, runAdmin, startJavaClients } from "./java-client.ts";
import { consume, createTopic, sendAll, startProducer } from "./our-clients.ts";
import { PlainConnection } from "./plain-remoting.ts";
import { storeWithJava, storeWithOurs } from "./store-owners.ts";
import { assertStateKept, readState, readStateOfRunning, type StoreState } from "./store-state.ts";
import { assertFoundByKeys, assertKept, keysOf, recordsOf, type StoreView, viewStore } from "./store-view.ts";
import { Workshop } from "./workshop.ts";

const timeout = 240_000;
const LOOK_INTERVAL_MS = 100;
const SEND_BACK = 36;
const DELETE_EXPIRED_COMMITLOG = 329;
const CLEAN_EXPIRED_CONSUMEQUEUE = 306;

/** Even rounds are ours, odd ones the original's. */
const LAST_ROUND = 5;
const LONG_TOPIC = "t".repeat(127);
// Its retry topic has 137 characters, which only a record with a wide length field (V2) holds. Neither broker makes such a
// group any more; both know those they find in the store.
const WIDE_GROUP = "g".repeat(130);
const PLAIN_GROUP = "returner";
const RETRY_TOPICS = [PLAIN_GROUP, WIDE_GROUP].map((group) => `%RETRY%${group}`);
/** Topics that receive what was delayed, with the keys they must hold by now. */
const delivered = new Map<string, string[]>(["delayed", ...RETRY_TOPICS].map((topic) => [topic, []]));

const sizes = {
  mappedFileSizeCommitLog: "1048576",
  mappedFileSizeConsumeQueue: "1000",
  maxHashSlotNum: "500",
  maxIndexNum: "400",
};
/** Never delivered as long as a test lasts. */
const LEVEL_FOR_EVER = 4;
/** Pending for whoever sends in this round, due at once for whoever opens the store next. */
const levelForNext = (round: number): number => 2 + (round % 2);
const levels = (round: number) => ({
  messageDelayLevel: round % 2 === 0 ? "1s 1h 1s 1h" : "1s 1s 1h 1h",
});
const forJava = (round: number) => ({
  ...sizes,
  ...levels(round),
  flushDiskType: "ASYNC_FLUSH",
  // What ours wrote is held against its checksums by the original, too, and the other way round.
  enabledAppendPropCRC: "true",
  forceVerifyPropCRC: "true",
  flushDelayOffsetInterval: "1000",
  messageIndexSafe: "true",
});
const forOurs = (round: number) => ({ ...sizes, ...levels(round) });

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);
const workshop = new Workshop("store-passing");
const directory = workshop.place("passed");
const home = join(directory, "store");
let namesrv: string;
let clients: JavaClients;

/** What the store held, and was told besides, when the last owner gave it away. */
let view: StoreView = new Map();
let state: StoreState;

interface Owner {
  readonly address: string;
  stop(): Promise<unknown>;
  kill(): Promise<unknown>;
}
let owner: Owner;

before(async () => {
  const nameServer = await startServerProcess({ role: "namesrv", home: "" });
  workshop.ends(nameServer, (it) => it.stop());
  namesrv = nameServer.namesrvAddr;
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

async function ours(round: number, folder = home, options = {}): Promise<Owner> {
  // What it writes then holds IPv6 addresses, which are longer.
  const flags = ["--existing", ...(hasIpv6 ? ["--host", "::1"] : [])];
  const broker = await storeWithOurs(
    { workshop, namesrv },
    folder,
    { ...forOurs(round), ...options },
    { flags: round === 0 ? flags.slice(1) : flags },
  );
  return { address: broker.brokerAddr, stop: broker.stop, kill: broker.kill };
}

const java = (round: number, folder = directory): Promise<Owner> =>
  storeWithJava({ workshop, namesrv }, folder, forJava(round));

let stepsDone = 0;
let stepsDefined = 0;

/** A test that needs what the ones before it left; it fails at once when one of them has. */
function step(name: string, body: () => Promise<void>): void {
  const number = stepsDefined;
  stepsDefined += 1;
  test(name, { timeout }, async () => {
    assert.equal(stepsDone, number, "a step before this one failed");
    await body();
    stepsDone += 1;
  });
}

/** Looks again and again until `look` finds something. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(LOOK_INTERVAL_MS);
  }
}

/** The store, once all that is due has been delivered and every key in `sent` is in its topic. */
function settled(sent: ReadonlyMap<string, readonly string[]> = new Map()): Promise<StoreView> {
  return until(async () => {
    const now = await viewStore(owner.address);
    const hasAll = [...delivered, ...sent].every(([topic, keys]) => {
      const found = new Set(keysOf(now, topic));
      return keys.every((key) => found.has(key));
    });
    return hasAll ? now : undefined;
  });
}

function assertDeliveredOnce(now: StoreView): void {
  for (const [topic, keys] of delivered) assert.deepEqual(keysOf(now, topic), keys.toSorted(), topic);
}

/** The new owner has what the last one had, and delivers what was pending. */
async function takenOver(round: number): Promise<void> {
  await assertStateKept(owner.address, state, `round ${round}`);
  for (const keys of delivered.values())
    keys.push(...pendingOf(round - 1, keys === delivered.get("delayed")));
  const now = await settled();
  assertDeliveredOnce(now);
  assertKept(now, view, `round ${round}`, (topic) => delivered.has(topic));
  await assertFoundByKeys(owner.address, now, `round ${round}`);
}

const pendingOf = (round: number, isDelayed: boolean): string[] =>
  isDelayed ? [0, 1, 2].map((i) => `r${round}-next-${i}`) : [`r${round}-back-1`];

/** New messages of every kind; `view` is what the store holds with them. */
async function filled(round: number): Promise<void> {
  const r = `r${round}-`;
  const byJava = { namesrv, topic: "mixed" };
  await clients.run("produce", { ...byJava, count: 10, keys: `${r}plain-`, property: "colour=grün" });
  await clients.run("produce", { ...byJava, count: 30, keys: `${r}batch-`, mode: "batch", tag: "B" });
  await clients.run("produce", { ...byJava, topic: LONG_TOPIC, count: 5, keys: `${r}long-java-` });
  const delayed = { namesrv, topic: "delayed", count: 3 };
  for (const [keys, level] of [
    ["soon-", 1],
    ["next-", levelForNext(round)],
    ["never-", LEVEL_FOR_EVER],
  ] as const)
    await clients.run("produce", { ...delayed, keys: r + keys, "delay-level": level });

  const producer = await startProducer({ namesrv, compressOverBytes: 50_000 });
  await sendAll(producer, "mixed", { keys: `${r}tag-`, count: 10, tag: "TagA" });
  await sendAll(producer, "mixed", { keys: `${r}zlib-`, count: 2, size: 100_000 });
  await sendAll(producer, LONG_TOPIC, { keys: `${r}long-ours-`, count: 5 });
  // Two keys each, and enough bytes to go on in the next segments.
  for (let from = 0; from < 60; from += 20)
    await producer.send(
      Array.from({ length: 20 }, (_, i) => ({
        topic: "mixed",
        body: bodyOf(`${r}roll-${from + i}`, 40_000),
        keys: [`${r}roll-${from + i}`, `${r}roll-of-${from}`],
      })),
    );
  await sendAll(producer, "mixed", { keys: `${r}back-`, count: 3 });
  await producer.shutdown();

  const sent = new Map([["mixed", [`${r}back-0`, `${r}back-1`, `${r}back-2`]]]);
  const wanted = recordsOf(await settled(sent), "mixed").filter(({ keys }) => keys?.startsWith(`${r}back-`));
  await sendBack(round, wanted);
  for (const [topic, keys] of delivered)
    keys.push(...(topic === "delayed" ? [0, 1, 2].map((i) => `${r}soon-${i}`) : [`${r}back-0`]));
  view = await settled();
  assertDeliveredOnce(view);
  await assertFoundByKeys(owner.address, view, `at the end of round ${round}`);
}

/** As consumers of both groups would: the first for a second, the next for whoever comes, the last for an hour. */
async function sendBack(round: number, records: ReturnType<typeof recordsOf>): Promise<void> {
  const broker = await PlainConnection.open(owner.address);
  for (const { keys, physicalOffset, uniqueKey = "", topic } of records)
    for (const group of [PLAIN_GROUP, WIDE_GROUP])
      await broker.demand(SEND_BACK, {
        offset: physicalOffset,
        group,
        delayLevel: [1, levelForNext(round), LEVEL_FOR_EVER][Number(keys?.at(-1))]!,
        originMsgId: uniqueKey,
        originTopic: topic,
        unitMode: false,
        maxReconsumeTimes: 16,
      });
  broker.close();
}

/** mqadmin finds a message of the other owner's by its key and by its unique key. */
async function assertFoundByAdmin(topic: string, key: string): Promise<void> {
  const record = recordsOf(view, topic).find(({ keys }) => keys?.split(" ").includes(key));
  const id = record?.uniqueKey ?? "none";
  const [byKey] = await clients.run("admin", { line: `queryMsgByKey -n ${namesrv} -t ${topic} -k ${key}` });
  assert.ok(String(byKey?.["stdout"]).includes(id), JSON.stringify(byKey));
  // A second one in the same process would use the first one's client, which has ended.
  const unique = ["queryMsgByUniqueKey", "-n", namesrv, "-t", topic, "-i", id];
  const byUniqueKey = await runAdmin(unique, { home: workshop.folder });
  assert.ok(byUniqueKey.stdout.includes(key), JSON.stringify(byUniqueKey));
}

/** A group's offset moves; nothing but the new messages comes to it. */
async function consumedByOurs(round: number): Promise<void> {
  const expected = keysOf(view, "mixed").filter((key) => key.startsWith(`r${round}-`)).length;
  const got = await consume({ namesrv, group: "settled" }, "mixed", expected);
  assert.deepEqual([...new Set(got.map(({ key }) => key.slice(0, 3)))], [`r${round}-`]);
}

/** How many messages have ever waited at a delay level. */
const ofLevel = (level: number): number =>
  recordsOf(view, "SCHEDULE_TOPIC_XXXX").filter(({ queueId }) => queueId === level - 1).length;

async function givenAway(round: number): Promise<void> {
  const where = `-n ${namesrv} -b ${owner.address}`;
  await clients.run("admin", { line: `updateTopic ${where} -t set-${round} -r 3 -w 5 -p 4` });
  await clients.run("admin", { line: `updateSubGroup ${where} -g set-${round} -r 7 -q 2 -d false` });
  await owner.stop();
  state = readState(home);
  const { readQueueNums, writeQueueNums, perm } = state.topics[`set-${round}`]!;
  assert.deepEqual({ readQueueNums, writeQueueNums, perm }, { readQueueNums: 3, writeQueueNums: 5, perm: 4 });
  const { retryMaxTimes, retryQueueNums } = state.groups[`set-${round}`]!;
  assert.deepEqual({ retryMaxTimes, retryQueueNums }, { retryMaxTimes: 7, retryQueueNums: 2 });
  assert.equal(state.delayOffsets["1"], ofLevel(1), "all of the first delay level has been delivered");
  assert.equal(state.delayOffsets[String(LEVEL_FOR_EVER)] ?? 0, 0, "none of the last has");
  assert.ok(state.offsets["mixed@settled"] !== undefined);
  assert.ok(indexFiles() >= 2, `${indexFiles()} IndexFiles`);
}

const FIRST_FILE = "0".repeat(20);
const fileName = (start: number): string => String(start).padStart(20, "0");
const segmentBytes = Number(sizes.mappedFileSizeCommitLog);
const segmentOf = ({ physicalOffset }: { readonly physicalOffset: number }): string =>
  fileName(physicalOffset - (physicalOffset % segmentBytes));
const segments = (): string[] => readdirSync(join(home, "commitlog")).sort();
const queueFiles = (topic: string): string[] => readdirSync(join(home, "consumequeue", topic, "0")).sort();
const indexFiles = (): number =>
  readdirSync(join(home, "index")).filter((name) => /^\d{17}$/.test(name)).length;
/** How often the log went on in a new segment, between the oldest and the newest message of the view. */
const rolls = (of: StoreView): number => {
  const all = [...of.values()].flatMap(({ records }) => records.map(segmentOf));
  return new Set(all).size - 1;
};

step("ours begins the store, and its oldest segments are removed by retention", async () => {
  mkdirSync(join(home, "config"), { recursive: true });
  const groups = [PLAIN_GROUP, WIDE_GROUP].map((groupName) => [groupName, { groupName }]);
  const file = { subscriptionGroupTable: Object.fromEntries(groups) };
  writeFileSync(join(home, "config/subscriptionGroup.json"), JSON.stringify(file));
  const retention = { fileReservedTime: "0", cleanResourceInterval: "0" };
  // Only what the ConsumeQueues on disk lead to is removed.
  owner = await ours(0, home, { ...retention, flushConsumeQueueThoroughInterval: "500" });
  for (const [topic, queues] of [
    ["old", 2],
    ["mixed", 4],
    [LONG_TOPIC, 2],
    ["delayed", 2],
  ] as const)
    await createTopic(namesrv, topic, queues);
  const producer = await startProducer({ namesrv, compressOverBytes: 1_000_000 });
  for (let from = 0; from < 1_000; from += 50)
    await producer.send(
      Array.from({ length: 50 }, (_, i) => ({
        topic: "old",
        body: bodyOf(`old-${from + i}`, 3_000),
        keys: `old-${from + i}`,
      })),
    );
  await producer.shutdown();
  const written = await viewStore(owner.address);
  const head = segmentOf(recordsOf(written, "old").at(-1)!);
  const broker = await PlainConnection.open(owner.address);
  await until(async () => {
    await broker.demand(DELETE_EXPIRED_COMMITLOG);
    return segments()[0] === head ? true : undefined;
  });
  await broker.demand(CLEAN_EXPIRED_CONSUMEQUEUE);
  await until(async () => (queueFiles("old")[0] === FIRST_FILE ? undefined : true));
  broker.close();
  assert.ok(rolls(written) >= 2, `${rolls(written)} segments were written to the end`);
  view = await viewStore(owner.address);
  const rest = recordsOf(view, "old").length;
  assert.ok(rest > 0 && rest < 1_000, `${rest} messages are left`);
});

step("ours fills it: segments, IndexFiles, delays, returns, names, batches", async () => {
  await filled(0);
  assert.ok(rolls(view) >= 2, `${rolls(view)} rolls`);
  const versions = recordsOf(view, RETRY_TOPICS[1]!).map(({ version }) => version);
  assert.deepEqual(versions, [2]);
  await consumedByOurs(0);
  await givenAway(0);
});

for (const round of [1, 3, LAST_ROUND]) {
  step(`pass ${(round + 1) / 2}: the original has it as ours left it`, async () => {
    owner = await java(round);
    await takenOver(round);
    if (round === 1) await assertFoundByAdmin(LONG_TOPIC, `r${round - 1}-long-ours-0`);
  });

  step(`pass ${(round + 1) / 2}: the original writes to it`, async () => {
    await filled(round);
    await consumedByOurs(round);
    if (round < LAST_ROUND) await givenAway(round);
  });

  if (round === LAST_ROUND) break;
  step(`pass ${(round + 1) / 2}: ours has it as the original left it`, async () => {
    owner = await ours(round + 1);
    await takenOver(round + 1);
    if (round === 1) await assertFoundByAdmin("mixed", `r${round}-roll-of-20`);
  });

  step(`pass ${(round + 1) / 2}: ours writes to it`, async () => {
    await filled(round + 1);
    await consumedByOurs(round + 1);
    await givenAway(round + 1);
  });
}

step("killed in the middle of writing, the original and ours find the same in it", async () => {
  // What it has delivered must be noted, or it would be delivered again.
  const { delayOffsets } = await until(async () => {
    const found = readStateOfRunning(home);
    return found?.delayOffsets["1"] === ofLevel(1) ? found : undefined;
  });
  const load = { namesrv, count: 6_000, size: 300, retries: 0, "timeout-ms": 1_000 };
  const producing = [
    clients.start("produce", { ...load, topic: "load", mode: "async" }),
    clients.start("produce", { ...load, topic: "batches", mode: "batch", keys: "batch-" }),
    clients.start("produce", { ...load, topic: "delayed", "delay-level": LEVEL_FOR_EVER }),
  ] as const;
  const acknowledged = () => producing[0].lines.filter((line) => line["status"] === "SEND_OK");
  await producing[0].until(() => (acknowledged().length >= 2_000 ? true : undefined));
  await owner.kill();
  for (const one of producing) assert.equal(await one.done, 1, "the kill came before the last message");

  const copied = workshop.place("copied");
  await cp(home, join(copied, "store"), { recursive: true });
  const [theirs, own] = await Promise.all([java(LAST_ROUND, copied), ours(LAST_ROUND)]);
  const [javas, now] = await Promise.all([viewStore(theirs.address), viewStore(own.address)]);
  assertKept(now, javas, "what ours has, and Java has");
  assertKept(now, view, "what was there before the load", (topic) =>
    ["load", "batches", "SCHEDULE_TOPIC_XXXX"].includes(topic),
  );
  const places = new Set(
    recordsOf(now, "load").map(({ keys, queueId, queueOffset }) => `${keys} ${queueId} ${queueOffset}`),
  );
  const lost = acknowledged().filter(
    (line) => !places.has(`key-${line["i"]} ${line["queueId"]} ${line["queueOffset"]}`),
  );
  assert.deepEqual(lost, []);
  await assertFoundByKeys(own.address, now, "ours after the kill");
  // The original indexes the last message before its IndexFile's end once more when it recovers.
  await assertFoundByKeys(theirs.address, now, "the original after the kill", { mayRepeat: true });
  const known = readState(home);
  for (const { address } of [theirs, own]) await assertStateKept(address, known, "after the kill");
  assert.deepEqual(known.delayOffsets, delayOffsets);
});
