/**
 * Our Node client beside the others, 64 sends in flight and then a push consumer, on the same servers: all three on
 * RocketMQ with its proxy in the broker's process, the two that speak the remoting protocol on OrbitMQ as well.
 */
import type { DriverOptions, DriverResult, NodeClientName } from "../clients/driver.ts";
import { installedVersion, installNodeClients } from "../clients/installed.ts";
import { runProcess } from "../load/run-process.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { type Goal, ORIGINAL, OURS } from "../results/goal.ts";
import { fill, someTopics } from "./load.ts";
import type { Measured, Stage, Workload } from "./workload.ts";

const OUR_CLIENT = "@orbitmq/client";
const IN_FLIGHT = 64;
const BODY_BYTES = 128;
const QUEUES = 8;
const BACKLOG = 1_000_000;
const on = (client: string, server: string): string => `${client} on ${server}`;

/** Per core: of the client's own CPU time. */
const besideOthers: readonly Goal[] = [
  {
    metric: "perCoreSecond",
    of: on(OUR_CLIENT, ORIGINAL),
    beside: on("rocketmq-client-nodejs", ORIGINAL),
    atLeast: 5,
  },
  { metric: "perCoreSecond", of: on(OUR_CLIENT, OURS), beside: on("ali-ons", OURS), atLeast: 3 },
];

export const nodeClientsSend: Workload = {
  id: "node-clients-send",
  title: `Node clients, ${IN_FLIGHT} sends in flight, ${BODY_BYTES} B`,
  servers: ["orbitmq", "java"],
  flushes: ["ASYNC_FLUSH"],
  needs: { proxy: true },
  goals: () => [...besideOthers, { metric: "perSecond", of: on(OUR_CLIENT, OURS), atLeast: 60_000 }],
  run: (stage) => byEach(stage, "send"),
};

export const nodeClientsConsume: Workload = {
  id: "node-clients-consume",
  title: `Node clients, push consumers catching up, ${BODY_BYTES} B`,
  servers: ["orbitmq", "java"],
  flushes: ["ASYNC_FLUSH"],
  needs: { proxy: true },
  goals: () => besideOthers,
  run: (stage) => byEach(stage, "consume"),
};

async function byEach(stage: Stage, mode: DriverOptions["mode"]): Promise<Measured[]> {
  installNodeClients();
  const { server } = stage;
  const clients: NodeClientName[] = [OUR_CLIENT, "ali-ons"];
  if (server.proxyAddr !== undefined) clients.push("rocketmq-client-nodejs");
  const measured: Measured[] = [];
  for (const client of clients) {
    const name = client.replace(/\W+/g, "_");
    const [topic = ""] = await someTopics(server, 1, QUEUES, `NodeClients_${name}`);
    const place = { topics: [topic], queues: QUEUES };
    const backlog =
      mode === "consume" ? await fill(server, stage.scaled(BACKLOG), { ...place, bodyBytes: BODY_BYTES }) : 0;
    const options: DriverOptions = {
      namesrv: server.namesrvAddr,
      proxy: server.proxyAddr ?? "",
      client,
      mode,
      topic,
      inFlight: IN_FLIGHT,
      bodyBytes: BODY_BYTES,
      seconds: stage.seconds,
      messages: backlog,
      serverPids: server.pids,
    };
    const result = await runProcess<DriverResult>("../clients/driver.ts", options);
    if (result.total === 0)
      throw new Error(`${client} on ${server.name}: nothing succeeded, ${result.failed} failed`);
    // A send that failed may have been stored, and a retry may have stored it twice.
    const atMost = result.failed === 0 ? result.total : Number.POSITIVE_INFINITY;
    if (mode === "send") await awaitStored(server.brokerAddr, { ...place, atLeast: result.total, atMost });
    const { perSecond, clientCores, clientCpuUs, serverCpuUs, rssMiB, failed } = result;
    measured.push({
      who: on(client, server.name),
      about: client === OUR_CLIENT ? "this tree" : installedVersion(client),
      metrics: {
        perSecond,
        perCoreSecond: 1e6 / clientCpuUs,
        clientCpuUs,
        serverCpuUs,
        clientRssMiB: rssMiB,
        clientCores,
        refused: failed,
      },
    });
  }
  return measured;
}
