/**
 * The NameServer: who serves which topic (RocketMQ: NamesrvController). Assembles the route table, one handler
 * per command and the search for brokers that fell silent; nothing is kept on disk but the KV configuration.
 */
import {
  assert,
  type Host,
  type Logger,
  type MetricFamily,
  type SocketAddress,
  silentLogger,
  type TimerHandle,
} from "@orbitmq/host";
import { type Peer, RpcServer } from "@orbitmq/wire";
import { KvConfig } from "./kv-config.ts";
import {
  type NameServerOptions,
  nameServerDefaults,
  type ResolvedNameServerOptions,
  type RuntimeNameServerOptions,
} from "./nameserver-options.ts";
import { requestHandlers } from "./request-handlers.ts";
import { RouteTable } from "./route-table.ts";

const STOP_TIMEOUT_MS = 3_000;

export class NameServer {
  readonly #host: Host;
  readonly #options: ResolvedNameServerOptions;
  readonly #logger: Logger;
  readonly #table: RouteTable;
  readonly #kv: KvConfig;
  readonly #server: RpcServer;
  readonly #peers = new Map<number, Peer>();
  #scan: TimerHandle | undefined;
  #started = false;
  #stopped: Promise<void> | undefined;

  constructor(host: Host, options: NameServerOptions = {}, logger: Logger = silentLogger) {
    const { rpc, kvConfigFile, ...tuning } = options;
    this.#host = host;
    this.#options = { ...nameServerDefaults, ...tuning };
    this.#logger = logger;
    this.#table = new RouteTable(this.#options);
    this.#server = new RpcServer(host, { logger, ...rpc });
    this.#kv = new KvConfig(kvConfigFile, this.#options, logger);
    const parts = {
      table: this.#table,
      kv: this.#kv,
      options: this.#options,
      clock: host.clock,
      logger,
    };
    for (const [code, handler] of requestHandlers(parts)) this.#server.handle(code, handler);
    this.#server.onPeer((peer, open) => this.#peerChanged(peer, open));
  }

  /**
   * Listens on `local` (port 0: any free one) and resolves with the real address. Rejects with HostError.
   * A NameServer is started once.
   */
  start(local: SocketAddress): Promise<SocketAddress> {
    assert(!this.#started, "a NameServer is started once");
    this.#started = true;
    this.#kv.load();
    return new Promise((resolve, reject) => {
      this.#server.listen(local, (error, listener) => {
        if (error !== undefined || listener === undefined) {
          reject(error);
          return;
        }
        if (this.#stopped === undefined) {
          this.#scan = this.#host.timers.every(this.#options.scanNotActiveBrokerInterval, () =>
            this.#expire(),
          );
        }
        resolve(listener.local);
      });
    });
  }

  /** Takes other values from now on; the parts share the one object of options. */
  changeOptions(changes: RuntimeNameServerOptions): void {
    Object.assign(this.#options, changes);
  }

  /** Answers what is in flight, then closes; at most `timeoutMs` (default 3000). Idempotent. */
  stop(timeoutMs: number = STOP_TIMEOUT_MS): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#scan?.cancel();
      this.#kv.stop();
      this.#server.stop(timeoutMs, () => resolve());
    });
    return this.#stopped;
  }

  /** What is counted, to be read when somebody asks. */
  *families(): Generator<MetricFamily> {
    const gauge = (name: string, help: string, value: number): MetricFamily => ({
      name: `orbitmq_nameserver_${name}`,
      kind: "gauge",
      help,
      points: [{ labels: {}, value }],
    });
    yield gauge("brokers", "Brokers registered", this.#table.brokerCount);
    yield gauge("clusters", "Clusters they belong to", this.#table.clusterCount);
    yield gauge("topics", "Topics with a route", this.#table.topicCount);
    yield gauge("connections", "Connections of brokers and clients", this.#server.status.connections);
  }

  #peerChanged(peer: Peer, open: boolean): void {
    if (open) {
      this.#peers.set(peer.id, peer);
      return;
    }
    this.#peers.delete(peer.id);
    for (const { clusterName, brokerName, brokerAddr } of this.#table.connectionClosed(peer.id)) {
      this.#logger.warn({ clusterName, brokerName, brokerAddr }, "broker removed: its connection closed");
    }
  }

  #expire(): void {
    for (const gone of this.#table.expire(this.#host.clock.monotonicMs())) {
      const { clusterName, brokerName, brokerAddr } = gone;
      this.#logger.warn({ clusterName, brokerName, brokerAddr }, "broker removed: not heard of for too long");
      this.#peers.get(gone.connectionId)?.close();
    }
  }
}
