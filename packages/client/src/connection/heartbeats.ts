/**
 * Tells every known broker who this client is (RocketMQ: MQClientInstance.sendHeartbeatToAllBroker): every 30 s,
 * at once when something about it changed, and to a broker as soon as a connection to it opens, because a
 * restarted broker has forgotten its groups. Slaves hear of consumers only.
 */
import type { Logger, TimerHandle, Timers } from "@orbitmq/host";
import {
  type ConsumerData,
  encodeHeartbeatData,
  MASTER_ID,
  RequestCode,
  type RpcClient,
  unregisterClientRequestHeader,
} from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import { askServer } from "./call-server.ts";
import type { RouteCache } from "./route-cache.ts";

/**
 * So many heartbeats without an answer, one after the other, and the connection is given up: a link that a
 * firewall forgot stays open for a quarter of an hour otherwise.
 */
const TRIES_UNTIL_DEAD = 2;

export interface HeartbeatSubject {
  readonly clientId: string;
  readonly producerGroups: readonly string[];
  /** Read anew for each heartbeat. */
  readonly consumers: () => readonly ConsumerData[];
}

export class Heartbeats {
  readonly #rpc: RpcClient;
  readonly #routes: RouteCache;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #subject: HeartbeatSubject;
  readonly #timeoutMs: number;
  /** Addresses with a heartbeat on its way. */
  readonly #beating = new Map<string, Promise<boolean>>();
  /** Addresses that accepted the last heartbeat: those to unregister from. */
  readonly #known = new Set<string>();
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(
    rpc: RpcClient,
    routes: RouteCache,
    timers: Timers,
    logger: Logger,
    subject: HeartbeatSubject,
    timeoutMs: number,
  ) {
    this.#rpc = rpc;
    this.#routes = routes;
    this.#timers = timers;
    this.#logger = logger;
    this.#subject = subject;
    this.#timeoutMs = timeoutMs;
  }

  start(intervalMs: number): void {
    this.#timer = this.#timers.every(intervalMs, () => void this.beatAll());
    this.#routes.onChange(() => void this.beatNew());
    this.#rpc.onConnection((address, _peer, open) => {
      if (!open) this.#known.delete(address);
      else if (!this.#beating.has(address) && this.#addresses().includes(address)) void this.#beat(address);
    });
  }

  /** To every broker; resolves when each has answered or failed. Never rejects. */
  async beatAll(): Promise<void> {
    await Promise.all(this.#addresses().map((address) => this.#beat(address, true)));
  }

  /** To brokers that have not accepted one yet; never rejects. */
  async beatNew(): Promise<void> {
    const fresh = this.#addresses().filter((address) => !this.#known.has(address));
    await Promise.all(fresh.map((address) => this.#beat(address)));
  }

  /** A request went unanswered: find out whether the connection is still alive. Never rejects. */
  async suspect(address: string): Promise<void> {
    await this.#beat(address);
  }

  /** Whether the broker knows this client, after telling it if need be; never rejects. */
  async ensureKnown(address: string): Promise<boolean> {
    return this.#known.has(address) || this.#beat(address);
  }

  /** The broker turned out not to know this client. */
  forget(address: string): void {
    this.#known.delete(address);
  }

  /** No more heartbeats; with `timeoutMs` above 0 tells every broker that this client leaves. Never rejects. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    if (timeoutMs <= 0) return;
    const leave = (address: string, group: { producerGroup?: string; consumerGroup?: string }) =>
      askServer(
        this.#rpc,
        address,
        {
          code: RequestCode.UNREGISTER_CLIENT,
          header: (sink) =>
            unregisterClientRequestHeader.encode({ clientID: this.#subject.clientId, ...group }, sink),
        },
        timeoutMs,
        () => undefined,
      ).catch((error: unknown) => this.#note("unregister", address, error));
    await Promise.all(
      [...this.#known].flatMap((address) => [
        ...this.#subject.producerGroups.map((producerGroup) => leave(address, { producerGroup })),
        ...this.#subject.consumers().map(({ groupName }) => leave(address, { consumerGroup: groupName })),
      ]),
    );
  }

  #addresses(): string[] {
    const toSlaves = this.#subject.consumers().length > 0;
    return this.#routes
      .brokers()
      .filter(({ brokerId }) => toSlaves || brokerId === MASTER_ID)
      .map(({ address }) => address);
  }

  /** `again`: what is on its way may be outdated, so another one follows it. Resolves to whether it was accepted. */
  async #beat(address: string, again = false): Promise<boolean> {
    const running = this.#beating.get(address);
    if (running !== undefined) {
      const accepted = await running;
      if (!again || this.#stopped || this.#beating.has(address))
        return this.#beating.get(address) ?? accepted;
    }
    const beat = this.#send(address).finally(() => this.#beating.delete(address));
    this.#beating.set(address, beat);
    return beat;
  }

  async #send(address: string): Promise<boolean> {
    if (this.#stopped) return false;
    const { clientId, producerGroups, consumers } = this.#subject;
    const body = encodeHeartbeatData({
      clientID: clientId,
      producerGroups,
      consumerDataSet: consumers(),
      heartbeatFingerprint: 0,
      withoutSub: false,
    });
    const request = { code: RequestCode.HEART_BEAT, body: [body] };
    for (let tries = 1; ; tries++) {
      try {
        await askServer(this.#rpc, address, request, this.#timeoutMs, () => undefined);
        this.#known.add(address);
        return true;
      } catch (error) {
        this.#known.delete(address);
        this.#note("heartbeat", address, error);
        if (!(error instanceof OrbitError) || error.code !== "TIMEOUT" || this.#stopped) return false;
        if (tries === TRIES_UNTIL_DEAD) {
          this.#rpc.disconnect(address);
          return false;
        }
      }
    }
  }

  #note(what: string, address: string, error: unknown): void {
    const { code, message } = fromUnknown(error);
    if (code !== "SHUT_DOWN") this.#logger.warn({ broker: address, code }, `${what}: ${message}`);
  }
}
