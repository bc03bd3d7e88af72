/**
 * The server to embed: `const mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 })`. It never
 * prints, never exits the process and installs no handlers; several run in one process; after `stop()` no handle
 * stays open.
 */
import type { ClientOptions } from "@orbitmq/client";
import { type Host, type Logger, silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { joinAddress } from "./addresses.ts";
import { type FlagValue, resolveConfiguration } from "./config/configuration.ts";
import { ManualClock } from "./manual-clock/manual-clock.ts";
import { observingSettings } from "./observing/observing-settings.ts";
import { Server, serverErrorFrom } from "./server.ts";
import { ServerError } from "./server-error.ts";

export interface StartOptions {
  /** The store's folder; required unless `store` is "memory". RocketMQ: storePathRootDir. */
  readonly home?: string | undefined;
  /** "disk" (default), or "memory": nothing is kept when the server stops. */
  readonly store?: "disk" | "memory" | undefined;
  /**
   * "manual", for tests, with `store: "memory"` only: time passes when `advance` is called, and not otherwise. Default
   * "machine".
   */
  readonly clock?: "machine" | "manual" | undefined;
  /** Default 9876; 0 picks a free port. */
  readonly namesrvPort?: number | undefined;
  /** Default 10911; 0 picks a free port. */
  readonly brokerPort?: number | undefined;
  /** The VIP listener lies at the broker's port − 2; 0: none. Default: there is one. */
  readonly vipPort?: 0 | undefined;
  /** The address to listen on; default 127.0.0.1. */
  readonly host?: string | undefined;
  /** The host name or address clients are told; default: the address listened on. RocketMQ: brokerIP1. */
  readonly advertise?: string | undefined;
  /** Serves /metrics and /health/… there; 0 picks a free port. Default: neither is served. */
  readonly metricsPort?: number | undefined;
  /** Default DefaultCluster. */
  readonly cluster?: string | undefined;
  /** Default broker-a. */
  readonly brokerName?: string | undefined;
  /** Further NameServers to register with, `host:port`, several separated by `;`. */
  readonly namesrvAddr?: string | undefined;
  /** Any other key of broker.conf, e.g. `{ flushDiskType: "ASYNC_FLUSH" }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Keys to leave out although they promise a safety that is not there (see docs/configuration.md). */
  readonly ignoreKeys?: readonly string[] | undefined;
  /** Refuse to create a store. Default false. */
  readonly existing?: boolean | undefined;
  /** Go on where the machine offers no lock for the store. Default false. */
  readonly unsafeNoLock?: boolean | undefined;
  /** How long `stop()` may take; default 20,000. */
  readonly stopTimeoutMs?: number | undefined;
  /** Anything of pino's shape; default silent. */
  readonly logger?: Logger | undefined;
}

/** A running NameServer and broker. */
export interface OrbitMQ extends AsyncDisposable {
  /** For clients: `host:port` of the NameServer. */
  readonly namesrvAddr: string;
  /** What a client of this server is made with: `new Producer({ ...mq.clientOptions })`. */
  readonly clientOptions: Pick<ClientOptions, "namesrv" | "clock">;
  /** What clients are told as the broker's address, `host:port`. */
  readonly brokerAddr: string;
  /** Where /metrics and /health/… are served, `host:port`; undefined where they are not. */
  readonly metricsAddr: string | undefined;
  /**
   * Rejects with a ServerError (WRITE_FAILED) when a write or sync of the log failed: the broker then refuses
   * sends and goes on serving reads until it is stopped. Never resolves; never an unhandled rejection.
   */
  readonly failed: Promise<never>;
  readonly status: () => OrbitMQStatus;
  /** Stops; afterwards no handle is open. Rejects with STOP_TIMEOUT. Twice is once. */
  readonly stop: () => Promise<void>;
}

/** A server whose time is moved by hand, and that of every client made with its `clientOptions`. */
export interface ManualOrbitMQ extends OrbitMQ {
  /**
   * Lets `ms` milliseconds pass: every timer that becomes due fires in order, at its time, and after each one
   * everything that it set off comes to rest (requests are answered, listeners called and their promises followed)
   * before the next. Resolves when nothing more is due. What a listener waits for outside (a database, a real timer)
   * is not waited for. `advance(0)` only lets things come to rest. Calls at the same time run one after the other.
   */
  readonly advance: (ms: number) => Promise<void>;
  /** What its clock says, ms since the epoch. It begins at the machine's time. */
  readonly nowMs: () => number;
}

export interface OrbitMQStatus {
  readonly state: "running" | "failed" | "stopped";
  /** Messages stored, all topics together. */
  readonly messageCount: number;
  /** When the newest was stored, ms since the epoch; 0 when there is none. */
  readonly lastStoreTimestamp: number;
}

export const STOP_TIMEOUT_MS = 20_000;

/** Resolves when clients can connect, send and consume. Rejects with {@link ServerError}; then nothing runs. */
export function start(options: StartOptions & { readonly clock: "manual" }): Promise<ManualOrbitMQ>;
export function start(options?: StartOptions): Promise<OrbitMQ>;
export async function start(options: StartOptions = {}): Promise<OrbitMQ | ManualOrbitMQ> {
  const logger = options.logger ?? silentLogger;
  const store = options.store ?? "disk";
  if (store === "disk" && (options.home ?? "") === "")
    throw new ServerError("USAGE", 'start() needs home, the folder of the store, or store: "memory"');
  if (options.clock === "manual" && store === "disk")
    throw new ServerError(
      "USAGE",
      'start() with clock: "manual" needs store: "memory": a disk keeps no such time',
    );
  const flags = ([key, name, value]: readonly [string, string, unknown]): FlagValue[] =>
    value === undefined ? [] : [{ flag: name, key, value: String(value) }];
  const config = resolveConfiguration({
    role: "broker",
    flags: [
      ["storePathRootDir", "home", store === "memory" ? "/memory" : options.home],
      ["namesrvPort", "namesrvPort", options.namesrvPort],
      ["listenPort", "brokerPort", options.brokerPort],
      ["vipListenPort", "vipPort", options.vipPort],
      ["bindAddress", "host", options.host],
      ["metricsPromExporterPort", "metricsPort", options.metricsPort],
      ["metricsExporterType", "start()", wantsMetrics(options) ? undefined : "DISABLE"],
      ["brokerIP1", "advertise", options.advertise],
      ["brokerClusterName", "cluster", options.cluster],
      ["brokerName", "brokerName", options.brokerName],
      ["namesrvAddr", "namesrvAddr", options.namesrvAddr],
    ].flatMap((flag) => flags(flag as [string, string, unknown])),
    options: Object.entries(options.config ?? {}).map(([key, value]) => `${key}=${value}`),
    ignoreKeys: options.ignoreKeys ?? [],
  });
  for (const warning of config.warnings) logger.warn(warning);
  const machine: Host = nodeHost({ logger });
  const clock = options.clock === "manual" ? new ManualClock(machine) : undefined;
  const server = new Server(
    clock?.host ?? machine,
    {
      role: "server",
      config,
      store,
      existing: options.existing ?? false,
      unsafeNoLock: options.unsafeNoLock ?? false,
      observing: observingSettings(config),
    },
    logger,
  );
  await server.start();
  await server.observe();
  const mq = running(server, options.stopTimeoutMs ?? STOP_TIMEOUT_MS, clock);
  if (clock === undefined) return mq;
  return { ...mq, advance: (ms) => clock.advance(ms), nowMs: () => clock.clock.wallMs() };
}

/** An embedded server opens no port that nobody asked for. */
function wantsMetrics({ metricsPort, config = {} }: StartOptions): boolean {
  return metricsPort !== undefined || Object.keys(config).some((key) => key.startsWith("metrics"));
}

function running(server: Server, stopTimeoutMs: number, clock: ManualClock | undefined): OrbitMQ {
  const { namesrvAddr, brokerAddr, httpListens } = server.addresses;
  const failed = server.failed.catch((error: unknown): never => {
    throw new ServerError("WRITE_FAILED", serverErrorFrom(error).message, { cause: error });
  });
  // Handled here, so that whoever does not care is not brought down by it; whoever does gets it by awaiting.
  failed.catch(() => "told through `failed` and by refused sends");
  let stopped = false;
  const stop = async () => {
    const stopping = server.stop(stopTimeoutMs);
    if (clock !== undefined) await passUntil(stopping, clock, stopTimeoutMs);
    await stopping;
    stopped = true;
  };
  return {
    namesrvAddr: namesrvAddr ?? "",
    brokerAddr: brokerAddr ?? "",
    metricsAddr: httpListens && joinAddress(httpListens.host, httpListens.port),
    clientOptions: { namesrv: namesrvAddr ?? "", ...(clock === undefined ? {} : { clock }) },
    failed,
    status: () => {
      const status = server.storeStatus();
      return {
        state: stopped ? "stopped" : status?.state === "failed" ? "failed" : "running",
        messageCount: status?.messageCount ?? 0,
        lastStoreTimestamp: status?.lastStoreTimestamp ?? 0,
      };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Lets time pass for what waits for it in stopping, a second at a time, as no one else does. */
async function passUntil(stopping: Promise<void>, clock: ManualClock, timeoutMs: number): Promise<void> {
  let over = false;
  const done = () => {
    over = true;
  };
  stopping.then(done, done);
  await clock.advance(0);
  for (let ms = 0; !over && ms <= timeoutMs; ms += 1000) await clock.advance(1000);
}
