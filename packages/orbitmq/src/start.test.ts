import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { OrbitError, Producer, PushConsumer, Reader } from "@orbitmq/client";
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { resolveConfiguration } from "./config/configuration.ts";
import { Server } from "./server.ts";
import { ServerError, type ServerErrorCode } from "./server-error.ts";
import { type OrbitMQ, type StartOptions, start } from "./start.ts";
import { temporaryFolder } from "./testing/built-command.ts";
import { failingHost } from "./testing/failing-host.ts";

let folder: ReturnType<typeof temporaryFolder>;
let home: string;
const running = new Set<OrbitMQ>();

beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, "store");
});

afterEach(async () => {
  await Promise.all([...running].map((mq) => mq.stop()));
  running.clear();
  folder.remove();
});

async function started(options: StartOptions = {}): Promise<OrbitMQ> {
  const mq = await start({ namesrvPort: 0, brokerPort: 0, ...options });
  running.add(mq);
  return mq;
}

const failsWith = (code: ServerErrorCode) => (error: unknown) =>
  error instanceof ServerError && error.code === code;

async function send(mq: OrbitMQ, topic: string, ...bodies: string[]): Promise<void> {
  await using producer = new Producer({ namesrv: mq.namesrvAddr });
  await producer.start();
  for (const body of bodies) await producer.send({ topic, body });
}

async function read(mq: OrbitMQ, topic: string): Promise<string[]> {
  await using reader = new Reader({ namesrv: mq.namesrvAddr });
  await reader.start();
  const texts: string[] = [];
  for await (const message of reader.read(topic, { from: "first", follow: false }))
    texts.push(message.text());
  return texts.sort();
}

const portOf = (address: string): number => Number(address.split(":")[1]);
const refuses = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(portOf(address), "127.0.0.1");
    socket.on("connect", () => socket.destroy()).on("close", (failed) => resolve(failed));
    socket.on("error", () => socket.destroy());
  });

describe("start()", () => {
  it("serves clients from memory and leaves nothing behind", async () => {
    const mq = await started({ store: "memory" });
    await send(mq, "greetings", "hello");
    assert.deepEqual(await read(mq, "greetings"), ["hello"]);
    assert.equal(mq.status().state, "running");
    assert.equal(mq.status().messageCount, 1);
    await mq.stop();
    assert.equal(mq.status().state, "stopped");
    assert.ok(await refuses(mq.namesrvAddr));
    assert.ok(await refuses(mq.brokerAddr));
  });

  it("keeps what it acknowledged for the next start on the same folder", async () => {
    const first = await started({ home });
    await send(first, "orders", "1", "2", "3");
    await first.stop();
    const second = await started({ home, existing: true });
    assert.equal(second.status().messageCount, 3);
    assert.deepEqual(await read(second, "orders"), ["1", "2", "3"]);
  });

  it("runs several times in one process, on folders of their own", async () => {
    const servers = await Promise.all([
      started({ store: "memory" }),
      started({ store: "memory" }),
      started({ home }),
    ]);
    for (const [index, mq] of servers.entries()) await send(mq, "shared-name", `of ${index}`);
    for (const [index, mq] of servers.entries())
      assert.deepEqual(await read(mq, "shared-name"), [`of ${index}`]);
  });

  it("refuses a folder that another start() of this process has open, and leaves that one alone", async () => {
    const first = await started({ home });
    await assert.rejects(start({ home, namesrvPort: 0, brokerPort: 0 }), failsWith("STORE_LOCKED"));
    await send(first, "still", "alive");
    await first.stop();
    await started({ home });
  });

  it("delivers to a consumer that was there before the topic", async () => {
    const mq = await started({ store: "memory" });
    await using consumer = new PushConsumer({ namesrv: mq.namesrvAddr, group: "early", from: "first" });
    const received = new Promise<string>((resolve) => {
      consumer.listen("later", (message) => resolve(message.text()));
    });
    await consumer.start();
    await send(mq, "later", "hello");
    assert.equal(await received, "hello");
  });

  it("stops once however often it is asked, also by `await using`", async () => {
    let address: string;
    {
      await using mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 });
      address = mq.brokerAddr;
      await Promise.all([mq.stop(), mq.stop()]);
    }
    assert.ok(await refuses(address));
  });

  it("answers a send with an error rather than never when it is stopped meanwhile", async () => {
    const mq = await started({ home });
    await using producer = new Producer({ namesrv: mq.namesrvAddr, sendTimeoutMs: 2_000 });
    await producer.start();
    await producer.send({ topic: "t", body: "warm" });
    const sends = Array.from({ length: 50 }, (_, i) =>
      producer.send({ topic: "t", body: String(i) }).catch((e) => e),
    );
    await mq.stop();
    const outcomes = await Promise.all(sends);
    for (const outcome of outcomes) assert.ok(outcome instanceof OrbitError || outcome.status === "SEND_OK");
    const acknowledged = outcomes.filter((outcome) => !(outcome instanceof OrbitError)).length;
    const again = await started({ home });
    assert.ok((await read(again, "t")).length >= acknowledged + 1);
  });

  it("takes keys of broker.conf, and refuses wrong ones before anything is created", async () => {
    const mq = await started({ store: "memory", config: { autoCreateTopicEnable: false } });
    await using producer = new Producer({ namesrv: mq.namesrvAddr });
    await producer.start();
    await assert.rejects(producer.send({ topic: "unknown", body: "x" }), OrbitError);
    await assert.rejects(start({ home, config: { flushDiskType: "NEVER" } }), failsWith("CONFIG_INVALID"));
    await assert.rejects(start({ home, config: { aclEnable: true } }), failsWith("CONFIG_INVALID"));
    await assert.rejects(start({}), failsWith("USAGE"));
    assert.equal(existsSync(home), false);
  });

  it("frees everything when one part cannot start", async () => {
    const other = await started({ store: "memory" });
    const brokerPort = portOf(other.brokerAddr);
    await assert.rejects(start({ home, namesrvPort: 0, brokerPort }), failsWith("ADDRESS_UNUSABLE"));
    await started({ home });
  });

  it("never prints, and lets the process end by itself after stop()", () => {
    const program = `
      import { start } from "orbitmq";
      const mq = await start({ home: ${JSON.stringify(home)}, namesrvPort: 0, brokerPort: 0 });
      await mq.stop();
      process.on("exit", () => process.listenerCount("SIGTERM") === 0 || process.abort());
    `;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=orbitmq-source", "--import", "tsx", "--input-type=module", "--eval", program],
      { cwd: import.meta.dirname, encoding: "utf8" },
    );
    assert.deepEqual([status, stdout, stderr], [0, "", ""]);
  });

  it("writes to the logger it is given", async () => {
    const lines: string[] = [];
    const note = (first: object | string, message?: string) =>
      void lines.push(typeof first === "string" ? first : (message ?? ""));
    const mq = await started({ store: "memory", logger: { ...silentLogger, info: note } });
    await mq.stop();
    assert.ok(
      lines.some((line) => /registered/.test(line)),
      lines.join("\n"),
    );
  });
});

describe("a server that is stopped while its store takes long to open", () => {
  it("gives up at once, leaves the store to the next start, and loses nothing", async () => {
    // The client compresses what can be.
    const body = randomBytes(75_000).toString("base64");
    const first = await started({ home });
    await send(first, "t", ...Array.from({ length: 60 }, () => body));
    await first.stop();
    rmSync(join(home, "consumequeue"), { recursive: true });
    const config = resolveConfiguration({
      role: "broker",
      options: [`storePathRootDir=${home}`, "namesrvPort=0", "listenPort=0"],
    });
    const settings = { role: "server", config, store: "disk", existing: true, unsafeNoLock: false } as const;
    const server = new Server(nodeHost(), settings, silentLogger);
    const starting = server.start();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.giveUpStart(), true, "the event loop turns while the log is read");
    await assert.rejects(starting, ServerError);
    assert.equal(server.gaveUp, true);
    const again = new Server(nodeHost(), settings, silentLogger);
    await again.start();
    assert.equal(again.giveUpStart(), false);
    assert.equal(again.storeStatus()?.messageCount, 60);
    await again.stop(5_000);
    // What else goes wrong is not hidden by the wish to stop.
    const taken = createServer().listen(0, "127.0.0.1").unref();
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    rmSync(join(home, "consumequeue"), { recursive: true });
    const clashing = resolveConfiguration({
      role: "broker",
      options: [`storePathRootDir=${home}`, `namesrvPort=${port}`, "listenPort=0"],
    });
    const third = new Server(nodeHost(), { ...settings, config: clashing }, silentLogger);
    const failing = third.start();
    await new Promise((resolve) => setImmediate(resolve));
    third.giveUpStart();
    await assert.rejects(failing, { code: "ADDRESS_UNUSABLE" });
    assert.equal(third.gaveUp, false);
    taken.close();
  });
});

describe("a server whose disk fails", () => {
  it("rejects `failed`, refuses sends, and goes on serving what it has", async () => {
    const { host, failSyncs } = failingHost();
    const config = resolveConfiguration({
      role: "broker",
      options: [`storePathRootDir=${home}`, "namesrvPort=0", "listenPort=0"],
    });
    const settings = { role: "server", config, store: "disk", existing: false, unsafeNoLock: false } as const;
    const server = new Server(host, settings, silentLogger);
    await server.start();
    const { namesrvAddr } = server.addresses;
    await using producer = new Producer({ namesrv: namesrvAddr, retryTimes: 0 });
    await producer.start();
    await producer.send({ topic: "t", body: "on disk" });
    failSyncs();
    const refused = await producer.send({ topic: "t", body: "not on disk" }).catch((error: unknown) => error);
    assert.ok(refused instanceof OrbitError);
    await assert.rejects(server.failed);
    assert.equal(server.storeStatus()?.state, "failed");
    {
      await using reader = new Reader({ namesrv: namesrvAddr });
      await reader.start();
      const texts: string[] = [];
      for await (const message of reader.read("t", { from: "first", follow: false }))
        texts.push(message.text());
      assert.deepEqual(texts, ["on disk"]);
    }
    await server.stop(5_000).catch((error: unknown) => assert.ok(error instanceof ServerError));
    assert.equal(existsSync(join(home, "abort")), true, "the next start must recover");
  });
});
