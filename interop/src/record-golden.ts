/**
 * Records golden bytes: lets the official clients and mqadmin talk to the real NameServer and broker through taps and
 * writes one frame of each kind, then the files of a small store the broker wrote, into `packages/wire/testdata`.
 *
 *   node --import tsx src/record-golden.ts
 *
 * The servers listen on 127.0.0.2 and announce 127.0.0.1 with the same ports, where the taps are: so the bytes hold the
 * addresses they would hold without taps.
 */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FrameTap } from "./frame-tap.ts";
import { freePort } from "./free-port.ts";
import { GoldenFrames, type Peers } from "./golden-frames.ts";
import { recordStore } from "./golden-store.ts";
import type { JavaVersion } from "./java-classpath.ts";
import { type JavaClientOptions, runProgram } from "./java-client.ts";
import { startJavaBroker, startJavaNameServer } from "./java-server.ts";

const testdata = fileURLToPath(new URL("../../packages/wire/testdata", import.meta.url));
const BYTES_MAX = 300_000;
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

const V1_SEND = { "com.rocketmq.sendSmartMsg": "false" };

/** One server per encoding of its answers, and the clients that visit it. */
const RUNS: readonly { readonly server: Encoding; readonly visits: readonly Visit[] }[] = [
  {
    server: "JSON",
    visits: [
      { setup: "client-5.5.0-json", version: "5.5.0", encoding: "JSON", program: "full" },
      { setup: "client-5.5.0-json", version: "5.5.0", encoding: "JSON", program: "send", systemProperties: V1_SEND },
      { setup: "client-5.5.0-json", version: "5.5.0", encoding: "JSON", program: "transact" },
      { setup: "client-4.9.8-json", version: "4.9.8", encoding: "JSON", program: "full" },
      { setup: "client-4.9.8-json", version: "4.9.8", encoding: "JSON", program: "send", systemProperties: V1_SEND },
      { setup: "client-4.9.8-json", version: "4.9.8", encoding: "JSON", program: "transact" },
      { setup: "client-4.9.8-as-4.9.3-json", version: "4.9.8", encoding: "JSON", program: "send", announceVersion: 399 },
      { setup: "client-5.5.0-rocketmq-server-json", version: "5.5.0", encoding: "ROCKETMQ", program: "send" },
    ],
  },
  {
    server: "ROCKETMQ",
    visits: [
      { setup: "client-5.5.0-rocketmq", version: "5.5.0", encoding: "ROCKETMQ", program: "full" },
      { setup: "client-5.5.0-rocketmq", version: "5.5.0", encoding: "ROCKETMQ", program: "send", systemProperties: V1_SEND },
      { setup: "client-5.5.0-rocketmq", version: "5.5.0", encoding: "ROCKETMQ", program: "transact" },
      { setup: "client-4.9.8-rocketmq", version: "4.9.8", encoding: "ROCKETMQ", program: "full" },
      { setup: "client-4.9.8-rocketmq", version: "4.9.8", encoding: "ROCKETMQ", program: "send", systemProperties: V1_SEND },
      { setup: "client-5.5.0-json-server-rocketmq", version: "5.5.0", encoding: "JSON", program: "send" },
    ],
  },
];

async function recordRun(frames: GoldenFrames, directory: string, run: (typeof RUNS)[number]): Promise<void> {
  const brokerSetup = `broker-5.5.0-${run.server.toLowerCase()}`;
  const namesrvPort = await freePort();
  const brokerPort = await freePort([-2, 1]);
  let setup = brokerSetup;
  let client = "broker 5.5.0";
  const tap = (port: number, server: string) => {
    const peersOf = new Map<string, Peers>();
    return FrameTap.open(
      { host: "127.0.0.1", port },
      { host: HIDDEN, port },
      () => {
        peersOf.set(setup, { client, server });
        return setup;
      },
      (connection, fromServer, frame) => frames.see(connection, peersOf.get(connection.label)!, fromServer, frame),
    );
  };
  const taps = [await tap(namesrvPort, "nameserver 5.5.0"), await tap(brokerPort, "broker 5.5.0")];
  const systemProperties = { "rocketmq.serialize.type": run.server };
  const namesrv = await startJavaNameServer({
    directory: join(directory, "namesrv"),
    port: namesrvPort,
    bindAddress: HIDDEN,
    systemProperties,
  });
  const broker = await startJavaBroker({
    directory,
    port: brokerPort,
    bindAddress: HIDDEN,
    namesrv: namesrv.address,
    systemProperties,
    properties: {
      messageDelayLevel: "1s 1s 1s",
      transactionTimeOut: "1000",
      transactionCheckInterval: "1000",
    },
  });
  for (const [i, visit] of run.visits.entries()) {
    setup = visit.setup;
    client = `client ${visit.version}`;
    const begin = performance.now();
    await pay(visit, i, namesrv.address, broker.address, directory);
    console.log(`${setup}: ${visit.program}, ${Math.round(performance.now() - begin)} ms`);
  }
  setup = brokerSetup;
  await broker.stop();
  await namesrv.stop();
  for (const one of taps) await one.close();
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

async function bytesBelow(directory: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(directory, { recursive: true })) {
    const info = await stat(join(directory, entry));
    if (info.isFile()) total += info.size;
  }
  return total;
}

const work = await mkdtemp(join(tmpdir(), "orbitmq-golden-"));
const frames = new GoldenFrames();
for (const run of RUNS) await recordRun(frames, join(work, run.server), run);
for (const part of ["frames", "store"]) await rm(join(testdata, part), { recursive: true, force: true });
const index = { frames: await frames.write(testdata), store: await recordStore(join(work, "store"), testdata) };
const list = (entries: readonly object[]) => entries.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n");
await writeFile(
  join(testdata, "index.json"),
  `{\n  "frames": [\n${list(index.frames)}\n  ],\n  "store": [\n${list(index.store)}\n  ]\n}\n`,
);
await rm(work, { recursive: true });
const total = await bytesBelow(testdata);
console.log(`${index.frames.length} frames, ${index.store.length} store files, ${total} bytes`);
if (total > BYTES_MAX) throw new Error(`the golden bytes have outgrown ${BYTES_MAX}`);
