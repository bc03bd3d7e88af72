/** The real NameServer, broker and store on simulated machines, for end-to-end tests of the clients. */
import { Broker, type BrokerOptions } from "@orbitmq/broker";
import { silentLogger } from "@orbitmq/host";
import { type SimHost, type SimMachine, SimWorld } from "@orbitmq/host/sim";
import { NameServer } from "@orbitmq/nameserver";
import { type MessageStore, openMessageStore } from "@orbitmq/store";

const SEGMENT_BYTES = 4 * 1024 * 1024;

export class RealCluster {
  readonly world: SimWorld;
  readonly namesrv = "ns:9876";
  /** Where clients run. */
  readonly host: SimHost;
  readonly #machines = new Map<string, SimMachine>();
  readonly #processes = new Map<string, SimHost>();

  constructor(seed = 1) {
    this.world = new SimWorld(seed);
    this.host = this.world.spawn(this.world.addMachine("client"), "client");
  }

  async startNameServer(): Promise<void> {
    const host = this.world.spawn(this.world.addMachine("ns"), "namesrv");
    await this.settle(new NameServer(host).start({ host: "0.0.0.0", port: 9876 }));
  }

  /** A broker process on the machine of this name, on whatever its disk has; resolves once it is registered. */
  async startBroker(name: string, options: Partial<BrokerOptions> = {}): Promise<Broker> {
    const machine = this.#machines.get(name) ?? this.world.addMachine(name);
    this.#machines.set(name, machine);
    const host = this.world.spawn(machine, `${name}-process`);
    this.#processes.set(name, host);
    const store: MessageStore = openMessageStore(
      host,
      {
        home: "/store",
        mappedFileSizeCommitLog: SEGMENT_BYTES,
        mappedFileSizeConsumeQueue: 20_000,
        maxHashSlotNum: 64,
        maxIndexNum: 512,
      },
      silentLogger,
    );
    await this.settle(store.start());
    const broker = new Broker(host, {
      store,
      brokerName: name,
      listen: { host: "0.0.0.0", port: 10911 },
      brokerIP1: name,
      namesrvAddrs: [this.namesrv],
      configFolder: "/store/config",
      vipListener: false,
      ...options,
    });
    await this.settle(broker.start());
    await this.settle(broker.whenRegistered());
    return broker;
  }

  /** kill -9: what the page cache has survives. */
  killBroker(name: string): void {
    this.world.kill(this.#processes.get(name)!);
  }

  /** Lets virtual time pass until the promise settles; at most `maxMs`. */
  async settle<T>(promise: Promise<T>, maxMs = 120_000): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    await this.until(() => settled, maxMs);
    return promise;
  }

  async until(condition: () => boolean, maxMs = 120_000): Promise<void> {
    const end = this.world.nowMs + maxMs;
    for (let step = 1; !condition(); step = Math.min(step * 1.5, 50)) {
      if (this.world.nowMs >= end) throw new Error(`not reached within ${maxMs} virtual ms: ${condition}`);
      await this.world.run(step);
    }
  }
}
