/**
 * The real RocketMQ 5.5.0, NameServer and broker, with the flags of its distribution, a heap of 2 GiB (the
 * distribution asks for 8) and ROCKETMQ headers, which cost both sides less than JSON.
 */
import { startJavaServer } from "@orbitmq/interop";
import { ORIGINAL } from "../results/goal.ts";
import type { BenchServer, BenchServerOptions, Contestant } from "./bench-server.ts";
import { startWithProxy } from "./java-proxy.ts";

const BROKER_JVM_FLAGS = [
  "-server",
  "-Xms2g",
  "-Xmx2g",
  "-XX:+UseG1GC",
  "-XX:G1HeapRegionSize=16m",
  "-XX:G1ReservePercent=25",
  "-XX:InitiatingHeapOccupancyPercent=30",
  "-XX:SoftRefLRUPolicyMSPerMB=0",
  "-XX:-OmitStackTraceInFastThrow",
  "-XX:+AlwaysPreTouch",
  "-XX:MaxDirectMemorySize=1g",
] as const;

const SYSTEM_PROPERTIES = {
  "orbitmq.logLevel": "WARN",
  "rocketmq.serialize.type": "ROCKETMQ",
} as const;

export const java: Contestant = { name: ORIGINAL, kind: "java", start };

async function start(options: BenchServerOptions): Promise<BenchServer> {
  const { flush, folder } = options;
  const begin = performance.now();
  const rest = { name: ORIGINAL, kind: "java", stores: true } as const;
  const about = `${BROKER_JVM_FLAGS.join(" ")}, defaults, flushDiskType=${flush}`;
  if (options.proxy === true) {
    // Its answers then have JSON headers: ali-ons reads no others.
    const server = await startWithProxy(options, BROKER_JVM_FLAGS, { "orbitmq.logLevel": "WARN" });
    return {
      ...rest,
      ...server,
      about: `${about}, with its proxy in the broker's process and JSON headers`,
      readyMs: performance.now() - begin,
    };
  }
  const server = await startJavaServer({
    directory: folder,
    brokerProperties: { flushDiskType: flush },
    brokerJvmFlags: BROKER_JVM_FLAGS,
    systemProperties: SYSTEM_PROPERTIES,
  });
  const { namesrv, broker } = server.parts;
  return {
    ...rest,
    about,
    namesrvAddr: server.namesrv,
    brokerAddr: server.broker,
    pids: [broker.jvm.pid, namesrv.jvm.pid],
    namesrvPid: namesrv.jvm.pid,
    readyMs: performance.now() - begin,
    stop: (how) => (how === "kill" ? server.kill() : server.stop()),
  };
}
