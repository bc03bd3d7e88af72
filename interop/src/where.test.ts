/**
 * "Where is my message?" of what Java's clients send, consume, refuse and commit: asked by ours of OrbitMQ, which tells
 * all, and of the original broker, which tells what RocketMQ's requests can.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Admin, type MessageWhere, type WhereQuery, type WhereResult } from "@orbitmq/client";
import { startServerProcess } from "orbitmq/testing";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const LOOK_INTERVAL_MS = 250;
/** Halves are not asked about while the test runs. */
const patient = { transactionTimeOut: "3600000", transactionCheckInterval: "3600000" };
const TOPIC = "orders";
const workshop = new Workshop("where");
let clients: JavaClients;

const starts = {
  OrbitMQ: async () => {
    const options = Object.entries(patient).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    const server = await startServerProcess({ home: workshop.place("ours"), options });
    workshop.ends(server, (it) => it.stop());
    return server.namesrvAddr;
  },
  "the original broker": async () => {
    const directory = workshop.place("java");
    const server = await startJavaServer({ directory, brokerProperties: patient });
    workshop.ends(server, (it) => it.kill());
    return server.namesrv;
  },
};

const namesrvOf = new Map<string, string>();

before(async () => {
  // Each takes its seconds to start.
  await Promise.all([
    startJavaClients({ home: workshop.folder }).then((started) => {
      clients = workshop.ends(started, (it) => it.stop());
    }),
    ...Object.entries(starts).map(async ([kind, begin]) => namesrvOf.set(kind, await begin())),
  ]);
});

for (const kind of Object.keys(starts)) {
  describe(`of ${kind}`, () => {
    const isOurs = kind === "OrbitMQ";
    let namesrv: string;
    let admin: Admin;

    before(async () => {
      namesrv = namesrvOf.get(kind)!;
      admin = workshop.ends(new Admin({ namesrv }), (it) => it.shutdown());
      await admin.start();
    });

    const produce = (keys: string, more: object = {}) =>
      clients.run("produce", { namesrv, topic: TOPIC, count: 1, keys, group: "p", ...more });

    /** Asks until the answer is as expected: indexes and offsets follow a little behind. */
    async function once(query: WhereQuery, is: (message: MessageWhere) => boolean): Promise<MessageWhere> {
      let last: WhereResult | undefined;
      for (;;) {
        last = await admin.where(query);
        const found = last.messages.find(is);
        if (found !== undefined) return found;
        await delay(LOOK_INTERVAL_MS);
      }
    }

    const groupOf = ({ groups }: MessageWhere, name: string) => groups.find(({ group }) => group === name);
    const stateOf = (message: MessageWhere, group: string) => groupOf(message, group)?.state;

    test("a message that one group has consumed, another retries, and a third has given up", {
      timeout,
    }, async () => {
      await produce("m-");
      const line = { namesrv, topic: TOPIC };
      await clients.run("consume", { ...line, group: "done", count: 1 });
      const failing = { refuse: 99, "refuse-delay-level": 9, "max-reconsume-times": 16, instance: "r" };
      const retries = clients.start("consume", { ...line, group: "retries", ...failing });
      const dying = { refuse: 99, "refuse-delay-level": 1, "max-reconsume-times": 1, instance: "d" };
      const dies = clients.start("consume", { ...line, group: "dies", ...dying });
      const message = await once(
        { key: "m-0", topic: TOPIC },
        (each) =>
          stateOf(each, "done") === "CONSUMED" &&
          stateOf(each, "retries") === "RETRY" &&
          stateOf(each, "dies") === "DEAD",
      );
      await Promise.all([retries.stop(), dies.stop()]);
      const retry = groupOf(message, "retries");
      assert.deepEqual([retry?.retries, retry?.retriesMax], [1, 16]);
      // Level 9 is five minutes.
      assert.equal(retry!.nextAttemptMs! - retry!.copy!.storedMs, 300_000);
      assert.equal(groupOf(message, "dies")?.copy?.topic, "%DLQ%dies");
      assert.match(
        message.verdict,
        /^delivered to 1 of 3 groups; dies: dead letter since .*; retries: retry 1 of 16, next at /,
      );
      assert.deepEqual([message.at?.queueOffset, message.at?.queueMaxOffset], [0, 1]);
      assert.equal(message.at?.integrity, isOurs ? "whole" : undefined);
      assert.equal(message.at?.durability, isOurs ? "flushed" : undefined);
      assert.equal(
        message.notTold.some((each) => each.includes("is no OrbitMQ")),
        !isOurs,
      );
      const byId = await admin.where({ id: message.msgId });
      assert.deepEqual(byId.messages[0]?.at, message.at);
      assert.equal(byId.searched.complete, true);
      const byPlace = await admin.where({ id: message.at!.offsetMsgId });
      assert.deepEqual(byPlace.messages[0]?.timeline, byId.messages[0]?.timeline);
    });

    test("a message that waits for its level, and one that waits for its time", { timeout }, async () => {
      await produce("level-", { "delay-level": 9 });
      const level = await once({ key: "level-0", topic: TOPIC }, () => true);
      assert.deepEqual([level.state, level.delay?.level], ["DELAYED", 9]);
      assert.equal(level.delay!.untilMs - level.delay!.at.storedMs, 300_000);
      await produce("timer-", { "delay-ms": 300_000 });
      const timer = await once({ key: "timer-0", topic: TOPIC }, () => true);
      assert.deepEqual([timer.state, timer.delay?.kind], ["DELAYED", "TIMER"]);
      const waitsMs = timer.delay!.untilMs - timer.bornMs;
      assert.ok(waitsMs > 297_000 && waitsMs <= 302_000, `${waitsMs}`);
    });

    test("transactions: committed, rolled back, and not ended", { timeout }, async () => {
      const transact = (keys: string, outcome: string, checks: number) =>
        clients.start("transact", {
          namesrv,
          topic: TOPIC,
          group: "sellers",
          count: 1,
          keys,
          outcome,
          checks,
        });
      await transact("c-", "commit", 0).done;
      const committed = await once({ key: "c-0", topic: TOPIC }, ({ state }) => state === "STORED");
      assert.deepEqual(
        [committed.transaction?.state, committed.transaction?.producerGroup],
        ["COMMITTED", "sellers"],
      );
      assert.deepEqual(
        committed.timeline.map(({ event }) => event),
        ["born", "prepared", "committed"],
      );
      await transact("r-", "rollback", 0).done;
      const ended = isOurs ? "ROLLED_BACK" : "PREPARED";
      const rolledBack = await once({ key: "r-0", topic: TOPIC }, ({ state }) => state === ended);
      assert.equal(rolledBack.at, undefined);
      const unknown = transact("u-", "unknown", 1);
      const half = await once({ key: "u-0", topic: TOPIC }, ({ state }) => state === "PREPARED");
      assert.deepEqual([half.transaction?.checks, half.at], [0, undefined]);
      await unknown.stop();
    });

    test("an id nobody knows is not found, and the search says where it looked", { timeout }, async () => {
      const { messages, searched, verdict } = await admin.where({ id: "7F0000010000000000000000DEADBEEF" });
      assert.deepEqual([messages, searched.complete], [[], true]);
      assert.match(verdict, /^not found: /);
      assert.ok(
        searched.topics > 4 && (searched.brokers[0]?.logMaxOffset ?? 0) > 0,
        JSON.stringify(searched),
      );
    });
  });
}
