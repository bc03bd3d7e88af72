/**
 * One seed from its first event to its verdict: busy phase under faults, quiet phase in which the cluster must
 * become live again, a last crash of every broker, and the reading of every queue from end to end.
 */
import { DEFAULT_SIM_OPTIONS } from "@orbitmq/host/sim";
import { STORE_DEFAULTS } from "@orbitmq/store";
import { decompressBody, type MessageRecord } from "@orbitmq/wire";
import { type CheckResult, check, type Violation } from "./checker/check.ts";
import { type History, LAST_READER } from "./checker/history.ts";
import { Cluster, type ClusterOutput } from "./cluster/cluster.ts";
import { planFaults } from "./faults/fault-plan.ts";
import { inject } from "./faults/fault-table.ts";
import { Liveness } from "./liveness.ts";
import { scenarioOf } from "./scenario.ts";
import { subscribersOf } from "./workload/client-modes.ts";
import { GROUP } from "./workload/consumer-node.ts";
import { RETRIES } from "./workload/dead-letters.ts";
import { POP_IN_ORDER } from "./workload/pop-in-order-node.ts";
import { type Place, PullRefused, QueueReader } from "./workload/queue-reader.ts";
import { PARKED_TOPIC } from "./workload/transactions/parked-node.ts";

export interface SimulationOptions extends ClusterOutput {
  /** Mixes every byte that is sent or written into the trace's digest (slower). Default false. */
  readonly traceContents?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly counts: CheckResult["counts"];
  /** Fault → how often it took effect: planned kinds, and what the machine room counted by itself. */
  readonly faults: ReadonlyMap<string, number>;
  readonly requests: ReadonlyMap<number, number>;
  readonly responses: ReadonlyMap<number, number>;
  readonly events: number;
  readonly virtualMs: number;
  /** From the end of the faults until every message was sent and consumed. */
  readonly liveMs: number;
  readonly digest: string;
  readonly history: History;
}

/** After the faults stopped, everything must be sent, consumed and committed within this. */
const LIVE_MS_MAX = 90_000;
const STEP_MS = 100;
/** Longer than a broker may take to write what was committed, so that the last commits must be there. */
const COMMITS_KEPT_MS = 18_000;
const KEYS_ASKED = 10;
const NEWEST_KEYS = 6;

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const scenario = scenarioOf(seed, options.traceContents === true);
  const cluster = new Cluster(scenario, options);
  const { world, recorder } = cluster;
  const faultRandom = world.random.fork("faults");
  for (const { atMs, kind } of planFaults(faultRandom, scenario)) {
    cluster.later(atMs, () => {
      cluster.log(`fault ${kind}`);
      if (inject(kind, cluster, faultRandom)) world.countFault(kind);
    });
  }
  cluster.start();
  if (scenario.group.leaves) leaveLater(cluster, faultRandom.between(28_000, 31_000));
  for (let elapsedMs = 0; elapsedMs < scenario.busyMs; elapsedMs += 1_000) {
    await world.run(1_000);
    for (const producer of cluster.producers) producer.checkSettled();
  }
  cluster.stopFaults();
  const liveMs = await becomeLive(cluster);
  await endAndDrain(cluster);
  const { violations, counts } = check(recorder.events, {
    flush: scenario.flush,
    faultless: scenario.faultless,
    retries: RETRIES,
    reservedMs: (scenario.store.fileReservedTime ?? STORE_DEFAULTS.fileReservedTime) * 3_600_000,
    wallStartMs: DEFAULT_SIM_OPTIONS.wallStartMs,
    groups: [GROUP],
    subscribers: subscribersOf(scenario.clientModes, scenario.topics[0]?.name as string),
    ordered: scenario.group.inOrder ? [GROUP, POP_IN_ORDER] : [POP_IN_ORDER],
    attempts: scenario.group.retries,
    // Members in order count attempts for themselves, as RocketMQ's do: who takes a queue over begins anew.
    exactAttempts: scenario.faultless && !(scenario.group.inOrder && scenario.group.leaves),
  });
  return {
    seed,
    violations,
    counts,
    faults: world.faults,
    requests: cluster.tap.requests,
    responses: cluster.tap.responses,
    events: world.loop.eventCount,
    virtualMs: world.nowMs,
    liveMs,
    digest: world.trace.digest,
    history: recorder.events,
  };
}

/** One member leaves under load and does not come back. */
function leaveLater(cluster: Cluster, atMs: number): void {
  cluster.world.after(atMs, () => {
    const member = cluster.consumers[1];
    member?.release();
    member?.stop(0);
  });
}

/** Runs until nothing is missing any more, or too much time has passed; returns how long it took. */
async function becomeLive(cluster: Cluster): Promise<number> {
  const { world, recorder, producers } = cluster;
  const startMs = world.nowMs;
  const liveness = new Liveness(cluster);
  const host = cluster.spawnHelper("route-watch");
  world.after(0, () => liveness.start(host));
  let missing = liveness.missing();
  while (missing !== undefined && world.nowMs - startMs < LIVE_MS_MAX) {
    await world.run(STEP_MS);
    for (const producer of producers) producer.checkSettled();
    missing = liveness.missing();
  }
  if (missing !== undefined)
    recorder.failure("live", `${missing} ${LIVE_MS_MAX} ms after the faults stopped`);
  world.kill(host);
  return world.nowMs - startMs;
}

/** Ends the clients in their orderly way, cuts the brokers' power a last time, and reads what is left. */
async function endAndDrain(cluster: Cluster): Promise<void> {
  const { brokers, consumers, producers, scenario, nodes } = cluster;
  const others = cluster.workloads.flatMap((workload) => workload.nodes);
  for (const node of [
    ...consumers,
    cluster.guest,
    ...producers,
    ...others,
    cluster.observer,
    cluster.admin,
  ]) {
    node.release();
    node.stop(0);
  }
  await runUntil(cluster, 20_000, () =>
    nodes.every(
      (node) => !node.running || brokers.includes(node as never) || node.name.startsWith("namesrv"),
    ),
  );
  // Brokers write what groups committed every few seconds.
  await cluster.world.run(COMMITS_KEPT_MS);
  for (const broker of brokers) {
    // Under ASYNC_FLUSH the page cache is all there is to rely on.
    if (scenario.flush === "SYNC_FLUSH") cluster.crashMachine(broker.machine, 10);
    else broker.kill(10);
  }
  await drainAll(cluster, LAST_READER);
  for (const node of nodes) node.release();
}

async function drainAll(cluster: Cluster, name: string): Promise<void> {
  const { world, brokers, recorder } = cluster;
  await runUntil(cluster, 30_000, () => brokers.every((broker) => broker.serving));
  if (!brokers.every((broker) => broker.serving)) {
    recorder.failure("live", `${name}: a broker does not serve 30 s after its start`);
    return;
  }
  const host = cluster.spawnHelper(name);
  const reader = new QueueReader(cluster.context, host, name, cluster.factory);
  let failure: unknown;
  let done = false;
  const drain = async (places: readonly Place[]) => {
    for (const place of places) {
      try {
        await reader.drain(place);
        await reader.groupOffset(place, GROUP);
      } catch (error) {
        // A queue whose creation nobody was promised; acknowledged messages in it would count as lost.
        if (!(error instanceof PullRefused)) throw error;
        cluster.log(`${place.topic}@${place.brokerName}:${place.queueId} cannot be read: ${error.message}`);
      }
    }
  };
  world.after(0, () => {
    drain(cluster.places())
      .then(() => readDeadLetters(cluster, reader))
      .then(() => readParked(cluster, reader))
      .then(
        () => {
          done = true;
        },
        (error: unknown) => {
          failure = error;
          done = true;
        },
      );
  });
  await runUntil(cluster, 60_000, () => done);
  if (!done) recorder.failure("live", `${name}: the queues could not be read to their end in 60 s`);
  if (failure !== undefined) recorder.failure("live", `${name}: ${String(failure)}`);
  world.kill(host);
  await askForKeys(cluster);
}

/** What the group of consumers gave up. */
function readDeadLetters(cluster: Cluster, reader: QueueReader): Promise<void> {
  const { recorder } = cluster;
  return readFirstQueues(cluster, reader, `%DLQ%${GROUP}`, (id, broker) =>
    recorder.add({ kind: "dead-letter", group: GROUP, broker, id }),
  );
}

/** Transactions nobody could tell about. */
async function readParked(cluster: Cluster, reader: QueueReader): Promise<void> {
  const { recorder, scenario } = cluster;
  if (scenario.transactions === undefined) return;
  await readFirstQueues(cluster, reader, PARKED_TOPIC, (id, broker, { physicalOffset }) =>
    recorder.add({ kind: "parked", id, broker, copy: String(physicalOffset), isLast: true }),
  );
}

/** Every message of ours in the topic's first queue of each broker. */
async function readFirstQueues(
  { brokers, factory }: Cluster,
  reader: QueueReader,
  topic: string,
  take: (id: string, broker: string, record: MessageRecord) => void,
): Promise<void> {
  for (const { name: broker, address } of brokers) {
    const place = { topic, queueId: 0, brokerName: broker, address };
    try {
      for (let offset = 0; ; ) {
        const { records, nextOffset } = await reader.records(place, offset, 32);
        for (const record of records) {
          const id = factory.idOf(decompressBody(record.body, record.sysFlag));
          if (id !== undefined) take(id, broker, record);
        }
        if (nextOffset <= offset) break;
        offset = nextOffset;
      }
    } catch (error) {
      // There is no such topic.
      if (!(error instanceof PullRefused)) throw error;
    }
  }
}

/** Some messages of every age, and the newest. */
async function askForKeys(cluster: Cluster): Promise<void> {
  const { keys, recorder, world } = cluster;
  const { acknowledged } = recorder;
  keys.waiting = 0;
  const step = Math.max(1, Math.floor(acknowledged.length / KEYS_ASKED));
  world.after(0, () => {
    acknowledged.forEach((message, index) => {
      if (index % step === 0 || index >= acknowledged.length - NEWEST_KEYS) keys.ask(message);
    });
  });
  await world.run(STEP_MS);
  await runUntil(cluster, 10_000, () => keys.waiting === 0);
  if (keys.waiting > 0)
    recorder.failure("live", `${keys.waiting} questions for keys have no answer after 10 s`);
}

async function runUntil(cluster: Cluster, limitMs: number, holds: () => boolean): Promise<void> {
  for (let elapsedMs = 0; elapsedMs < limitMs && !holds(); elapsedMs += STEP_MS)
    await cluster.world.run(STEP_MS);
}
