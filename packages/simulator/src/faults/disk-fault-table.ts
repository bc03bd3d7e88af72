/**
 * The ways in which a broker's disk fails. Each takes from a file what the store can do without: what a failed
 * operation was about is still there, what rots is derived from something whole, has a backup, or is put right
 * again (a record of the log has no second copy here: while it is rotten it must not be served, nor the
 * wrong way round its absence be hidden).
 */
import type { SeededRandom, SimMachine } from "@orbitmq/host/sim";
import type { BrokerNode } from "../cluster/broker-node.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { type Fault, restartMs, victim } from "./fault.ts";

const isLog = (path: string): boolean => path.includes("/commitlog/");
const isState = (path: string): boolean => path.includes("/config/");
const isQueue = (path: string): boolean => path.includes("/consumequeue/");
const isStateChecksum = (path: string): boolean => path.includes("/config/orbitmq-checksums/");
const isDerived = (path: string): boolean =>
  isStateChecksum(path) || (!isLog(path) && !isState(path) && !path.endsWith("/lock"));

export function slowDisk(cluster: Cluster, machine: SimMachine, random: SeededRandom): number {
  const durationMs = random.between(300, 5_000);
  machine.disk.slowFactor = random.pick([10, 50, 200]);
  cluster.later(durationMs, () => {
    machine.disk.slowFactor = 1;
  });
  return durationMs;
}

/** EIO → exit → restart → power loss, the chain that finds pages wrongly marked clean. */
const syncChain: Fault = (cluster, random) => {
  const broker = victim(cluster.brokers, random);
  if (broker === undefined) return false;
  broker.machine.disk.faults.failNext("sync", isLog);
  broker.whenEnded(() =>
    broker.whenServing(() => {
      cluster.later(random.float() * random.pick([5, 100, 1_500]), () => {
        if (broker.running) cluster.crashMachine(broker.machine, restartMs(random));
      });
    }),
  );
  return true;
};

/** Ends a broker, by its machine or alone, and does something to its files before it starts again. */
function whileStopped(then: (cluster: Cluster, broker: BrokerNode, random: SeededRandom) => boolean): Fault {
  return (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    // A second damage beside a first could meet what the first needs for its repair.
    if (broker === undefined || broker.rotten) return false;
    if (random.chance(0.5)) cluster.crashMachine(broker.machine, restartMs(random));
    else broker.kill(restartMs(random));
    return then(cluster, broker, random);
  };
}

function pickPath(
  broker: BrokerNode,
  random: SeededRandom,
  matches: (path: string) => boolean,
): string | undefined {
  const paths = broker.machine.disk.paths().filter(matches);
  return paths.length === 0 ? undefined : random.pick(paths);
}

const derivedFlip = whileStopped((_cluster, broker, random) => {
  const path = pickPath(broker, random, isDerived);
  return path !== undefined && broker.machine.disk.flipBit(path) !== undefined;
});

const derivedCut = whileStopped((_cluster, broker, random) => {
  const path = pickPath(broker, random, isDerived);
  return path !== undefined && broker.machine.disk.cutShort(path);
});

/** A state file that is not what was written, whether it still parses or not; the one before it is. */
const stateFlip = whileStopped((cluster, broker, random) => {
  const { disk } = broker.machine;
  const paths = disk.paths();
  const path = pickPath(broker, random, (name) => isState(name) && paths.includes(`${name}.bak`));
  if (path === undefined || disk.flipBit(path) === undefined) return false;
  cluster.recorder.add({ kind: "offsets-doubtful", broker: broker.name });
  return true;
});

/** A bit of the log is wrong for a while, whatever else happens meanwhile. */
const logFlip: Fault = (cluster, random) => {
  const broker = victim(cluster.brokers, random);
  if (broker === undefined || broker.rotten) return false;
  const isKilled = random.chance(0.6);
  // Behind that a damaged record cannot be told from one that a crash has torn.
  const knownBytes = broker.knownBytes(isKilled ? "kill" : "crash");
  if (knownBytes <= 0) return false;
  const at = random.int(knownBytes);
  const path = broker.machine.disk.paths().filter(isLog).sort()[Math.floor(at / broker.segmentBytes)];
  const putRight = path === undefined ? path : broker.machine.disk.flipBit(path, at % broker.segmentBytes);
  if (putRight === undefined) return false;
  broker.rotten = true;
  cluster.log(`${path} of ${broker.name} is rotten`);
  // What a process has in memory is still right.
  if (isKilled) broker.kill(random.between(10, 300));
  cluster.healLater(random.between(500, 8_000), () => {
    cluster.log(`${path} of ${broker.name} is put right`);
    const isFound = (broker.store?.status().integrity.corruptRecords ?? 0) > 0;
    putRight();
    broker.rotten = false;
    if (!isFound) return;
    cluster.world.countFault("log-flip-found");
    // Who puts a file right restarts its broker, which goes by what it has read.
    broker.kill(random.between(10, 300));
  });
  return true;
};

export const DISK_FAULTS = {
  "sync-eio": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    broker?.machine.disk.faults.failNext("sync", random.chance(0.8) ? isLog : undefined);
    return broker !== undefined;
  },
  "sync-eio-chain": syncChain,
  "write-eio": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    broker?.machine.disk.faults.failNext("write", random.chance(0.7) ? isLog : undefined);
    return broker !== undefined;
  },
  "read-eio": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    const matches = random.pick([isLog, isLog, isQueue, isQueue, isDerived, isState, () => true]);
    broker?.machine.disk.faults.failNext("read", matches, random.between(1, 4));
    if (broker !== undefined && random.chance(0.4)) broker.kill(restartMs(random));
    return broker !== undefined;
  },
  /** Too many open files. */
  emfile: (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    broker?.machine.disk.faults.failNext("open", undefined, random.between(1, 6));
    if (broker !== undefined && random.chance(0.2)) broker.kill(restartMs(random));
    return broker !== undefined;
  },
  "disk-slow": (cluster, random) => {
    slowDisk(cluster, random.pick(cluster.brokers).machine, random);
    return true;
  },
  "sync-slow": (cluster, random) => {
    const { disk } = random.pick(cluster.brokers).machine;
    disk.syncSlowFactor = random.pick([20, 200, 2_000]);
    cluster.healLater(random.between(300, 5_000), () => {
      disk.syncSlowFactor = 1;
    });
    return true;
  },
  "disk-full": (cluster, random) => {
    const { disk } = random.pick(cluster.brokers).machine;
    disk.ballastBytes = Math.max(0, disk.freeBytes - random.pick([0, 4_096, 16_384]));
    cluster.later(random.between(500, 6_000), () => {
      disk.ballastBytes = 0;
    });
    return true;
  },
  /** No space for anything but the log (a quota; or its zeros came first). */
  "small-files-full": (cluster, random) => {
    const { disk } = random.pick(cluster.brokers).machine;
    const matches = random.pick([isState, isDerived, (path: string) => !isLog(path)]);
    disk.faults.setNoSpaceFor(matches);
    cluster.healLater(random.between(500, 8_000), () => disk.faults.setNoSpaceFor(undefined));
    return true;
  },
  "derived-flip": derivedFlip,
  "derived-cut": derivedCut,
  "state-flip": stateFlip,
  "log-flip": logFlip,
} as const satisfies Record<string, Fault>;
