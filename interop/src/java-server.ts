/**
 * The real RocketMQ 5.5.0, NameServer and broker, on free ports of the loopback interface, so that a test can hold our
 * behaviour against the original's. Each part can be started alone, to be mixed with parts of ours. The folder given
 * holds everything (broker.conf, broker.out, store/ …); starting again in it opens the same store.
 */
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { javaClasspath } from "./java-classpath.ts";
import { Jvm } from "./jvm.ts";

const READY_TIMEOUT_MS = 120_000;
const PROBE_INTERVAL_MS = 50;
const PROBE_TIMEOUT_MS = 2_000;

export interface JavaPartOptions {
  /** Folder of this server; created when missing. */
  readonly directory: string;
  /** Listening port; default a free one. */
  readonly port?: number;
  /** Address listened on, default 127.0.0.1. What the broker announces stays 127.0.0.1. */
  readonly bindAddress?: string;
  /** Lines of its configuration file, over the defaults below. */
  readonly properties?: Readonly<Record<string, string>>;
  /** -D properties of its JVM, e.g. rocketmq.serialize.type=ROCKETMQ. */
  readonly systemProperties?: Readonly<Record<string, string>>;
  /** Heap in MiB, default 128 for the NameServer and 384 for the broker. */
  readonly heapMiB?: number;
  /** Flags of its JVM in place of those that make it start fast in little memory. */
  readonly jvmFlags?: readonly string[];
}

export interface JavaBrokerOptions extends JavaPartOptions {
  /** host:port of the NameServer, ours or theirs; several joined by ";". */
  readonly namesrv: string;
  /** Where to ask whether it has registered, if not at `namesrv`. */
  readonly probe?: string;
}

export interface JavaServerOptions {
  readonly directory: string;
  readonly brokerPort?: number;
  readonly brokerProperties?: Readonly<Record<string, string>>;
  readonly systemProperties?: Readonly<Record<string, string>>;
  readonly brokerHeapMiB?: number;
  /** As {@link JavaPartOptions.jvmFlags}. */
  readonly brokerJvmFlags?: readonly string[];
}

/** A started NameServer or broker. */
export interface JavaPart {
  /** 127.0.0.1:port, as clients are to be told. */
  readonly address: string;
  readonly port: number;
  readonly directory: string;
  readonly jvm: Jvm;
  /** Clean shutdown. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

export interface JavaServer {
  readonly namesrv: string;
  readonly broker: string;
  readonly storeDirectory: string;
  readonly parts: { readonly namesrv: JavaPart; readonly broker: JavaPart };
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts a NameServer and a broker; resolves when the NameServer lists the broker. */
export async function startJavaServer(options: JavaServerOptions): Promise<JavaServer> {
  const { directory, systemProperties = {} } = options;
  const namesrv = await startJavaNameServer({ directory: join(directory, "namesrv"), systemProperties });
  let broker: JavaPart;
  try {
    broker = await startJavaBroker({
      directory,
      namesrv: namesrv.address,
      systemProperties,
      ...(options.brokerPort === undefined ? {} : { port: options.brokerPort }),
      ...(options.brokerHeapMiB === undefined ? {} : { heapMiB: options.brokerHeapMiB }),
      ...(options.brokerJvmFlags === undefined ? {} : { jvmFlags: options.brokerJvmFlags }),
      properties: options.brokerProperties ?? {},
    });
  } catch (error) {
    await namesrv.kill();
    throw error;
  }
  return {
    namesrv: namesrv.address,
    broker: broker.address,
    storeDirectory: join(directory, "store"),
    parts: { namesrv, broker },
    async stop() {
      await broker.stop();
      await namesrv.stop();
    },
    async kill() {
      await Promise.all([broker.kill(), namesrv.kill()]);
    },
  };
}

/** Starts a NameServer; resolves when it answers. */
export async function startJavaNameServer(options: JavaPartOptions): Promise<JavaPart> {
  const port = options.port ?? (await freePort());
  const bindAddress = options.bindAddress ?? "127.0.0.1";
  const part = await launch("namesrv", "org.apache.rocketmq.namesrv.NamesrvStartup", options, port, 128, {
    listenPort: String(port),
    bindAddress,
  });
  await ready(part, async () => (await clusterInfo(bindAddress, port)).includes("brokerAddrTable"));
  return part;
}

/** Starts a broker; resolves when it answers and every given NameServer lists it. */
export async function startJavaBroker(options: JavaBrokerOptions): Promise<JavaPart> {
  const part = await launchJavaBroker(options);
  await ready(part, async () => {
    // A NameServer may still list a broker that was killed at the same address: whatever this one says, it is there.
    await clusterInfo(options.bindAddress ?? "127.0.0.1", part.port);
    for (const namesrv of (options.probe ?? options.namesrv).split(";")) {
      const [host, port] = namesrv.split(":") as [string, string];
      if (!(await clusterInfo(host, Number(port))).includes(`"${part.address}"`)) return false;
    }
    return true;
  });
  return part;
}

/** Starts a broker and does not wait for anything. */
export async function launchJavaBroker(options: JavaBrokerOptions): Promise<JavaPart> {
  const port = options.port ?? (await freePort([-2, 1]));
  const store = join(options.directory, "store");
  return launch("broker", "org.apache.rocketmq.broker.BrokerStartup", options, port, 384, {
    brokerClusterName: "DefaultCluster",
    brokerName: "broker-a",
    brokerId: "0",
    brokerIP1: "127.0.0.1",
    brokerIP2: "127.0.0.1",
    bindAddress: options.bindAddress ?? "127.0.0.1",
    listenPort: String(port),
    haListenPort: String(port + 1),
    namesrvAddr: options.namesrv,
    autoCreateTopicEnable: "true",
    enablePropertyFilter: "true",
    storePathRootDir: store,
    storePathCommitLog: join(store, "commitlog"),
  });
}

async function launch(
  role: "namesrv" | "broker",
  mainClass: string,
  options: JavaPartOptions,
  port: number,
  heapMiB: number,
  defaults: Readonly<Record<string, string>>,
): Promise<JavaPart> {
  const { directory } = options;
  await mkdir(directory, { recursive: true });
  const configFile = join(directory, `${role}.conf`);
  const lines = Object.entries({ ...defaults, ...options.properties });
  await writeFile(configFile, lines.map(([name, value]) => `${name}=${value}\n`).join(""));
  const output = await open(join(directory, `${role}.out`), "a");
  const heap = options.heapMiB ?? heapMiB;
  const jvm = new Jvm({
    classpath: await javaClasspath("5.5.0"),
    mainClass,
    args: ["-c", configFile],
    properties: { "orbitmq.logLevel": "INFO", ...options.systemProperties },
    flags: options.jvmFlags ?? [`-Xms${heap}m`, `-Xmx${heap}m`, "-XX:MaxDirectMemorySize=256m"],
    startsFast: options.jvmFlags === undefined,
    home: directory,
    stdio: ["ignore", output.fd, output.fd],
  });
  await output.close();
  return {
    address: `127.0.0.1:${port}`,
    port,
    directory,
    jvm,
    stop: () => jvm.stop(),
    kill: () => jvm.kill(),
  };
}

/** Asks again and again until `probe` says yes; a JVM that ended, or two minutes, end the wait. */
async function ready(part: JavaPart, probe: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (await probe().catch(() => false)) return;
    const late = performance.now() > deadline;
    if (late || !part.jvm.alive) {
      if (late) await part.kill();
      const role = part.jvm.child.spawnargs.some((arg) => arg.endsWith("NamesrvStartup"))
        ? "namesrv"
        : "broker";
      const output = await readFile(join(part.directory, `${role}.out`), "utf8");
      throw new Error(`java ${role} ${late ? "is not ready" : "ended"}:\n${output.slice(-4_000)}`);
    }
    await delay(PROBE_INTERVAL_MS);
  }
}

/** The body of the NameServer's answer to GET_BROKER_CLUSTER_INFO. Spoken by hand: the judge must not use our own codec. */
function clusterInfo(host: string, port: number): Promise<string> {
  const header = Buffer.from('{"code":106,"language":"OTHER","version":0,"opaque":1,"flag":0}');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(4 + header.length, 0);
  head.writeUInt32BE(header.length, 4);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    let answer = Buffer.alloc(0);
    socket.on("connect", () => socket.write(Buffer.concat([head, header])));
    socket.on("data", (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return;
      resolve(answer.toString("latin1", 8));
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without an answer")));
  });
}
