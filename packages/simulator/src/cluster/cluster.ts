/**
 * Two NameServers, two brokers, producers, consumers and an observer on a simulated machine room: the programs
 * are the shipped ones, only the host beneath them is not.
 */
import type { Logger } from "@orbitmq/host";
import { SeededRandom, type SimHost, type SimMachine, SimWorld } from "@orbitmq/host/sim";
import { queueKey } from "../checker/history.ts";
import { Recorder } from "../recorder.ts";
import type { Scenario } from "../scenario.ts";
import { FrameTap, type SeenCommit } from "../traffic/frame-tap.ts";
import { AdminNode } from "../workload/admin-node.ts";
import { clientModeWorkloads } from "../workload/client-modes.ts";
import { type ConsumePlan, ConsumerNode } from "../workload/consumer-node.ts";
import { DeadLetters } from "../workload/dead-letters.ts";
import { GuestNode } from "../workload/guest-node.ts";
import { KeyReader } from "../workload/key-reader.ts";
import { MessageFactory } from "../workload/message-factory.ts";
import { ObserverNode } from "../workload/observer-node.ts";
import { POP_IN_ORDER, PopInOrderNode } from "../workload/pop-in-order-node.ts";
import { PopNode } from "../workload/pop-node.ts";
import { type PopPlan, Poppers } from "../workload/poppers.ts";
import { ProducerNode, type ProducerStyle, type SendPlan } from "../workload/producer-node.ts";
import type { Place } from "../workload/queue-reader.ts";
import { TimedMessages } from "../workload/timed/timed.ts";
import { TimedNode } from "../workload/timed/timed-node.ts";
import { TransactionNode } from "../workload/transactions/transaction-node.ts";
import { Transactions } from "../workload/transactions/transactions.ts";
import type { Workload } from "../workload/workload.ts";
import { BrokerNode } from "./broker-node.ts";
import { NameServerNode } from "./name-server-node.ts";
import { describe, type NodeContext, type SimNode } from "./sim-node.ts";

export interface ClusterOutput {
  /** Every event of the machine room. */
  readonly traceLine?: ((line: string) => void) | undefined;
  /** The run's story: starts, ends, faults, what programs log, what the checker will see. */
  readonly story?: ((line: string) => void) | undefined;
}

/** The first always waits, so that order can be checked; what the others send costs a seed less. */
const STYLES: readonly ProducerStyle[] = ["waits", "bursts", "batches", "batches"];

export class Cluster {
  readonly scenario: Scenario;
  readonly world: SimWorld;
  readonly recorder: Recorder;
  readonly tap: FrameTap;
  readonly factory: MessageFactory;
  readonly sendPlan: SendPlan;
  readonly consumePlan: ConsumePlan;
  readonly nameServers: readonly NameServerNode[];
  readonly brokers: readonly BrokerNode[];
  readonly producers: readonly ProducerNode[];
  readonly consumers: readonly ConsumerNode[];
  /** A member of the group that comes and goes. */
  readonly guest: GuestNode;
  readonly observer: ObserverNode;
  readonly keys: KeyReader;
  readonly admin: AdminNode;
  /** Further kinds of traffic. */
  readonly workloads: readonly Workload[];
  readonly context: NodeContext;
  readonly #story: ((line: string) => void) | undefined;
  readonly #random: SeededRandom;

  constructor(scenario: Scenario, output: ClusterOutput = {}) {
    this.scenario = scenario;
    this.#story = output.story;
    const onUncaught = (host: { readonly name: string } | undefined, error: unknown) =>
      this.#uncaught(host?.name, error);
    const traceLine = output.traceLine === undefined ? {} : { traceLine: output.traceLine };
    this.world = new SimWorld(scenario.seed, { ...scenario.world, ...traceLine, onUncaught });
    this.#random = this.world.random.fork("cluster");
    this.recorder = new Recorder(
      this.world,
      output.story === undefined ? undefined : (line) => this.log(line),
    );
    this.context = this.#context("programs");
    this.factory = new MessageFactory(this.#random.fork("messages"), 10_000, scenario.uniformBytes);
    this.nameServers = ["namesrv-1", "namesrv-2"].map(
      (name) => new NameServerNode(this.context, this.world.addMachine(name), name, this.#logger(name)),
    );
    const namesrv = this.nameServers.map((node) => node.address);
    this.brokers = ["broker-a", "broker-b"].map(
      (name) =>
        new BrokerNode(
          this.context,
          this.world.addMachine(name),
          name,
          scenario,
          namesrv,
          this.#logger(name),
        ),
    );
    const topics = scenario.topics.map((topic) => topic.name);
    this.sendPlan = {
      left: scenario.sends,
      topics,
      namesrv,
      factory: this.factory,
      logger: this.#logger("producer"),
      pauseMs: (scenario.busyMs * scenario.producers) / scenario.sends,
    };
    const consumed = new Set<string>();
    const { factory } = this;
    this.consumePlan = {
      topics,
      namesrv,
      seed: scenario.seed,
      group: scenario.group,
      factory,
      logger: this.#logger("consumer"),
      calm: false,
      consumed,
      hanging: new Set(),
      delivered: new Map(),
    };
    const clients = ["clients-1", "clients-2"].map((name) => this.world.addMachine(name));
    const machineOf = (index: number) => clients[index % clients.length] as SimMachine;
    this.producers = Array.from(
      { length: scenario.producers },
      (_, index) =>
        new ProducerNode(
          this.#context(`producer-${index}`),
          machineOf(index),
          `producer-${index}`,
          index === 0 ? "waits" : this.#random.pick(STYLES),
          this.sendPlan,
        ),
    );
    this.consumers = Array.from(
      { length: scenario.consumers },
      (_, index) =>
        new ConsumerNode(
          this.#context(`consumer-${index}`),
          machineOf(index),
          `consumer-${index}`,
          this.consumePlan,
        ),
    );
    this.guest = new GuestNode(this.#context("guest"), machineOf(1), "consumer-guest", this.consumePlan);
    const places = () => this.places();
    this.keys = new KeyReader(this.#context("keys"), factory, this.brokers);
    this.observer = new ObserverNode(
      this.#context("observer"),
      machineOf(0),
      "observer",
      factory,
      places,
      () => this.brokers.some((broker) => broker.rotten),
      this.keys,
      (name) => this.brokers.find((broker) => broker.name === name)?.host,
    );
    this.admin = new AdminNode(this.#context("admin"), machineOf(1), "admin", {
      scenario,
      namesrv,
      brokers: this.brokers.map((broker) => broker.address),
      factory,
      places,
    });
    this.workloads = [
      ...(scenario.returns > 0 ? [this.#returner(machineOf(0))] : []),
      ...(scenario.group.pops ? [this.#poppers(clients[1] as SimMachine)] : []),
      ...(scenario.group.popsInOrder ? [this.#poppersInOrder(clients[0] as SimMachine)] : []),
      ...clientModeWorkloads({
        modes: scenario.clientModes,
        faultless: scenario.faultless,
        machines: clients,
        contextOf: (label) => this.#context(label),
        planOf: (group) => this.#popPlan(group, false),
        namesrv,
        logger: (name) => this.#logger(name),
      }),
      ...this.#transactions(clients),
      ...this.#timedMessages(clients),
    ];
    const brokerNames = new Map(this.brokers.map((broker) => [broker.machine.address, broker.name]));
    const queueOf = ({
      topic,
      brokerHost,
      queueId,
    }: Pick<SeenCommit, "topic" | "brokerHost" | "queueId">) => {
      const brokerName = brokerNames.get(brokerHost);
      return brokerName === undefined ? undefined : queueKey(topic, brokerName, queueId);
    };
    this.tap = new FrameTap({
      acknowledging: ({ group, offset, ...place }) => {
        const queue = queueOf(place);
        if (queue !== undefined) this.recorder.add({ kind: "pop-acknowledging", group, queue, offset });
      },
      committed: (commit) => {
        const { group, offset, reaches } = commit;
        const queue = queueOf(commit);
        if (queue !== undefined) this.recorder.add({ kind: "committed", group, queue, offset, reaches });
      },
      taken: (commit) => {
        const { group, offset, sentMs } = commit;
        const queue = queueOf(commit);
        if (queue !== undefined) this.recorder.add({ kind: "commit-taken", group, queue, offset, sentMs });
      },
    });
    this.world.fabric.tap = (from, chunk) => this.tap.chunk(from, chunk);
  }

  get nodes(): readonly SimNode[] {
    return [
      ...this.nameServers,
      ...this.brokers,
      ...this.producers,
      ...this.consumers,
      this.guest,
      this.observer,
      this.admin,
      ...this.workloads.flatMap((workload) => workload.nodes),
    ];
  }

  log(line: string): void {
    this.#story?.(`${this.world.nowMs.toFixed(3).padStart(12)} ${line}`);
  }

  /** Starts everything, in an order that differs from seed to seed. */
  start(): void {
    for (const node of this.nodes) node.startAfter(this.#random.int(500) + this.#calmStartMs(node));
  }

  /**
   * Where nothing fails, nobody sends before every queue has its consumer: one that changes hands is consumed again
   * from where it was last committed, which is no duplicate to be ashamed of but would hide those that are.
   */
  #calmStartMs(node: SimNode): number {
    if (!this.scenario.faultless) return 0;
    const isSender = node instanceof TransactionNode || node instanceof TimedNode;
    if (isSender || this.producers.includes(node as ProducerNode)) return 27_000;
    if (this.consumers.includes(node as ConsumerNode)) return 5_000;
    return node === this.admin || node === this.observer ? 2_000 : 0;
  }

  /** Power loss of a machine: all its processes end; all are started again. */
  crashMachine(machine: SimMachine, restartDelayMs: number): void {
    if (!machine.up) return;
    this.log(`${machine.name} loses power`);
    machine.onSyncStarted = undefined;
    this.world.crash(machine);
    this.world.countFault("power-loss", machine.name);
    for (const node of this.nodes) if (node.machine === machine) node.ended(restartDelayMs);
    const broker = this.brokers.find((node) => node.machine === machine);
    if (broker === undefined) return;
    this.recorder.add({ kind: "cache-lost", broker: broker.name });
  }

  stepWallClock(machine: SimMachine, byMs: number): void {
    machine.stepWallClock(byMs);
    const broker = this.brokers.find((node) => node.machine === machine);
    if (broker !== undefined) this.recorder.add({ kind: "clock-stepped", broker: broker.name, byMs });
  }

  /** An event of the fault plan, `delayMs` from now; nothing once the faults have stopped. */
  later(delayMs: number, fn: () => void): void {
    this.world.after(delayMs, () => {
      if (!this.#faultsStopped) fn();
    });
  }

  #faultsStopped = false;
  readonly #heals = new Set<() => void>();

  /** As `later`, but done in any case: at the latest when the faults stop. */
  healLater(delayMs: number, heal: () => void): void {
    this.#heals.add(heal);
    this.world.after(delayMs, () => {
      if (this.#heals.delete(heal)) heal();
    });
  }

  /** Heals everything and starts what is down; from now on nothing fails any more. */
  stopFaults(): void {
    this.#faultsStopped = true;
    this.log("the faults stop");
    for (const heal of this.#heals) heal();
    this.#heals.clear();
    this.world.fabric.healAll();
    this.world.fabric.delayFactor = 1;
    for (const { disk } of this.world.machines) {
      disk.slowFactor = 1;
      disk.ballastBytes = 0;
      disk.faults.disarm();
    }
    for (const machine of this.world.machines) machine.onSyncStarted = undefined;
    for (const node of this.nodes) node.startAfter(0);
    this.sendPlan.pauseMs = 0;
    this.consumePlan.calm = true;
    for (const end of this.consumePlan.hanging) end();
    for (const workload of this.workloads) workload.calm();
  }

  /** A process of ours, beside the cluster. */
  spawnHelper(name: string): SimHost {
    const { machine } = this.observer;
    if (!machine.up) this.world.start(machine);
    return this.world.spawn(machine, name);
  }

  /** Every queue that exists now on a broker that serves. */
  places(): Place[] {
    const places: Place[] = [];
    for (const { serving, store, name: brokerName, address } of this.brokers) {
      if (!serving || store === undefined) continue;
      for (const topic of this.sendPlan.topics) {
        for (const queueId of store.queuesOf(topic)) places.push({ topic, queueId, brokerName, address });
      }
    }
    return places;
  }

  #returner(machine: SimMachine): Workload {
    const { brokers, factory, scenario } = this;
    return new DeadLetters(this.#context("dead-letters"), machine, {
      brokers,
      factory,
      left: scenario.returns,
    });
  }

  /** Their randomness is a stream of its own: seeds without them stay what they were. */
  #transactions(machines: readonly SimMachine[]): readonly Transactions[] {
    const { scenario, brokers, factory, sendPlan, consumePlan } = this;
    const mode = scenario.transactions;
    if (mode === undefined) return [];
    const context = this.#contextOf(new SeededRandom(scenario.seed, "transactors"));
    const { namesrv } = sendPlan;
    const { consumed } = consumePlan;
    const logger = this.#logger("transactor");
    return [
      new Transactions({ context, machines, mode, scenario, brokers, namesrv, factory, logger, consumed }),
    ];
  }

  #timedMessages([machine]: readonly SimMachine[]): readonly TimedMessages[] {
    const { scenario, brokers, factory, sendPlan, consumePlan } = this;
    const mode = scenario.timers;
    if (mode === undefined || machine === undefined) return [];
    const context = this.#contextOf(new SeededRandom(scenario.seed, "timed"));
    const { namesrv } = sendPlan;
    const { consumed } = consumePlan;
    const logger = this.#logger("timed");
    const stepWallClock = this.stepWallClock.bind(this);
    return [
      new TimedMessages({
        ...{ context, machine, mode, scenario, brokers, namesrv, factory, logger, consumed, stepWallClock },
      }),
    ];
  }

  #poppers(machine: SimMachine): Workload {
    const context = this.#context("poppers");
    return new Poppers(context, this.#popPlan("poppers", this.scenario.group.popsAgain), (plan) =>
      ["popper-0", "popper-1"].map((name) => new PopNode(context, machine, name, plan)),
    );
  }

  #poppersInOrder(machine: SimMachine): Workload {
    const context = this.#context(POP_IN_ORDER);
    const places = () => this.places();
    // What rots or expires meanwhile cannot come again.
    const hostOf = (name: string) =>
      this.scenario.expiries > 0
        ? undefined
        : this.brokers.find((broker) => broker.name === name && !broker.rotten)?.host;
    return new Poppers(context, this.#popPlan(POP_IN_ORDER, false), (plan) => [
      new PopInOrderNode(context, machine, "popper-in-order", plan, places, hostOf),
    ]);
  }

  #popPlan(group: string, isReset: boolean): Omit<PopPlan, "isCalm" | "done" | "asked"> {
    const { brokers, factory, scenario } = this;
    const reset = isReset ? "wanted" : "never";
    const batches = scenario.clientModes.popBatches;
    return { group, brokers, factory, topic: scenario.topics[0]?.name as string, batches, reset };
  }

  #context(label: string): NodeContext {
    return this.#contextOf(this.#random.fork(label));
  }

  #contextOf(random: SeededRandom): NodeContext {
    const { world, recorder } = this;
    return {
      world,
      recorder,
      random,
      log: (line) => this.log(line),
      survives: (name, physicalOffset) =>
        this.brokers.find((broker) => broker.name === name)?.survives(physicalOffset) === true,
    };
  }

  #uncaught(name: string | undefined, error: unknown): void {
    if (name === undefined) throw error;
    this.recorder.failure("no-crash", `${name}: ${describe(error)}`);
    const node = this.nodes.find((candidate) => candidate.name === name);
    this.world.after(0, () => node?.kill(1_000));
  }

  #logger(name: string): Logger {
    const story = this.#story;
    const method = (level: string) => (bindings: object | string, message?: string) => {
      if (story === undefined) return;
      const text = typeof bindings === "string" ? bindings : `${message ?? ""} ${print(bindings)}`;
      this.log(`${name} ${level}: ${text}`);
    };
    const quiet = () => {};
    return {
      trace: quiet,
      debug: method("debug"),
      info: method("info"),
      warn: method("warn"),
      error: method("error"),
      fatal: method("fatal"),
    };
  }
}

function print(bindings: object): string {
  return JSON.stringify(bindings, (_key, value: unknown) => (value instanceof Error ? String(value) : value));
}
