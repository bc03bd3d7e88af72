/**
 * The composition root: puts NameServer, store and broker of one process together on the real machine, starts
 * them in the order they need each other and stops them in the opposite one.
 *
 *   new ─start()→ starting ─→ running ─stop()→ stopping ─→ stopped
 *                     └─ a part fails: what runs is stopped again, start() rejects, → stopped
 *   In `running` the store may fail for good: `failed` rejects, reads go on, writes are refused.
 */
import { Broker, BrokerError } from "@orbitmq/broker";
import { type Host, HostError, type Logger, type MetricLabels, type SocketAddress } from "@orbitmq/host";
import { type ConfigurationPort, NameServer } from "@orbitmq/nameserver";
import { type MessageStore, openMessageStore, StoreError, type StoreStatus } from "@orbitmq/store";
import { type Advertisement, chooseAdvertisement, isUnspecified, joinAddress } from "./addresses.ts";
import type { RuntimeConfiguration } from "./config/runtime-configuration.ts";
import type { ConfigRole } from "./config/supported-keys.ts";
import { freePortPair } from "./free-port-pair.ts";
import { LazyFolderFile } from "./lazy-folder-file.ts";
import { componentLogger } from "./logging/component-logger.ts";
import { memoryFiles } from "./memory-files.ts";
import type { MetricSource } from "./observing/collect.ts";
import type { ServerFacts } from "./observing/health.ts";
import type { Observer } from "./observing/observer.ts";
import { configurationPort, runtimeConfiguration } from "./runtime-changes.ts";
import { ServerError, type ServerErrorCode } from "./server-error.ts";
import {
  type BrokerSettings,
  brokerSettings,
  nameServerSettings,
  type ServerSettings,
  storeSettings,
} from "./settings.ts";

/** How long a start waits for the first NameServer to take the registration before it is ready anyway. */
const REGISTRATION_WAIT_MS = 3_000;
/** A start that takes longer is worth watching: until then nothing but the start is loaded. */
const OBSERVE_AFTER_MS = 200;
/** Of the time for stopping, what the store keeps for its last flush. */
const STORE_SHARE_MS = 5_000;

export interface ServerAddresses {
  /** What clients are given as NameServer: of this process, or those the broker registers with. */
  readonly namesrvAddr: string | undefined;
  /** What clients are told as the broker's address. */
  readonly brokerAddr: string | undefined;
  readonly namesrvListens: SocketAddress | undefined;
  readonly brokerListens: SocketAddress | undefined;
  readonly vipListens: SocketAddress | undefined;
  /** Where health and metrics are served. */
  readonly httpListens: SocketAddress | undefined;
}

export class Server {
  /** Rejects when the store stops taking writes for good. Handled: never an unhandled rejection. */
  readonly failed: Promise<never>;
  #settings: ServerSettings;
  readonly #host: Host;
  readonly #logger: Logger;
  readonly #fail: (error: Error) => void;
  #runtime: RuntimeConfiguration | undefined;
  #nameServer: NameServer | undefined;
  #store: MessageStore | undefined;
  #broker: Broker | undefined;
  #namesrvListens: SocketAddress | undefined;
  #advertisement: Advertisement | undefined;
  #isOpeningStore = false;
  #hasGivenUp = false;
  #gaveUp = false;
  #createdStore = false;
  #phase: ServerFacts["phase"] = "starting";
  #observer: Observer | undefined;
  #observing: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(host: Host, settings: ServerSettings, logger: Logger) {
    // A store in memory is the ordinary one on files that nobody else sees.
    this.#host = settings.store === "memory" ? { ...host, files: memoryFiles(host) } : host;
    this.#settings = settings;
    this.#logger = logger;
    let fail: (error: Error) => void = () => {};
    this.failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#fail = fail;
    this.failed.catch((error: unknown) => logger.error({ err: error }, "the store stopped taking writes"));
  }

  /** As configured, and changed while it ran. */
  get settings(): ServerSettings {
    return this.#settings;
  }

  /** Resolves when clients can be served. Rejects with ServerError, and then nothing runs any more. */
  async start(): Promise<void> {
    const patience = setTimeout(() => void this.observe(), OBSERVE_AFTER_MS);
    try {
      await this.#startParts();
      this.#phase = "running";
    } catch (error) {
      this.#phase = "failed";
      const cause = serverErrorFrom(error);
      this.#gaveUp = this.#hasGivenUp && error instanceof StoreError && error.code === "STATE";
      await this.stop(REGISTRATION_WAIT_MS).catch((stopError: unknown) =>
        this.#logger.warn({ err: stopError }, "stopping after the failed start failed, too"),
      );
      throw cause;
    } finally {
      clearTimeout(patience);
    }
  }

  /** Begins to serve health and metrics, or to send them, as the settings say. Never rejects. Twice is once. */
  observe(): Promise<void> {
    this.#observing ??= this.#observe().catch((error: unknown) =>
      this.#logger.warn({ err: error }, "neither health nor metrics are served"),
    );
    return this.#observing;
  }

  async #observe(): Promise<void> {
    const { observing } = this.settings;
    if (observing === undefined || this.#stopped !== undefined) return;
    const { Observer } = await import("./observing/observer.ts");
    const { liveness, readiness } = await import("./observing/health.ts");
    const facts = (): ServerFacts => ({
      phase: this.#phase,
      store: this.#store?.status(),
      registrations: this.#phase === "running" ? this.#broker?.registrations : undefined,
    });
    this.#observer = new Observer(observing, {
      live: () => liveness(facts()),
      ready: () => readiness(facts()),
      sources: () => this.#sources(observing.labels),
      labels: { ...observing.labels, ...this.#nodeLabels() },
      logger: componentLogger(this.#logger, "metrics"),
    });
    await this.#observer.start();
  }

  /** RocketMQ's: cluster, node_type, node_id. */
  #nodeLabels(): MetricLabels {
    const { role, config } = this.settings;
    if (role === "namesrv")
      return { cluster: "", node_type: "nameserver", node_id: config.text("bindAddress") };
    const node = { cluster: config.text("brokerClusterName"), node_id: config.text("brokerName") };
    return { ...node, node_type: "broker" };
  }

  #sources(labels: MetricLabels): MetricSource[] {
    const sources: MetricSource[] = [];
    const own = { ...labels, ...this.#nodeLabels() };
    const broker = this.#broker;
    const nameServer = this.#nameServer;
    if (this.#phase !== "running") return sources;
    if (broker !== undefined) {
      const { metrics } = broker;
      sources.push({
        labels: own,
        refresh: (done) => metrics.refresh(done),
        families: () => metrics.families(),
      });
    }
    if (nameServer !== undefined) {
      const families = () => nameServer.families();
      sources.push({
        labels: { ...own, node_type: "nameserver" },
        refresh: (done) => done(),
        families,
      });
    }
    return sources;
  }

  /**
   * Asked to stop before it is ready: the opening of a store, which may take minutes after a crash, is broken off, and
   * `start` rejects. `false` when it is beyond that and will be ready in a moment.
   */
  giveUpStart(): boolean {
    if (!this.#isOpeningStore) return false;
    this.#hasGivenUp = true;
    this.#store?.stop().catch((error: unknown) => this.#fail(error as Error));
    return true;
  }

  /** Whether `start` rejected because of `giveUpStart`, and of nothing else. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  async #startParts(): Promise<void> {
    const { role } = this.settings;
    this.#runtime = runtimeConfiguration(this.#host, this.settings, this.#logger, () => ({
      nameServer: this.#nameServer,
      store: this.#store,
      broker: this.#broker,
    }));
    this.#settings = { ...this.settings, config: this.#runtime.config };
    // Both begin at once; both are waited for, so that a failure of one leaves the other in a known state.
    const parts = await Promise.allSettled([
      role === "broker" ? undefined : this.#startNameServer(),
      role === "namesrv" ? undefined : this.#startStore(),
    ]);
    for (const part of parts) if (part.status === "rejected") throw part.reason;
    if (role !== "namesrv") await this.#startBroker(brokerSettings(this.settings));
  }

  async #startNameServer(): Promise<void> {
    const { listen, options, kvConfigPath } = nameServerSettings(this.settings);
    const logger = componentLogger(this.#logger, "nameserver");
    const kvConfigFile = new LazyFolderFile(this.#host, kvConfigPath, logger);
    this.#nameServer = new NameServer(
      this.#host,
      { ...options, kvConfigFile, configuration: this.#port("namesrv") },
      logger,
    );
    this.#namesrvListens = await this.#nameServer
      .start(listen)
      .catch((error: unknown) => refuseAddress(error, "the NameServer", listen, "--namesrv-port"));
  }

  #port(role: ConfigRole): ConfigurationPort | undefined {
    return this.#runtime === undefined ? undefined : configurationPort(this.#runtime, role);
  }

  async #startStore(): Promise<void> {
    const options = storeSettings(this.settings);
    this.#store = openMessageStore(this.#host, options, componentLogger(this.#logger, "store"));
    this.#store.onFailed(this.#fail);
    this.#isOpeningStore = true;
    try {
      await this.#store.start();
      if (this.#hasGivenUp) throw new StoreError("STATE", "the server was stopped while it was starting");
    } finally {
      this.#isOpeningStore = false;
    }
    this.#createdStore = this.#store.status().isNew;
  }

  async #startBroker({ advertise, namesrvAddrs, ...options }: BrokerSettings): Promise<void> {
    const own = this.#namesrvListens;
    this.#advertisement = chooseAdvertisement(
      options.listen.host,
      advertise,
      this.#host.network.localAddresses(),
    );
    const listen = options.vipListener
      ? await freePortPair(this.#host.network, options.listen)
      : options.listen;
    const addresses = new Set(namesrvAddrs);
    if (own !== undefined) addresses.add(joinAddress(dialable(own.host), own.port));
    this.#broker = new Broker(
      this.#host,
      {
        ...options,
        listen,
        store: this.#store!,
        brokerIP1: this.#advertisement.host,
        namesrvAddrs: [...addresses],
        configuration: this.#port("broker"),
      },
      componentLogger(this.#logger, "broker"),
    );
    await this.#broker
      .start()
      .catch((error: unknown) => refuseAddress(error, "the broker", options.listen, "--broker-port"));
    await this.#firstRegistration(this.#broker, [...addresses]);
  }

  /** A NameServer that is down must not keep the broker from serving those who know its address. */
  #firstRegistration(broker: Broker, addresses: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const patience = this.#host.timers.after(REGISTRATION_WAIT_MS, () => {
        this.#logger.warn({ namesrvAddrs: addresses }, "no NameServer has taken the registration yet");
        resolve();
      });
      broker
        .whenRegistered()
        .then(resolve, reject)
        .finally(() => patience.cancel());
    });
  }

  get addresses(): ServerAddresses {
    const { role, config } = this.settings;
    const own = this.#namesrvListens;
    const bind = config.text("bindAddress");
    const shown =
      this.#advertisement?.host ?? chooseAdvertisement(bind, "", this.#host.network.localAddresses()).host;
    return {
      namesrvAddr: role === "broker" ? config.text("namesrvAddr") : own && joinAddress(shown, own.port),
      brokerAddr: this.#broker?.address,
      namesrvListens: own,
      brokerListens: this.#broker?.local,
      vipListens: this.#broker?.vip,
      httpListens: this.#observer?.local,
    };
  }

  get advertisement(): Advertisement | undefined {
    return this.#advertisement;
  }

  /** Whether this start created the store. */
  get createdStore(): boolean {
    return this.#createdStore;
  }

  storeStatus(): StoreStatus | undefined {
    return this.#store?.status();
  }

  /**
   * Unregisters from every NameServer, answers what is in flight, flushes, removes `abort`, frees the ports.
   * Rejects with STOP_TIMEOUT when that takes longer than `timeoutMs`. Idempotent: the first call counts.
   */
  stop(timeoutMs: number): Promise<void> {
    if (this.#phase !== "failed") this.#phase = "stopping";
    this.#stopped ??= new Promise((resolve, reject) => {
      const { clock, timers } = this.#host;
      const endMs = clock.monotonicMs() + timeoutMs;
      // Asked amid work that blocks, too, when no timer fires.
      const inTime = () => clock.monotonicMs() < endMs;
      const tooLate = () => {
        const remark = `stopping took longer than ${timeoutMs} ms; \`abort\` stays and the next start recovers`;
        reject(new ServerError("STOP_TIMEOUT", remark));
      };
      const deadline = timers.after(timeoutMs, tooLate);
      this.#stopParts(timeoutMs, inTime)
        .then(
          () => (this.#store?.status().stoppedCleanly === false && !inTime() ? tooLate() : resolve()),
          (error: unknown) => reject(serverErrorFrom(error)),
        )
        .finally(() => deadline.cancel());
    });
    return this.#stopped;
  }

  async #stopParts(timeoutMs: number, inTime: () => boolean): Promise<void> {
    try {
      await this.#stopServing(timeoutMs, inTime);
    } finally {
      // Last: health tells to the end that the server is being stopped.
      await this.#observing;
      await this.#observer?.stop();
    }
  }

  async #stopServing(timeoutMs: number, inTime: () => boolean): Promise<void> {
    const brokerMs = Math.max(timeoutMs - STORE_SHARE_MS, timeoutMs / 2);
    const broker = await this.#broker?.stop(brokerMs);
    if (broker !== undefined && broker.left > 0)
      this.#logger.warn({ left: broker.left }, "requests were left unanswered");
    // Nothing depends on anything any more: stop both, then report the first failure.
    const parts = await Promise.allSettled([
      this.#store?.stop(inTime),
      this.#nameServer?.stop(timeoutMs - brokerMs),
    ]);
    for (const part of parts) if (part.status === "rejected") throw part.reason;
    if (broker !== undefined && broker.unsaved.length > 0)
      throw new ServerError("WRITE_FAILED", `could not be written at stop: ${broker.unsaved.join(", ")}`);
  }
}

/** Where this process itself reaches what listens on `host`. */
function dialable(host: string): string {
  if (!isUnspecified(host)) return host;
  return host === "0.0.0.0" ? "127.0.0.1" : "::1";
}

function refuseAddress(error: unknown, who: string, { host, port }: SocketAddress, flag: string): never {
  const code = error instanceof HostError ? error.code : undefined;
  const why = {
    EADDRINUSE: "the port is taken",
    EADDRNOTAVAIL: "that is not an address of this machine",
    EACCES: "this user may not listen there",
    ENOTFOUND: "that name is not known",
  }[code ?? ""];
  if (why === undefined) throw error;
  throw new ServerError(
    "ADDRESS_UNUSABLE",
    `${who} cannot listen on ${joinAddress(host, port)}: ${why}; choose another with ${flag} or --host`,
    { cause: error },
  );
}

const storeErrorCodes: Readonly<Record<StoreError["code"], ServerErrorCode>> = {
  LOCKED: "STORE_LOCKED",
  NO_LOCK: "STORE_NOT_LOCKABLE",
  NO_STORE: "STORE_MISSING",
  NO_SPACE: "NO_SPACE",
  DAMAGED: "STORE_DAMAGED",
  VERSION: "STORE_DAMAGED",
  ILLEGAL_OPTION: "CONFIG_INVALID",
  IO: "WRITE_FAILED",
  STATE: "INTERNAL",
};

const brokerErrorCodes: Readonly<Partial<Record<BrokerError["code"], ServerErrorCode>>> = {
  ADDRESS_UNRESOLVED: "ADDRESS_UNUSABLE",
  LISTEN_FAILED: "ADDRESS_UNUSABLE",
  ILLEGAL_OPTION: "CONFIG_INVALID",
};

/** What the parts fail with, as this package's error; once, at the edge. */
export function serverErrorFrom(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  if (error instanceof StoreError)
    return new ServerError(storeErrorCodes[error.code], error.message, { cause: error });
  if (error instanceof BrokerError && error.code in brokerErrorCodes)
    return new ServerError(brokerErrorCodes[error.code] ?? "INTERNAL", error.message, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new ServerError("INTERNAL", message, { cause: error });
}
