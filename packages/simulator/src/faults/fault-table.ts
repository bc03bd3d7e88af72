/**
 * The kinds of faults and what each does to a cluster. A fault that finds nothing to do (its victim is down
 * already) does nothing and is not counted; every one heals by itself or in the quiet phase.
 */
import type { SeededRandom } from "@orbitmq/host/sim";
import type { BrokerNode } from "../cluster/broker-node.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimNode } from "../cluster/sim-node.ts";
import { DISK_FAULTS, slowDisk } from "./disk-fault-table.ts";
import { type Fault, restartMs, victim } from "./fault.ts";

function kill(pick: (cluster: Cluster) => readonly SimNode[]): Fault {
  return (cluster, random) => {
    const node = victim(pick(cluster), random);
    node?.kill(restartMs(random));
    return node !== undefined;
  };
}

function stop(pick: (cluster: Cluster) => readonly SimNode[]): Fault {
  return (cluster, random) => {
    const node = victim(pick(cluster), random);
    node?.stop(restartMs(random));
    return node !== undefined;
  };
}

function powerLoss(pick: (cluster: Cluster) => readonly SimNode[]): Fault {
  return (cluster, random) => {
    const node = victim(pick(cluster), random);
    if (node === undefined) return false;
    cluster.crashMachine(node.machine, restartMs(random));
    return true;
  };
}

/** Does `then` to a broker's machine when its next sync is under way, or a little after. */
function duringSync(then: (cluster: Cluster, broker: BrokerNode, random: SeededRandom) => void): Fault {
  return (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    if (broker === undefined || broker.machine.onSyncStarted !== undefined) return false;
    let skip = random.int(4);
    broker.machine.onSyncStarted = (durationUs) => {
      if (skip-- > 0) return;
      broker.machine.onSyncStarted = undefined;
      const delayMs = (random.float() * durationUs * random.pick([1, 1, 3])) / 1000;
      cluster.world.after(delayMs, () => {
        if (broker.running) then(cluster, broker, random);
      });
    };
    return true;
  };
}

function partition(oneWay: boolean): Fault {
  return (cluster, random) => {
    const { fabric } = cluster.world;
    const from = random.pick(cluster.world.machines);
    // Away from everybody, or from one.
    const others = cluster.world.machines.filter((machine) => machine !== from);
    const cut = random.chance(0.4) ? others : [random.pick(others)];
    const outwards = random.chance(0.5);
    for (const other of cut) {
      if (!oneWay || outwards) fabric.cut(from, other);
      if (!oneWay || !outwards) fabric.cut(other, from);
    }
    cluster.later(random.chance(0.6) ? random.between(100, 3_000) : random.between(3_000, 15_000), () => {
      for (const other of cut) {
        fabric.heal(from, other);
        fabric.heal(other, from);
      }
    });
    return true;
  };
}

const FAULTS = {
  "broker-kill": kill((cluster) => cluster.brokers),
  "broker-kill-in-sync": duringSync((_cluster, broker, random) => broker.kill(restartMs(random))),
  /** What a killed process left in the page cache is served again, and then goes with the power. */
  "broker-kill-then-power": duringSync((cluster, broker, random) => {
    broker.kill(random.between(10, 100));
    broker.whenServing(() => {
      cluster.later(random.float() * random.pick([5, 100, 3_000]), () => {
        if (broker.running) cluster.crashMachine(broker.machine, restartMs(random));
      });
    });
  }),
  "broker-power": powerLoss((cluster) => cluster.brokers),
  "broker-power-in-sync": duringSync((cluster, broker, random) =>
    cluster.crashMachine(broker.machine, restartMs(random)),
  ),
  "broker-power-slow-disk": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    if (broker === undefined) return false;
    const durationMs = slowDisk(cluster, broker.machine, random);
    cluster.later(random.float() * durationMs, () => {
      if (broker.running) cluster.crashMachine(broker.machine, restartMs(random));
    });
    return true;
  },
  "broker-power-in-recovery": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    if (broker === undefined) return false;
    const again = random.between(1, 3);
    cluster.crashMachine(broker.machine, 50);
    for (let i = 1; i <= again; i++) {
      cluster.later(50 + i * random.between(1, 60), () => {
        if (broker.running) cluster.crashMachine(broker.machine, 40);
      });
    }
    return true;
  },
  "broker-stop": stop((cluster) => cluster.brokers),
  "broker-pause": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    broker?.pause(random.between(50, 6_000));
    return broker !== undefined;
  },
  "second-start": (cluster, random) => victim(cluster.brokers, random)?.startSecond() === true,
  ...DISK_FAULTS,
  "wall-step": (cluster, random) => {
    const hours = random.between(1, 5) * (random.chance(0.5) ? 1 : -1);
    const machine = random.pick(cluster.world.machines);
    const byMs = hours * 3_600_000 + random.int(60_000);
    cluster.stepWallClock(machine, Math.round(byMs / (cluster.scenario.timers?.clockStepDivisor ?? 1)));
    return true;
  },
  /** A running broker does not believe a clock that leaps; one that starts does. */
  "hours-pass": (cluster, random) => {
    const broker = victim(cluster.brokers, random);
    if (broker === undefined) return false;
    if (random.chance(0.3)) cluster.crashMachine(broker.machine, restartMs(random));
    else broker.kill(restartMs(random));
    cluster.stepWallClock(broker.machine, random.between(1, 4) * 3_600_000 + random.int(60_000));
    return true;
  },
  "namesrv-kill": kill((cluster) => cluster.nameServers),
  "namesrv-power": powerLoss((cluster) => cluster.nameServers),
  "producer-kill": kill((cluster) => cluster.producers),
  "producer-stop": stop((cluster) => cluster.producers),
  "consumer-kill": kill((cluster) => cluster.consumers),
  "consumer-stop": stop((cluster) => cluster.consumers),
  "member-kill": kill((cluster) => cluster.workloads.flatMap((workload) => workload.nodes)),
  "member-joins": (cluster, random) => cluster.guest.visit(random.between(500, 12_000), random.chance(0.4)),
  "client-power": powerLoss((cluster) => cluster.consumers),
  "client-pause": (cluster, random) => {
    const node = victim([...cluster.consumers, ...cluster.producers], random);
    node?.pause(random.between(50, 5_000));
    return node !== undefined;
  },
  partition: partition(false),
  "partition-one-way": partition(true),
  "connections-lost": (cluster, random) => {
    const machine = random.pick(cluster.world.machines);
    const share = random.pick([0.3, 1]);
    return (
      cluster.world.fabric.breakConnections((end) => end.host.machine === machine && random.chance(share)) > 0
    );
  },
  "network-slow": (cluster, random) => {
    cluster.world.fabric.delayFactor = random.pick([10, 100, 400]);
    cluster.later(random.between(200, 4_000), () => {
      cluster.world.fabric.delayFactor = 1;
    });
    return true;
  },
} as const satisfies Record<string, Fault>;

export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** Every seed has some of these. */
export const DISK_KINDS = Object.keys(DISK_FAULTS) as FaultKind[];

/** Every seed has at least three of these. */
export const CRASH_KINDS: readonly FaultKind[] = [
  "broker-kill",
  "broker-kill-in-sync",
  "broker-kill-then-power",
  "broker-power",
  "broker-power-in-sync",
  "broker-power-slow-disk",
  "broker-power-in-recovery",
  "sync-eio-chain",
];

/** Carries out a fault of this kind now; false when there was no victim. */
export function inject(kind: FaultKind, cluster: Cluster, random: SeededRandom): boolean {
  return FAULTS[kind](cluster, random);
}
