/**
 * Records golden bytes: lets the official clients and mqadmin talk to the real NameServer and broker through taps and
 * writes one frame of each kind, then the files of a small store the broker wrote, into `packages/wire/testdata`.
 *
 *   node --import tsx src/record-golden.ts
 *
 * The servers listen on 127.0.0.2 and announce 127.0.0.1 with the same ports, where the taps are: so the bytes hold the
 * addresses they would hold without taps.
 */
import { cp, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FrameTap } from "./frame-tap.ts";
import { freePort } from "./free-port.ts";
import { GoldenFrames, type Peers } from "./golden-frames.ts";
import { recordStore } from "./golden-store.ts";
import type { JavaVersion } from "./java-classpath.ts";
import { type JavaClientOptions, runProgram } from "./java-client.ts";
import { launchJavaBroker, startJavaBroker, startJavaNameServer } from "./java-server.ts";

const testdata = fileURLToPath(new URL("../../packages/wire/testdata", import.meta.url));
const BYTES_MAX = 300_000;
const REGISTER_BROKER = 103;
const HIDDEN = "127.0.0.2";

type Encoding = "JSON" | "ROCKETMQ";

interface Visit {
  /** Folder of the frames; several visits may fill one. */
  readonly setup: string;
  readonly version: JavaVersion;
  readonly encoding: Encoding;
  readonly program: "full" | "send" | "transact";
  readonly announceVersion?: number;
  readonly systemProperties?: Readonly<Record<string, string>>;
}

const V1_SEND = { "org.apache.rocketmq.client.sendSmartMsg": "false" };

/** One server per encoding of its answers, and the clients that visit it. */
const RUNS: readonly { readonly server: Encoding; readonly visits: readonly Visit[] }[] = [
  {
    server: "JSON",
    visits: [
      { setup: "client-5.5.0-json", version: "5.5.0", encoding: "JSON", program: "full" },
      {
        setup: "client-5.5.0-json",
        version: "5.5.0",
        encoding: "JSON",
        program: "send",
        systemProperties: V1_SEND,
      },
      { setup: "client-5.5.0-json", version: "5.5.0", encoding: "JSON", program: "transact" },
      { setup: "client-4.9.8-json", version: "4.9.8", encoding: "JSON", program: "full" },
      {
        setup: "client-4.9.8-json",
        version: "4.9.8",
        encoding: "JSON",
        program: "send",
        systemProperties: V1_SEND,
      },
      { setup: "client-4.9.8-json", version: "4.9.8", encoding: "JSON", program: "transact" },
      {
        setup: "client-4.9.8-as-4.9.3-json",
        version: "4.9.8",
        encoding: "JSON",
        program: "send",
        announceVersion: 399,
      },
      { setup: "client-5.5.0-rocketmq-server-json", version: "5.5.0", encoding: "ROCKETMQ", program: "send" },
    ],
  },
  {
    server: "ROCKETMQ",
    visits: [
      { setup: "client-5.5.0-rocketmq", version: "5.5.0", encoding: "ROCKETMQ", program: "full" },
      {
        setup: "client-5.5.0-rocketmq",
        version: "5.5.0",
        encoding: "ROCKETMQ",
        program: "send",
        systemProperties: V1_SEND,
      },
      { setup: "client-5.5.0-rocketmq", version: "5.5.0", encoding: "ROCKETMQ", program: "transact" },
      { setup: "client-4.9.8-rocketmq", version: "4.9.8", encoding: "ROCKETMQ", program: "full" },
      {
        setup: "client-4.9.8-rocketmq",
        version: "4.9.8",
        encoding: "ROCKETMQ",
        program: "send",
        systemProperties: V1_SEND,
      },
      { setup: "client-4.9.8-rocketmq", version: "4.9.8", encoding: "ROCKETMQ", program: "transact" },
      { setup: "client-5.5.0-json-server-rocketmq", version: "5.5.0", encoding: "JSON", program: "send" },
    ],
  },
];

/** The two taps in front of a server to be started, and under which name they record what passes. */
class Taps {
  setup: string;
  client = "broker 5.5.0";
  readonly namesrvPort: number;
  readonly brokerPort: number;
  /** Called when a frame of that request code was answered. */
  onAnswer: (command: number) => void = () => {};
  readonly #frames: GoldenFrames;
  readonly #taps: FrameTap[] = [];

  private constructor(frames: GoldenFrames, setup: string, namesrvPort: number, brokerPort: number) {
    this.#frames = frames;
    this.setup = setup;
    this.namesrvPort = namesrvPort;
    this.brokerPort = brokerPort;
  }

  static async open(frames: GoldenFrames, setup: string): Promise<Taps> {
    const taps = new Taps(frames, setup, await freePort(), await freePort([-2, 1]));
    await taps.#tap(taps.namesrvPort, "nameserver 5.5.0");
    await taps.#tap(taps.brokerPort, "broker 5.5.0");
    return taps;
  }

  async close(): Promise<void> {
    for (const tap of this.#taps) await tap.close();
  }

  async #tap(port: number, server: string): Promise<void> {
    const peersOf = new Map<string, Peers>();
    const label = () => {
      peersOf.set(this.setup, { client: this.client, server });
      return this.setup;
    };
    const tap = await FrameTap.open(
      { host: "127.0.0.1", port },
      { host: HIDDEN, port },
      label,
      (connection, fromServer, frame) => {
        const answered = this.#frames.see(connection, peersOf.get(connection.label)!, fromServer, frame);
        if (answered !== undefined) this.onAnswer(answered);
      },
    );
    this.#taps.push(tap);
  }
}

async function recordRun(frames: GoldenFrames, directory: string, run: (typeof RUNS)[number]): Promise<void> {
  const brokerSetup = `broker-5.5.0-${run.server.toLowerCase()}`;
  const taps = await Taps.open(frames, brokerSetup);
  const systemProperties = { "rocketmq.serialize.type": run.server };
  const namesrv = await startJavaNameServer({
    directory: join(directory, "namesrv"),
    port: taps.namesrvPort,
    bindAddress: HIDDEN,
    systemProperties,
  });
  const broker = await startJavaBroker({
    directory,
    port: taps.brokerPort,
    bindAddress: HIDDEN,
    namesrv: namesrv.address,
    probe: `${HIDDEN}:${taps.namesrvPort}`,
    systemProperties,
    properties: {
      messageDelayLevel: "1s 1s 1s",
      transactionTimeOut: "1000",
      transactionCheckInterval: "1000",
    },
  });
  for (const [i, visit] of run.visits.entries()) {
    taps.setup = visit.setup;
    taps.client = `client ${visit.version}`;
    const begin = performance.now();
    await pay(visit, i, namesrv.address, broker.address, directory);
    console.log(`${visit.setup}: ${visit.program}, ${Math.round(performance.now() - begin)} ms`);
  }
  await broker.stop();
  await namesrv.stop();
  await taps.close();
}

/**
 * A broker that compresses its registration. Broker 5.5.0 says `compressed=false` all the same, so NameServer 5.5.0
 * refuses it and the broker never becomes ready: one answer to it is all there is to wait for.
 */
async function recordCompressedRegistration(frames: GoldenFrames, directory: string): Promise<void> {
  const taps = await Taps.open(frames, "broker-5.5.0-compressed");
  const answered = new Promise<void>((resolve) => {
    taps.onAnswer = (command) => {
      if (command === REGISTER_BROKER) resolve();
    };
  });
  const namesrv = await startJavaNameServer({
    directory: join(directory, "namesrv"),
    port: taps.namesrvPort,
    bindAddress: HIDDEN,
  });
  const broker = await launchJavaBroker({
    directory,
    port: taps.brokerPort,
    bindAddress: HIDDEN,
    namesrv: namesrv.address,
    properties: { compressedRegister: "true" },
  });
  await Promise.race([
    answered,
    broker.jvm.exited.then(() => Promise.reject(new Error("the broker ended before it registered"))),
  ]);
  await broker.kill();
  await namesrv.kill();
  await taps.close();
}

async function pay(visit: Visit, i: number, namesrv: string, broker: string, home: string): Promise<void> {
  const topic = visit.program === "full" ? `Golden${i}` : "Golden0";
  const options: JavaClientOptions = {
    home,
    version: visit.version,
    encoding: visit.encoding,
    systemProperties: visit.systemProperties ?? {},
  };
  const announce = visit.announceVersion === undefined ? {} : { "announce-version": visit.announceVersion };
  if (visit.program === "transact") {
    await runProgram("transact", { namesrv, topic, outcome: "unknown", "check-ms": 60_000 }, options);
    return;
  }
  const lines = await runProgram(
    "tour",
    { namesrv, broker, topic, suffix: i, part: visit.program, ...announce },
    options,
  );
  for (const line of lines) if (Number(line["elapsedMs"]) > 2000) console.log(`  ${JSON.stringify(line)}`);
}

/** The bytes of all files that `path` is or holds. */
async function bytesOf(path: string): Promise<number> {
  const info = await stat(path);
  if (info.isFile()) return info.size;
  const sizes = (await readdir(path)).map((name) => bytesOf(join(path, name)));
  return (await Promise.all(sizes)).reduce((total, bytes) => total + bytes, 0);
}

const work = await mkdtemp(join(tmpdir(), "orbitmq-golden-"));
const frames = new GoldenFrames();
for (const run of RUNS) await recordRun(frames, join(work, run.server), run);
await recordCompressedRegistration(frames, join(work, "compressed"));
const fresh = join(work, "testdata");
const index = { frames: await frames.write(fresh), store: await recordStore(join(work, "store"), fresh) };
for (const part of ["frames", "store"]) {
  await rm(join(testdata, part), { recursive: true, force: true });
  await cp(join(fresh, part), join(testdata, part), { recursive: true });
}
const list = (entries: readonly object[]) =>
  entries.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n");
await writeFile(
  join(testdata, "index.json"),
  `{\n  "frames": [\n${list(index.frames)}\n  ],\n  "store": [\n${list(index.store)}\n  ]\n}\n`,
);
await rm(work, { recursive: true });
const sizes = await Promise.all(
  ["frames", "store", "index.json"].map((part) => bytesOf(join(testdata, part))),
);
const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
console.log(`${index.frames.length} frames, ${index.store.length} store files, ${total} bytes`);
if (total > BYTES_MAX) throw new Error(`the golden bytes have outgrown ${BYTES_MAX}`);
