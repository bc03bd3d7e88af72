/**
 * The real RocketMQ 5.5.0, NameServer and broker, with the flags of its distribution, a heap of 2 GiB (the
 * distribution asks for 8) and ROCKETMQ headers, which cost both sides less than JSON.
 */
import { startJavaServer } from "@orbitmq/interop";
import type { BenchServer, BenchServerOptions } from "./bench-server.ts";

const JVM_FLAGS = [
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

export async function java({ flush, folder }: BenchServerOptions): Promise<BenchServer> {
  const begin = performance.now();
  const server = await startJavaServer({
    directory: folder,
    brokerProperties: { flushDiskType: flush },
    brokerJvmFlags: JVM_FLAGS,
    systemProperties: { "orbitmq.logLevel": "WARN", "rocketmq.serialize.type": "ROCKETMQ" },
  });
  const { namesrv, broker } = server.parts;
  return {
    name: "RocketMQ 5.5.0",
    about: `${JVM_FLAGS.join(" ")}, defaults, flushDiskType=${flush}`,
    namesrvAddr: server.namesrv,
    brokerAddr: server.broker,
    pids: [broker.jvm.pid, namesrv.jvm.pid],
    readyMs: performance.now() - begin,
    stores: true,
    stop: () => server.kill(),
  };
}
