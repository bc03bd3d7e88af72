/**
 * A simulated machine room with one NameServer, brokers, and a machine for clients: virtual time, no sockets. A
 * test waits for promises and conditions by letting virtual time pass.
 */

import type { Logger } from "@orbitmq/host";
import { type SimHost, type SimMachine, SimWorld } from "@orbitmq/host/sim";
import { FakeBroker } from "./fake-broker.ts";
import { FakeNameServer } from "./fake-name-server.ts";

export interface LogLine {
  readonly level: string;
  readonly bindings: Record<string, unknown>;
  readonly message: string;
}

export class TestWorld {
  readonly world: SimWorld;
  readonly nameServer: FakeNameServer;
  readonly nameServerHost: SimHost;
  readonly clientMachine: SimMachine;
  /** Where the client under test runs. */
  readonly host: SimHost;
  readonly log: LogLine[] = [];
  readonly logger: Logger;
  readonly #machines = new Map<string, SimMachine>();
  readonly #hosts = new Map<FakeBroker, SimHost>();

  constructor(seed = 1) {
    this.world = new SimWorld(seed);
    const machine = this.world.addMachine("ns");
    this.nameServerHost = this.world.spawn(machine, "namesrv");
    this.nameServer = new FakeNameServer(this.nameServerHost);
    void this.nameServer.listen("ns", 9876);
    this.clientMachine = this.world.addMachine("client");
    this.host = this.world.spawn(this.clientMachine, "client");
    this.logger = recordingLogger(this.log);
  }

  get namesrv(): string {
    return this.nameServer.address;
  }

  /** A broker on a machine of its own, listening. */
  addBroker(name: string): FakeBroker {
    const machine = this.world.addMachine(name);
    this.#machines.set(name, machine);
    return this.startBroker(name);
  }

  /** A new, empty broker process on the machine of this name. */
  startBroker(name: string): FakeBroker {
    const host = this.world.spawn(this.#machines.get(name)!, `${name}-broker`);
    const broker = new FakeBroker(host, name, name, 10911);
    this.#hosts.set(broker, host);
    void broker.listen();
    return broker;
  }

  killBroker(broker: FakeBroker): void {
    this.world.kill(this.#hosts.get(broker)!);
  }

  run(ms: number): Promise<void> {
    return this.world.run(ms);
  }

  /** Lets virtual time pass until the promise settles; at most `maxMs`. */
  async settle<T>(promise: Promise<T>, maxMs = 120_000): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    await this.#pass(() => settled, maxMs, "the promise did not settle");
    return promise;
  }

  /** What the promise rejects with. */
  async failure(promise: Promise<unknown>, maxMs?: number): Promise<unknown> {
    return this.settle(
      promise.then(
        (value) => {
          throw new Error(`resolved with ${JSON.stringify(value)}`);
        },
        (error: unknown) => error,
      ),
      maxMs,
    );
  }

  async until(condition: () => boolean, maxMs = 120_000): Promise<void> {
    await this.#pass(condition, maxMs, `not reached: ${condition}`);
  }

  async #pass(condition: () => boolean, maxMs: number, complaint: string): Promise<void> {
    const end = this.world.nowMs + maxMs;
    for (let step = 1; !condition(); step = Math.min(step * 1.5, 50)) {
      if (this.world.nowMs >= end) throw new Error(`${complaint} within ${maxMs} virtual ms`);
      await this.world.run(step);
    }
  }
}

function recordingLogger(log: LogLine[]): Logger {
  const method =
    (level: string) =>
    (bindings: object | string, message = "") =>
      void log.push(
        typeof bindings === "string"
          ? { level, bindings: {}, message: bindings }
          : { level, bindings: bindings as Record<string, unknown>, message },
      );
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
  };
}

/** One simulated process, for what needs a host and nothing else. */
export function oneSimHost(seed = 1): SimHost {
  const world = new SimWorld(seed);
  return world.spawn(world.addMachine("m"), "p");
}
