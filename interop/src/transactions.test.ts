/**
 * Transactions between the original and ours: Java's transaction producers at our broker, and one store with pending
 * halves, commits and rollbacks handed from one broker to the other.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { TransactionProducer } from "@orbitmq/client";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, bodyOf, deliveriesIn, type Expected } from "./delivery.ts";
import { javaVersions } from "./java-classpath.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { consume, readAll } from "./our-clients.ts";
import { storeWithJava, storeWithOurs } from "./store-owners.ts";
import { Workshop } from "./workshop.ts";

const timeout = 240_000;
const eager = { transactionTimeOut: "1000", transactionCheckInterval: "1000" };
/** The original asks again, and commits again, what is not noted as ended before the next round. */
const eagerJava = {
  transactionTimeOut: "1000",
  transactionCheckInterval: "10000",
  transactionOpBatchInterval: "500",
};
/** Halves are asked about after an hour. */
const patient = { transactionTimeOut: "3600000", transactionCheckInterval: "3600000" };
const workshop = new Workshop("transactions");

const asFlags = (options: Readonly<Record<string, string>>): string[] =>
  Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);

describe("at our broker", () => {
  let server: ServerProcess;
  before(async () => {
    const options = asFlags(eager);
    server = workshop.ends(await startServerProcess({ home: workshop.place("data"), options }), (it) =>
      it.stop(),
    );
  });

  for (const version of javaVersions) {
    for (const encoding of ["JSON", "ROCKETMQ"] as const) {
      test(`a Java producer ${version} (${encoding}) commits, rolls back, and is asked about the rest`, {
        timeout,
      }, async () => {
        const { namesrvAddr: namesrv } = server;
        const started = await startJavaClients({ home: workshop.folder, version, encoding });
        const clients = workshop.ends(started, (it) => it.stop());
        const topic = `t-${version.replaceAll(".", "")}-${encoding}`;
        const send = (outcome: string, keys: string) =>
          clients.run("transact", { namesrv, topic, group: `g-${topic}`, count: 5, keys, outcome });
        await send("commit", "c-");
        await send("rollback", "r-");
        const lines = await send("unknown", "u-");
        assert.equal(lines.filter(({ checked }) => checked === true).length, 5);
        const consumer = await clients.run("consume", { namesrv, topic, group: `c-${topic}`, count: 10 });
        const expected = [
          { keys: "c-", count: 5 },
          { keys: "u-", count: 5 },
        ];
        assertDelivered(deliveriesIn(consumer), ...expected);
        assertDelivered(await readAll({ namesrv }, topic), ...expected);
      });
    }
  }
});

test("our transaction producer commits, rolls back, and is asked about the rest, at the original broker", {
  timeout,
}, async () => {
  const directory = workshop.place("java-server");
  const server = workshop.ends(await startJavaServer({ directory, brokerProperties: eagerJava }), (it) =>
    it.kill(),
  );
  const { namesrv } = server;
  const topic = "ours";
  const says = { c: "COMMIT_MESSAGE", r: "ROLLBACK_MESSAGE", u: "UNKNOW" } as const;
  const checked: string[] = [];
  const producer = new TransactionProducer({
    namesrv,
    group: "g-ours",
    executeLocalTransaction: ({ message }) => says[String(message.keys)[0] as keyof typeof says],
    checkLocalTransaction: ({ keys }) => {
      checked.push(keys[0] ?? "");
      return "COMMIT_MESSAGE";
    },
  });
  await producer.start();
  try {
    for (const keys of ["c-0", "r-0", "u-0", "c-1", "u-1"]) {
      await producer.sendInTransaction({ topic, keys, body: bodyOf(keys, 64) }, { timeoutMs: 10_000 });
    }
    const expected = [
      { keys: "c-", count: 2 },
      { keys: "u-", count: 2 },
    ];
    assertDelivered(await consume({ namesrv, group: "c-ours" }, topic, 4), ...expected);
    assert.deepEqual([...new Set(checked)].sort(), ["u-0", "u-1"]);
    assertDelivered(await readAll({ namesrv }, topic), ...expected);
  } finally {
    await producer.shutdown();
  }
});

describe("a store with transactions", () => {
  let namesrv: string;
  let clients: JavaClients;
  before(async () => {
    const nameServer = await startServerProcess({ role: "namesrv", home: "" });
    workshop.ends(nameServer, (it) => it.stop());
    namesrv = nameServer.namesrvAddr;
    clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
  });

  const transact = (topic: string, more: Readonly<Record<string, string | number>>) =>
    clients.run("transact", { namesrv, topic, group: `g-${topic}`, ...more });

  /** Two that are committed, two rolled back, three left open. */
  async function work(topic: string, round: string): Promise<void> {
    await transact(topic, { keys: `${round}u-`, count: 3, outcome: "unknown", checks: 0 });
    await transact(topic, { keys: `${round}c-`, count: 2, outcome: "commit" });
    await transact(topic, { keys: `${round}r-`, count: 2, outcome: "rollback" });
  }

  const owners = {
    java: async (home: string, options: Readonly<Record<string, string>>) => {
      const broker = await storeWithJava({ workshop, namesrv }, home, {
        ...options,
        flushDiskType: "SYNC_FLUSH",
      });
      return broker;
    },
    ours: (home: string, options: Readonly<Record<string, string>>) =>
      storeWithOurs({ workshop, namesrv }, join(home, "store"), options, { flags: [] }),
  };

  for (const [first, second, third, how] of [
    ["ours", "java", "ours", "all in order"],
    ["java", "ours", "java", "all in order"],
    ["ours", "ours", "java", "the first one killed"],
  ] as const) {
    test(`passes from ${first} to ${second} to ${third}, ${how}: each is delivered once, or never`, {
      timeout,
    }, async () => {
      const topic = `${first}-${second}-${third}`;
      const home = workshop.place(topic);
      const expected: Expected[] = [];
      for (const [index, owner] of [first, second].entries()) {
        const broker = await owners[owner](home, patient);
        await work(topic, `${index}`);
        expected.push({ keys: `${index}u-`, count: 3 }, { keys: `${index}c-`, count: 2 });
        if (index === 0 && how === "the first one killed") await broker.kill();
        else await broker.stop();
        // The lock of one that was killed.
        rmSync(join(home, "store", "lock"), { force: true });
      }
      const last = await owners[third](home, third === "java" ? eagerJava : eager);
      // A producer without a message of its own is known to no broker.
      const open = ["0u-0", "0u-1", "0u-2", "1u-0", "1u-1", "1u-2", "last-0"];
      const options = { namesrv, topic, group: `g-${topic}`, keys: "last-", count: 1, outcome: "unknown" };
      const asked = clients.start("transact", { ...options, checks: 1_000, "check-ms": 150_000 });
      // The original asks again before the ops of what was committed are written.
      const isAsked = (key: string) =>
        asked.lines.some((line) => line["checked"] === true && line["keys"] === key);
      await asked.until(() => (open.every(isAsked) ? true : undefined));
      await asked.stop();
      expected.push({ keys: "last-", count: 1 });
      assertDelivered(await readAll({ namesrv }, topic), ...expected);
      await last.kill();
    });
  }
});
