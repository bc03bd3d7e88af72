/**
 * The real server, reached without sockets: thousands of connections cost nothing but what the server spends on
 * them. Requests are put together by hand, as no client of ours would.
 */
import { type Host, silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import {
  type ConsumerData,
  encodeHeartbeatData,
  inProcessNetwork,
  newSubscriptionData,
  RequestCode,
  RpcClient,
  type SubscriptionData,
} from "@orbitmq/wire";
import { resolveConfiguration } from "../config/configuration.ts";
import { ManualClock } from "../manual-clock/manual-clock.ts";
import { Server } from "../server.ts";

const ANSWER_MS = 60_000;
const STOP_MS = 20_000;

export interface Answer {
  readonly code: number;
  readonly remark: string;
  readonly ext: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

type Fields = Readonly<Record<string, string | number | boolean>>;

/** One connection. */
export class RawClient {
  readonly id: string;
  /** How often the server said that a group changed (40). */
  told = 0;
  readonly #rpc: RpcClient;
  readonly #address: string;

  constructor(host: Host, address: string, id: string) {
    this.id = id;
    this.#address = address;
    this.#rpc = new RpcClient(host);
    this.#rpc.handle(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, () => void this.told++);
  }

  ask(code: number, fields: Fields = {}, body?: Uint8Array): Promise<Answer> {
    const request = {
      code,
      header: (sink: { put(name: string, value: string): void }) => {
        for (const [name, value] of Object.entries(fields)) sink.put(name, String(value));
      },
      body: body === undefined ? undefined : [body],
    };
    return new Promise((resolve, reject) =>
      this.#rpc.request(this.#address, request, ANSWER_MS, (error, response) => {
        if (response === undefined) return reject(error);
        const ext = new Map<string, string>();
        response.ext.forEach((name, value) => void ext.set(name, value));
        resolve({
          code: response.code,
          remark: response.remark ?? "",
          ext,
          body: Buffer.from(response.body),
        });
      }),
    );
  }

  send(topic: string, body: string, properties = "", queueId = 0): Promise<Answer> {
    const fields = {
      producerGroup: "raw",
      topic,
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId,
      sysFlag: 0,
      bornTimestamp: 1_700_000_000_000,
      flag: 0,
      properties,
    };
    return this.ask(RequestCode.SEND_MESSAGE, fields, Buffer.from(body));
  }

  pull(group: string, topic: string, fields: Fields = {}): Promise<Answer> {
    return this.ask(RequestCode.PULL_MESSAGE, {
      consumerGroup: group,
      topic,
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      // Brings its subscription.
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: "*",
      subVersion: 1,
      expressionType: "TAG",
      ...fields,
    });
  }

  /** A pull that waits for a message. */
  wait(group: string, topic: string, queueOffset: number, fields: Fields = {}): Promise<Answer> {
    return this.pull(group, topic, { queueOffset, sysFlag: 6, suspendTimeoutMillis: 30_000, ...fields });
  }

  beat(...consumers: ConsumerData[]): Promise<Answer> {
    const heartbeat = {
      clientID: this.id,
      producerGroups: [],
      consumerDataSet: consumers,
      heartbeatFingerprint: 0,
      withoutSub: false,
    };
    return this.ask(RequestCode.HEART_BEAT, {}, encodeHeartbeatData(heartbeat));
  }

  close(): void {
    this.#rpc.stop();
  }
}

export const consumerOf = (groupName: string, ...subscriptions: SubscriptionData[]): ConsumerData => ({
  groupName,
  consumeType: "CONSUME_PASSIVELY",
  messageModel: "CLUSTERING",
  consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
  subscriptionDataSet: subscriptions,
  unitMode: false,
});

export const everythingOf = (topic: string): SubscriptionData => newSubscriptionData(topic, "*", 1);

export class InProcessStage {
  readonly host: Host;
  readonly #server: Server;
  readonly #clients: RawClient[] = [];
  readonly #clock: ManualClock | undefined;

  /** With `clock: "manual"` time passes in {@link advance} only. */
  constructor(options: readonly string[] = [], clock: "machine" | "manual" = "machine") {
    const real = nodeHost();
    this.#clock = clock === "manual" ? new ManualClock(real) : undefined;
    const machine = this.#clock?.host ?? real;
    this.host = { ...machine, network: inProcessNetwork(machine.timers) };
    const config = resolveConfiguration({
      role: "broker",
      options: ["storePathRootDir=/memory", "vipListenPort=0", ...options],
    });
    const settings = {
      role: "server",
      config,
      store: "memory",
      existing: false,
      unsafeNoLock: false,
    } as const;
    this.#server = new Server(this.host, settings, silentLogger);
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  get namesrvAddr(): string {
    return this.#server.addresses.namesrvAddr ?? "";
  }

  client(): RawClient {
    const client = new RawClient(
      this.host,
      this.#server.addresses.brokerAddr ?? "",
      `c${this.#clients.length}`,
    );
    this.#clients.push(client);
    return client;
  }

  async advance(ms: number): Promise<void> {
    await this.#clock?.advance(ms);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#server.stop(STOP_MS);
  }
}

/** Lets the event loop go round until it is so. */
export async function until(condition: () => boolean, turnsMax = 100_000): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns > turnsMax) throw new Error(`never: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
