/** RocketMQ with its gRPC proxy in the broker's process (`ProxyStartup -pm local`), for clients that speak gRPC only. */
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Admin } from "@orbitmq/client";
import { freePort, Jvm, startJavaNameServer } from "@orbitmq/interop";
import { benchClasspath } from "../load/java-program.ts";
import type { BenchServer, BenchServerOptions } from "./bench-server.ts";

const READY_TIMEOUT_MS = 120_000;
const LOOK_MS = 100;

type Started = Pick<BenchServer, "namesrvAddr" | "brokerAddr" | "proxyAddr" | "pids" | "namesrvPid" | "stop">;

export async function startWithProxy(
  { folder, flush }: BenchServerOptions,
  flags: readonly string[],
  properties: Readonly<Record<string, string>>,
): Promise<Started> {
  const namesrv = await startJavaNameServer({
    directory: join(folder, "namesrv"),
    systemProperties: properties,
  });
  const port = await freePort([-2, 1]);
  const proxyPort = await freePort([-1]);
  const brokerConf = join(folder, "broker.conf");
  const proxyConf = join(folder, "rmq-proxy.json");
  mkdirSync(folder, { recursive: true });
  const store = join(folder, "store");
  const settings = {
    brokerClusterName: "DefaultCluster",
    brokerName: "broker-a",
    brokerId: 0,
    brokerIP1: "127.0.0.1",
    brokerIP2: "127.0.0.1",
    listenPort: port,
    haListenPort: port + 1,
    namesrvAddr: namesrv.address,
    storePathRootDir: store,
    storePathCommitLog: join(store, "commitlog"),
    flushDiskType: flush,
  };
  writeFileSync(
    brokerConf,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const proxy = {
    rocketMQClusterName: "DefaultCluster",
    namesrvAddr: namesrv.address,
    grpcServerPort: proxyPort,
    remotingListenPort: proxyPort - 1,
  };
  writeFileSync(proxyConf, JSON.stringify(proxy));
  const jvm = new Jvm({
    classpath: await benchClasspath(),
    mainClass: "org.apache.rocketmq.proxy.ProxyStartup",
    args: ["-n", namesrv.address, "-bc", brokerConf, "-pc", proxyConf, "-pm", "local"],
    properties,
    flags,
    startsFast: false,
    home: folder,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const stop = async (how: "kill" | "stop"): Promise<void> => {
    await (how === "kill" ? jvm.kill() : jvm.stop());
    await namesrv.kill();
  };
  const brokerAddr = `127.0.0.1:${port}`;
  try {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!((await listens(proxyPort)) && (await isRegistered(namesrv.address)))) {
      if (!jvm.alive) throw new Error("RocketMQ's proxy ended");
      if (performance.now() > deadline) throw new Error("RocketMQ's proxy is not ready");
      await delay(LOOK_MS);
    }
  } catch (error) {
    await stop("kill");
    throw error;
  }
  return {
    namesrvAddr: namesrv.address,
    brokerAddr,
    proxyAddr: `127.0.0.1:${proxyPort}`,
    pids: [jvm.pid, namesrv.jvm.pid],
    namesrvPid: namesrv.jvm.pid,
    stop,
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.on("connect", () => answer(true));
    socket.on("error", () => answer(false));
  });
}

async function isRegistered(namesrv: string): Promise<boolean> {
  const admin = new Admin({ namesrv });
  await admin.start();
  try {
    const { brokers } = await admin.clusterInfo();
    return brokers.length > 0;
  } finally {
    await admin.shutdown();
  }
}
