/**
 * A broker with the real store on a simulated machine, and a client's machine to talk to it: virtual time, a wall
 * clock that steps, processes that are killed. For what only the whole shows: delays, retries, restarts.
 */
import { silentLogger } from "@orbitmq/host";
import { type SimHost, type SimMachine, SimWorld } from "@orbitmq/host/sim";
import { type MessageStore, openMessageStore, type StoreOptions } from "@orbitmq/store";
import {
  type ExtSink,
  type MessageRecord,
  type RemotingCommand,
  RequestCode,
  RpcClient,
  readRecords,
} from "@orbitmq/wire";
import { Broker } from "../broker.ts";
import type { BrokerOptions } from "../broker-options.ts";

const ADDRESS = "broker:10911";

export interface SimAnswer {
  readonly code: number;
  readonly remark: string | undefined;
  readonly ext: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export class SimBroker {
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly client: RpcClient;
  readonly #options: Partial<BrokerOptions>;
  readonly #storeOptions: Partial<StoreOptions>;
  #process: SimHost | undefined;
  #store: MessageStore | undefined;
  broker: Broker | undefined;

  constructor(options: Partial<BrokerOptions> = {}, seed = 1, storeOptions: Partial<StoreOptions> = {}) {
    this.#storeOptions = storeOptions;
    this.world = new SimWorld(seed);
    this.machine = this.world.addMachine("broker");
    this.#options = options;
    this.client = new RpcClient(this.world.spawn(this.world.addMachine("client"), "client"));
  }

  static async started(options: Partial<BrokerOptions> = {}): Promise<SimBroker> {
    const sim = new SimBroker(options);
    await sim.start();
    return sim;
  }

  async start(): Promise<void> {
    const host = this.world.spawn(this.machine, "broker");
    const flushDiskType = this.#options.flushDiskType ?? "SYNC_FLUSH";
    const store = openMessageStore(
      host,
      {
        home: "/store",
        mappedFileSizeCommitLog: 1 << 20,
        mappedFileSizeConsumeQueue: 20_000,
        flushDiskType,
        ...this.#storeOptions,
      },
      silentLogger,
    );
    this.#process = host;
    this.#store = store;
    await this.settle(store.start());
    const broker = new Broker(host, {
      store,
      listen: { host: "0.0.0.0", port: 10911 },
      brokerIP1: "broker",
      namesrvAddrs: [],
      configFolder: "/store/config",
      timerHome: "/store",
      mappedFileSizeTimerLog: 8_192,
      // Some hours: a wheel of two weeks takes long to look through.
      timerWheelSlots: 16_384,
      vipListener: false,
      ...this.#options,
    });
    await this.settle(broker.start());
    this.broker = broker;
  }

  /** In order: everything is on disk. */
  async stop(): Promise<void> {
    await this.settle(this.broker!.stop(5_000));
    await this.settle(this.#store!.stop());
    this.world.kill(this.#process!);
  }

  /** kill -9: what the page cache has survives. */
  kill(): void {
    this.world.kill(this.#process!);
  }

  get store(): MessageStore {
    return this.#store!;
  }

  get host(): SimHost {
    return this.#process!;
  }

  /** Until it is started again the store takes nothing for the topic. */
  refuse(topic: string): void {
    const { store } = this;
    const append = store.append.bind(store);
    store.append = (message, durability, waiter) =>
      message.topic === topic
        ? { status: "refused", reason: "BUSY", remark: "not now" }
        : append(message, durability, waiter);
  }

  run(ms: number): Promise<void> {
    return this.world.run(ms);
  }

  async ask(code: number, ext: Fields = {}, body?: Uint8Array | string): Promise<SimAnswer> {
    const answer = new Promise<SimAnswer>((resolve, reject) => {
      this.client.request(
        ADDRESS,
        {
          code,
          header: (sink: ExtSink) => {
            for (const [name, value] of Object.entries(ext)) {
              if (value !== undefined) sink.put(name, String(value));
            }
          },
          body: body === undefined ? undefined : [Buffer.from(body as string)],
        },
        10_000,
        (error, response) => {
          if (response === undefined) reject(error);
          else resolve(answerOf(response));
        },
      );
    });
    return this.settle(answer);
  }

  send(topic: string, body: string, fields: Fields = {}): Promise<SimAnswer> {
    const ext = { a: "producers", b: topic, c: "TBW102", d: 1, e: 0, f: 0, g: 1, h: 0, ...fields };
    return this.ask(RequestCode.SEND_MESSAGE_V2, ext, body);
  }

  /** All messages that may be seen of a queue, through the store. */
  async messages(topic: string, queueId = 0): Promise<MessageRecord[]> {
    const found: MessageRecord[] = [];
    for (let offset: number = this.store.minOffset(topic, queueId); ; ) {
      const records = await this.settle(
        new Promise<MessageRecord[]>((resolve) =>
          this.store.get({ topic, queueId, offset, messagesMax: 32, bytesMax: 1 << 20 }, (result) => {
            const all = result.slices.flatMap((slice) => readRecords(Buffer.from(slice)));
            result.release();
            resolve(all);
          }),
        ),
      );
      if (records.length === 0) return found;
      found.push(...records);
      offset += records.length;
    }
  }

  async bodies(topic: string, queueId = 0): Promise<string[]> {
    return (await this.messages(topic, queueId)).map(({ body }) => Buffer.from(body).toString());
  }

  /** Lets virtual time pass until the promise settles. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    for (let steps = 0; !settled; steps++) {
      if (steps > 20_000) throw new Error("the promise did not settle");
      await this.world.run(1);
    }
    return promise;
  }
}

function answerOf(response: RemotingCommand): SimAnswer {
  const ext = new Map<string, string>();
  response.ext.forEach((name, value) => void ext.set(name, value));
  return { code: response.code, remark: response.remark, ext, body: Buffer.from(response.body) };
}
