/** `Admin.where` and `orbitmq message where` against a server in memory whose clock is moved by hand: each state a message can be in. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  Admin,
  DeadLetters,
  LitePullConsumer,
  type MessageWhere,
  OrbitError,
  Producer,
  PushConsumer,
  type PushConsumerOptions,
  SimpleConsumer,
  sql,
  TransactionProducer,
  type WhereQuery,
} from "@orbitmq/client";
import { nodeHost } from "@orbitmq/host/node";
import { RequestCode } from "@orbitmq/wire";
import { type ManualOrbitMQ, start } from "../../start.ts";
import { processTerminal } from "../../terminal.ts";
import { RawClient } from "../../testing/in-process-stage.ts";
import { type WhereFlags, whereIsMessage, whereText } from "./where.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
let mq: ManualOrbitMQ;
let producer: Producer;
let admin: Admin;
const stops = new Set<() => unknown>();

async function begin(config: Record<string, string | number | boolean> = {}): Promise<void> {
  mq = await start({
    store: "memory",
    clock: "manual",
    namesrvPort: 0,
    brokerPort: 0,
    config: { recallMessageEnable: true, defaultTopicQueueNums: 1, ...config },
  });
  producer = new Producer({ ...mq.clientOptions });
  admin = new Admin({ ...mq.clientOptions });
  await producer.start();
  await admin.start();
}

async function end(): Promise<void> {
  const stopping = Promise.all([...stops].map((stop) => stop()));
  stops.clear();
  await mq.advance(20 * SECOND);
  await stopping;
  await producer.shutdown();
  await admin.shutdown();
  await mq.stop();
}

beforeEach(() => begin());
afterEach(end);

function consumer(group: string, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  const one = new PushConsumer({
    ...mq.clientOptions,
    group,
    clientId: `${group}-1`,
    from: "first",
    ...options,
  });
  stops.add(() => one.shutdown());
  return one;
}

async function consumes(
  group: string,
  listener: () => undefined | "RECONSUME_LATER" | Promise<never>,
  options: Partial<PushConsumerOptions> = {},
): Promise<void> {
  const one = consumer(group, options);
  one.listen("orders", listener as () => undefined);
  await one.start();
}

async function only(query: WhereQuery): Promise<MessageWhere> {
  const { messages, searched } = await admin.where(query);
  assert.equal(messages.length, 1, JSON.stringify(messages.map(({ verdict }) => verdict)));
  assert.equal(searched.complete, true, JSON.stringify(searched));
  return messages[0]!;
}

const send = (more: object = {}) => producer.send({ topic: "orders", body: "x", ...more });
const groupsOf = ({ groups }: MessageWhere) => groups.map(({ group, state }) => `${group} ${state}`);
const eventsOf = ({ timeline }: MessageWhere) => timeline.map(({ event }) => event);

const portHex = (address: string): string =>
  Number(address.split(":")[1]).toString(16).toUpperCase().padStart(8, "0");

/** Larger bodies are compressed. */
function incompressible(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

async function said(flags: WhereFlags): Promise<{ code: number; text: string }> {
  let text = "";
  const code = await whereIsMessage(flags, {
    ...processTerminal(),
    env: { NAMESRV_ADDR: mq.namesrvAddr },
    out: async (more) => {
      text += more;
    },
  });
  return { code, text };
}

describe("where a stored message is", () => {
  it("says file, offsets, durability, checksum and queue, and that nobody consumes it", async () => {
    await send();
    const { msgId, offsetMsgId } = await send({ keys: ["k1", "k2"], tag: "red" });
    const message = await only({ id: msgId });
    assert.equal(message.verdict, "stored; no group consumes its topic");
    const { at } = message;
    assert.deepEqual(
      [at?.file, at?.durability, at?.integrity, at?.queueOffset, at?.queueMinOffset, at?.queueMaxOffset],
      ["00000000000000000000", "flushed", "whole", 1, 0, 2],
    );
    assert.deepEqual(
      [at?.fileOffset, at?.offsetMsgId, at?.brokerName],
      [at?.position, offsetMsgId, "broker-a"],
    );
    assert.deepEqual([message.tag, message.keys], ["red", ["k1", "k2"]]);
    assert.deepEqual(eventsOf(message), ["born", "stored"]);
    assert.deepEqual(await only({ id: offsetMsgId }), message);
    assert.deepEqual(await only({ id: offsetMsgId.toLowerCase() }), message);
    assert.deepEqual(await only({ key: "k2", topic: "orders" }), message);
    assert.deepEqual(await only({ id: msgId, topic: "orders" }), message);
  });

  it("says that it is in memory only while an asynchronous flush has not come to it", async () => {
    await end();
    await begin({ flushDiskType: "ASYNC_FLUSH" });
    const { msgId } = await send();
    assert.equal((await only({ id: msgId })).at?.durability, "written");
    await mq.advance(10 * SECOND);
    assert.equal((await only({ id: msgId })).at?.durability, "flushed");
  });

  it("tells each group's progress: consumed, in flight by whom, waiting, not wanted, unknown", async () => {
    await consumes("done", () => undefined);
    await consumes("busy", () => new Promise<never>(() => {}));
    await consumes("many", () => undefined, { messageModel: "BROADCASTING" });
    const reds = consumer("greens");
    reds.listen("orders", () => undefined, { tags: "green" });
    await reds.start();
    const dear = consumer("dear");
    dear.subscribe("orders", sql("price > 5"), () => undefined);
    await dear.start();
    const cheap = consumer("cheap");
    cheap.subscribe("orders", sql("price < 5"), () => undefined);
    await cheap.start();
    const later = new LitePullConsumer({ ...mq.clientOptions, group: "later", from: "first" });
    await later.start();
    stops.add(() => later.shutdown());
    const { msgId } = await send({ tag: "red", properties: { price: "7" } });
    await mq.advance(10 * SECOND);
    const message = await only({ id: msgId });
    assert.deepEqual(groupsOf(message), [
      "busy IN_FLIGHT",
      "cheap FILTERED",
      "dear CONSUMED",
      "done CONSUMED",
      "greens FILTERED",
      "many UNKNOWN",
    ]);
    const of = (name: string) => message.groups.find(({ group }) => group === name)!;
    assert.deepEqual(of("busy").heldBy, ["busy-1"]);
    assert.match(of("busy").verdict, /^pulled and not yet consumed, by busy-1$/);
    assert.match(of("greens").verdict, /^not wanted: it subscribes to TAG green$/);
    assert.match(of("cheap").verdict, /^not wanted: it subscribes to SQL92 price < 5$/);
    assert.match(of("many").verdict, /^broadcasting/);
    assert.match(message.verdict, /^delivered to 2 of 4 groups; busy: pulled/);
  });

  it("says how many messages are before it for a group that is behind and offline", async () => {
    await consumes("slow", () => undefined);
    await send();
    await mq.advance(10 * SECOND);
    await [...stops][0]!();
    stops.clear();
    await send();
    const { msgId } = await send();
    const message = await only({ id: msgId });
    assert.deepEqual(groupsOf(message), ["slow WAITING"]);
    assert.equal(
      message.verdict,
      "delivered to 0 of 1 group; slow: not yet: 1 message before it; nobody of it is online",
    );
    assert.equal(message.groups[0]?.committedOffset, 1);
  });
});

describe("where a message is that failed", () => {
  it("follows retries with the next attempt's time, until it is a dead letter", async () => {
    await consumes("billing", () => "RECONSUME_LATER", { maxReconsumeTimes: 4 });
    await consumes("shipping", () => undefined);
    const sentMs = mq.nowMs();
    const { msgId, offsetMsgId } = await send();
    await mq.advance(45 * SECOND);
    const message = await only({ id: msgId });
    assert.match(
      message.verdict,
      /^delivered to 1 of 2 groups; billing: retry 3 of 16, next at \d{4}-.*Z \(in 55s\) \(the listener returned RECONSUME_LATER\)$/,
    );
    const [billing] = message.groups;
    assert.deepEqual(
      [billing?.state, billing?.retries, billing?.nextAttemptMs, billing?.copy?.topic],
      ["RETRY", 3, sentMs + 100 * SECOND, "SCHEDULE_TOPIC_XXXX"],
    );
    assert.deepEqual(eventsOf(message), [
      "born",
      "stored",
      ...["returned", "retried", "returned", "retried", "returned", "attempt"],
    ]);
    // Asked for by the place of its retry: the same life.
    const retry = await only({ id: billing!.copy!.offsetMsgId });
    assert.deepEqual(
      [retry.msgId, retry.at?.offsetMsgId, retry.verdict],
      [msgId, offsetMsgId, message.verdict],
    );
    await mq.advance(4 * MINUTE);
    const dead = await only({ id: msgId });
    assert.deepEqual(groupsOf(dead), ["billing DEAD", "shipping CONSUMED"]);
    assert.match(
      dead.verdict,
      /^delivered to 1 of 2 groups; billing: dead letter since .* after 4 retries, in %DLQ%billing queue 0 offset 0 \(/,
    );
    assert.equal(eventsOf(dead).at(-1), "dead");
    assert.equal((await only({ id: dead.groups[0]!.copy!.offsetMsgId })).at?.offsetMsgId, offsetMsgId);
  });

  it("tells what a dead letter became that was sent again, and what the listener said", async () => {
    let isBroken = true;
    await consumes(
      "billing",
      (() => {
        if (isBroken) throw new Error("no such card");
      }) as never,
      { maxReconsumeTimes: 1 },
    );
    const { msgId } = await send();
    await mq.advance(MINUTE);
    const dead = await only({ id: msgId });
    assert.match(dead.verdict, /^delivered to 0 of 1 group; billing: dead letter .* \(.*no such card\)$/);
    isBroken = false;
    const letters = new DeadLetters({ ...mq.clientOptions });
    await letters.start();
    stops.add(() => letters.shutdown());
    const redriving = letters.redrive("billing");
    await mq.advance(2 * MINUTE);
    assert.equal((await redriving).done, 1);
    const { messages, verdict } = await admin.where({ id: msgId });
    assert.deepEqual(
      messages.map(({ redrivenFrom, groups }) => [redrivenFrom?.topic, groups[0]?.state]),
      [
        [undefined, "DEAD"],
        ["%DLQ%billing", "CONSUMED"],
      ],
    );
    assert.equal(messages[1]?.redrivenFrom?.offsetMsgId, messages[0]?.groups[0]?.copy?.offsetMsgId);
    assert.match(verdict, /sent again .*; \(2\) delivered to 1 of 1 group$/);
    assert.equal(eventsOf(messages[0]!).at(-1), "redriven");
  });

  it("says that a retry is being consumed, and that it was", async () => {
    let attempts = 0;
    let finish = () => {};
    await consumes("slow", (() =>
      ++attempts === 1 ? "RECONSUME_LATER" : new Promise<void>((resolve) => (finish = resolve))) as never);
    const { msgId } = await send();
    await mq.advance(20 * SECOND);
    const busy = await only({ id: msgId });
    assert.deepEqual(groupsOf(busy), ["slow IN_FLIGHT"]);
    assert.equal(busy.groups[0]?.verdict, "retry 1 of 16, pulled and not yet consumed, by slow-1");
    finish();
    await mq.advance(20 * SECOND);
    const done = await only({ id: msgId });
    assert.deepEqual([groupsOf(done), done.verdict], [["slow CONSUMED"], "delivered to 1 of 1 group"]);
  });

  it("tells several messages of one unique id apart, each with its own retries", async () => {
    await consumes("billing", () => "RECONSUME_LATER");
    const raw = new RawClient(nodeHost(), mq.brokerAddr, "raw");
    stops.add(() => raw.close());
    await raw.send("orders", "one", "UNIQ_KEY\u0001SAME\u0002KEYS\u0001k\u0002");
    await mq.advance(15 * SECOND);
    await raw.send("orders", "one", "UNIQ_KEY\u0001SAME\u0002KEYS\u0001k\u0002");
    await mq.advance(2 * SECOND);
    const { messages, verdict } = await admin.where({ id: "SAME" });
    assert.deepEqual(
      messages.map(({ at, groups }) => [at?.queueOffset, groups[0]?.retries]),
      [
        [0, 2],
        [1, 1],
      ],
    );
    assert.match(verdict, /^2 messages; \(1\) delivered to 0 of 1 group; billing: retry 2 of 16, .*; \(2\) /);
    const { text } = await said({ key: "k", topic: "orders" });
    assert.match(text, /^\(1\) delivered/m);
    assert.match(text, /^\(2\) delivered/m);
    assert.deepEqual((await admin.where({ id: "SAME", max: 1 })).more, true);
  });
});

describe("where a popped message is", () => {
  it("says by whom and until when it is invisible, that it was acknowledged, and that it comes again", async () => {
    const simple = new SimpleConsumer({ ...mq.clientOptions, group: "pops", clientId: "popper" });
    await simple.start();
    stops.add(() => simple.shutdown());
    await simple.subscribe("orders");
    const first = await send();
    const second = await send();
    const received = simple.receive({ messagesMax: 16, invisibleMs: 30 * SECOND });
    await mq.advance(SECOND);
    const messages = await received;
    assert.equal(messages.length, 2);
    const poppedMs = mq.nowMs();
    const held = await only({ id: second.msgId });
    assert.deepEqual(groupsOf(held), ["pops IN_FLIGHT"]);
    assert.match(held.groups[0]!.verdict, /^popped by popper, invisible until .*Z \(in \d+s\)$/);
    assert.ok(held.groups[0]!.nextAttemptMs! <= poppedMs + 30 * SECOND);
    assert.deepEqual(eventsOf(held), ["born", "stored", "popped", "visible"]);
    await simple.ack(messages.find(({ msgId }) => msgId === first.msgId)!);
    assert.deepEqual(groupsOf(await only({ id: first.msgId })), ["pops CONSUMED"]);
    await mq.advance(MINUTE);
    const again = await only({ id: second.msgId });
    assert.deepEqual([groupsOf(again), again.groups[0]?.copy?.topic], [["pops RETRY"], "%RETRY%pops_orders"]);
    assert.match(again.groups[0]!.verdict, /^retry 1 of 16, not yet/);
  });

  it("says what a group holds that pops in order", async () => {
    const simple = new SimpleConsumer({ ...mq.clientOptions, group: "orderly", clientId: "popper" });
    await simple.start();
    stops.add(() => simple.shutdown());
    await simple.subscribe("orders");
    const { msgId } = await send();
    const received = simple.receive({ fifo: true, invisibleMs: 30 * SECOND });
    await mq.advance(SECOND);
    const [message] = await received;
    const held = await only({ id: msgId });
    assert.deepEqual(groupsOf(held), ["orderly IN_FLIGHT"]);
    assert.match(held.groups[0]!.verdict, /^popped, invisible until /);
    await simple.ack(message!);
    assert.deepEqual(groupsOf(await only({ id: msgId })), ["orderly CONSUMED"]);
  });
});

describe("where a message is that waits", () => {
  it("says until when, for a level, and what it was delivered as", async () => {
    await consumes("billing", () => undefined);
    const { msgId } = await send({ delayLevel: 5, keys: ["waits"] });
    const waiting = await only({ id: msgId });
    assert.deepEqual([waiting.state, waiting.delay?.level, waiting.at], ["DELAYED", 5, undefined]);
    assert.match(waiting.verdict, /^delayed until .*Z \(in 1m\), not delivered to any group yet$/);
    assert.deepEqual(await only({ key: "waits", topic: "orders" }), waiting);
    await mq.advance(70 * SECOND);
    const delivered = await only({ id: msgId });
    assert.deepEqual(
      [delivered.state, delivered.delay?.state, groupsOf(delivered)],
      ["STORED", "delivered", ["billing CONSUMED"]],
    );
    assert.deepEqual(eventsOf(delivered), ["born", "delayed", "stored"]);
  });

  it("says so of timers, and that one was recalled, by its id and by its recall handle", async () => {
    const kept = await send({ delayMs: 90 * SECOND });
    const recalled = await send({ delayMs: 90 * SECOND });
    const waiting = await only({ id: kept.msgId });
    assert.deepEqual([waiting.state, waiting.delay?.kind], ["DELAYED", "TIMER"]);
    assert.ok(Math.abs(waiting.delay!.untilMs - mq.nowMs() - 90 * SECOND) <= SECOND);
    await producer.recall("orders", recalled.recallHandle!);
    const taken = await only({ id: recalled.recallHandle! });
    assert.deepEqual(
      [taken.state, taken.msgId, taken.delay?.state],
      ["RECALLED", recalled.msgId, "recalled"],
    );
    await mq.advance(100 * SECOND);
    assert.equal((await only({ id: kept.msgId })).state, "STORED");
    assert.match((await only({ id: recalled.msgId })).verdict, /^recalled .*: it is not delivered$/);
  });

  it("says so of a transaction: half with its checks, committed, rolled back, parked", async () => {
    let answer: "UNKNOW" | "COMMIT_MESSAGE" | "ROLLBACK_MESSAGE" = "UNKNOW";
    const transactions = new TransactionProducer({
      ...mq.clientOptions,
      group: "sellers",
      executeLocalTransaction: () => "UNKNOW",
      checkLocalTransaction: () => answer,
    });
    await transactions.start();
    stops.add(() => transactions.shutdown());
    const sendHalf = () => transactions.sendInTransaction({ topic: "orders", body: "paid" });
    const first = await sendHalf();
    const half = await only({ id: first.msgId });
    assert.deepEqual(
      [half.state, half.transaction?.checks, half.transaction?.producerGroup],
      ["PREPARED", 0, "sellers"],
    );
    assert.match(
      half.verdict,
      /^half of a transaction, neither committed nor rolled back: 0 of 15 checks, next at /,
    );
    await mq.advance(50 * SECOND);
    const checked = await only({ id: first.msgId });
    assert.ok(checked.transaction!.checks >= 1, `${checked.transaction!.checks}`);
    assert.ok(eventsOf(checked).includes("checked"));
    answer = "COMMIT_MESSAGE";
    await mq.advance(2 * MINUTE);
    const committed = await only({ id: first.msgId });
    assert.deepEqual([committed.state, committed.transaction?.state], ["STORED", "COMMITTED"]);
    assert.equal(eventsOf(committed).at(-1), "committed");
    answer = "ROLLBACK_MESSAGE";
    const second = await sendHalf();
    await mq.advance(2 * MINUTE);
    assert.match((await only({ id: second.msgId })).verdict, /^rolled back/);
    answer = "UNKNOW";
    const third = await sendHalf();
    await mq.advance(20 * MINUTE);
    const parked = await only({ id: third.msgId });
    assert.deepEqual(
      [parked.state, parked.transaction?.parkedAt?.topic],
      ["PARKED", "TRANS_CHECK_MAX_TIME_TOPIC"],
    );
    assert.match(parked.verdict, /^parked after 15 checks: nobody has ended its transaction$/);
  });
});

describe("where a message is not", () => {
  it("says what was searched, and what a place that is none would be", async () => {
    const { offsetMsgId } = await send();
    const none = await admin.where({ id: "nobody" });
    assert.deepEqual([none.messages, none.searched.complete], [[], true]);
    assert.match(
      none.verdict,
      /^not found: id nobody in \d+ topics on broker-a, whose oldest message is of /,
    );
    const beyond = await admin.where({ id: `${offsetMsgId.slice(0, -4)}FFFF` });
    assert.match(
      beyond.verdict,
      /as a place it is 65535 in the log of broker-a, which ends at \d+: it was never stored/,
    );
    const between = await admin.where({ id: `${offsetMsgId.slice(0, -1)}1` });
    assert.match(
      between.verdict,
      /as a place it is 1 in the log of broker-a, and cannot be read: no record starts there/,
    );
    const stranger = await admin.where({ id: "0A0000090000277F0000000000000007" });
    assert.match(
      stranger.verdict,
      /^NOT FOUND, but the search is incomplete: 10\.0\.0\.9:10111: .*no NameServer knows/,
    );
    const { code, text } = await said({ id: "nobody" });
    assert.equal(code, 9);
    assert.match(text, /^broker-a +127\.0\.0\.1:\d+ +yes /m);
    const key = await admin.where({ key: "nobody", topic: "orders" });
    assert.match(key.verdict, /^not found: key nobody of orders in 5 topics on broker-a/);
  });

  it("never claims absence when a broker keeps no index of keys", async () => {
    await end();
    await begin({ messageIndexEnable: false });
    const { msgId, offsetMsgId } = await send();
    const { verdict, searched } = await admin.where({ id: msgId });
    assert.equal(searched.complete, false);
    assert.match(verdict, /^NOT FOUND, but the search is incomplete: broker-a: it keeps no index of keys/);
    assert.equal((await admin.where({ id: offsetMsgId })).messages.length, 1);
  });

  it("says that a message has expired, and follows what is left of it", async () => {
    await end();
    await begin({ mappedFileSizeCommitLog: 65_536, maxMessageSize: 32_768, fileReservedTime: 1 });
    const fill = async () => {
      for (let i = 0; i < 4; i++) await producer.send({ topic: "others", body: incompressible(20_000) });
    };
    const { msgId, offsetMsgId } = await send();
    await fill();
    await mq.advance(50 * MINUTE);
    const raw = new RawClient(nodeHost(), mq.brokerAddr, "raw");
    stops.add(() => raw.close());
    const back = { offset: 0, group: "billing", delayLevel: 18, maxReconsumeTimes: 16 };
    assert.equal((await raw.ask(RequestCode.CONSUMER_SEND_MSG_BACK, back)).code, 0);
    await fill();
    // The first segments are older than an hour then, and the copy's is not.
    await mq.advance(15 * MINUTE);
    assert.equal((await raw.ask(RequestCode.DELETE_EXPIRED_COMMITLOG)).code, 0);
    await mq.advance(MINUTE);
    const gone = await admin.where({ id: offsetMsgId });
    assert.deepEqual([gone.messages, gone.searched.complete], [[], true]);
    assert.match(
      gone.verdict,
      /as a place it is 0 in the log of broker-a, which begins at \d+: that message has expired$/,
    );
    const left = await only({ id: msgId });
    assert.deepEqual([left.state, left.wasAt, left.at], ["EXPIRED", offsetMsgId, undefined]);
    assert.match(
      left.verdict,
      /^not stored any more, .*; delivered to 0 of 1 group; billing: retry \d+ of 16, next at /,
    );
  });

  it("says that a message is damaged, and never that it is not there", async () => {
    await end();
    const home = mkdtempSync(join(tmpdir(), "orbitmq-where-"));
    const config = { mappedFileSizeCommitLog: 262_144, maxMessageSize: 65_536 };
    const onDisk = () => start({ home, namesrvPort: 0, brokerPort: 0, vipPort: 0, config });
    try {
      const one = await onDisk();
      const sender = new Producer({ ...one.clientOptions });
      await sender.start();
      const { msgId, offsetMsgId } = await sender.send({ topic: "orders", body: "a body to be damaged" });
      await sender.send({ topic: "orders", body: "another" });
      await sender.shutdown();
      await one.stop();
      const path = join(home, "commitlog", "0".repeat(20));
      const log = readFileSync(path);
      log[log.indexOf("to be damaged")]! ^= 1;
      writeFileSync(path, log);
      await using two = await onDisk();
      const asker = new Admin({ ...two.clientOptions });
      await asker.start();
      // The id's place is told by the address it was stored at: the ports are others now.
      const place = offsetMsgId.slice(0, 8) + portHex(two.brokerAddr) + offsetMsgId.slice(16);
      const byPlace = await asker.where({ id: place });
      assert.match(byPlace.verdict, /cannot be read/);
      const byId = await asker.where({ id: msgId });
      assert.deepEqual([byId.messages, byId.searched.complete], [[], false]);
      assert.match(byId.verdict, /^NOT FOUND, but the search is incomplete: broker-a: .*cannot be read/);
      await asker.shutdown();
    } finally {
      rmSync(home, { recursive: true, force: true });
      await begin();
    }
  });

  it("refuses what cannot be asked", async () => {
    const bad: WhereQuery[] = [
      {},
      { id: "a", key: "b", topic: "orders" },
      { key: "b" },
      { id: " " },
      { id: "x".repeat(2_000) },
      { key: "two words", topic: "orders" },
      { id: "a", topic: "not a topic" },
      { id: "a", max: 0 },
    ];
    for (const query of bad) {
      await assert.rejects(
        admin.where(query),
        (error) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT",
        JSON.stringify(query),
      );
    }
  });
});

it("prints what an operator wants at three in the morning", async () => {
  await consumes("billing", () => "RECONSUME_LATER");
  await consumes("shipping", () => undefined);
  const { msgId } = await send({ keys: ["o-17"], tag: "paid" });
  await mq.advance(15 * SECOND);
  const { code, text } = await said({ id: msgId });
  assert.equal(code, 0);
  const plain = text
    .replaceAll(msgId, "ID")
    .replace(/127\.0\.0\.1:\d+/g, "HOST")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/[0-9A-F]{32}/g, "PLACE")
    .replace(/log \d+/g, "log N")
    .replace(/\d+ bytes/g, "N bytes")
    .replace(/ +/g, " ");
  assert.equal(
    plain,
    `delivered to 1 of 2 groups; billing: retry 2 of 16, next at TIME (in 25s) (the listener returned RECONSUME_LATER)

message ID of orders, on broker-a
born TIME at HOST
named tag paid, keys o-17
stored TIME in orders queue 0 offset 0 (it holds 0 to 0)
 as PLACE
 log N, file 00000000000000000000 at 0, N bytes, flushed, whole

GROUP STATE RETRIES GOES ON AT WHAT
billing RETRY 2 1 retry 2 of 16, next at TIME (in 25s) (the listener returned RECONSUME_LATER)
shipping CONSUMED 0 1 consumed

TIME AFTER GROUP EVENT
TIME +0.000 born at HOST
TIME +0.000 stored, orders queue 0 offset 0 (broker-a, log N)
TIME +0.000 billing failed, retry 1 waits, SCHEDULE_TOPIC_XXXX queue 2 offset 0 (broker-a, log N)
TIME +10.000 billing retry 1 can be consumed, %RETRY%billing queue 0 offset 0 (broker-a, log N)
TIME +10.000 billing failed, retry 2 waits, SCHEDULE_TOPIC_XXXX queue 3 offset 0 (broker-a, log N)
TIME → +40.000 billing retry 2
`,
  );
  const json = await said({ id: msgId, json: true });
  const result = JSON.parse(json.text);
  assert.deepEqual(result.query, { id: msgId });
  assert.deepEqual(Object.keys(result), ["query", "verdict", "messages", "more", "searched", "askedMs"]);
  assert.equal(whereText(result), text);
});
