/**
 * The server to embed: `const mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 })`. It never
 * prints, never exits the process and installs no handlers; several run in one process; after `stop()` no handle
 * stays open.
 */
import { type Logger, silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { type FlagValue, resolveConfiguration } from "./config/configuration.ts";
import { Server, serverErrorFrom } from "./server.ts";
import { ServerError } from "./server-error.ts";

export interface StartOptions {
  /** The store's folder; required unless `store` is "memory". RocketMQ: storePathRootDir. */
  readonly home?: string | undefined;
  /** "disk" (default), or "memory": nothing is kept when the server stops. */
  readonly store?: "disk" | "memory" | undefined;
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
  /** What clients are told as the broker's address, `host:port`. */
  readonly brokerAddr: string;
  /**
   * Rejects with a ServerError (WRITE_FAILED) when a write or sync of the log failed: the broker then refuses
   * sends and goes on serving reads until it is stopped. Never resolves; never an unhandled rejection.
   */
  readonly failed: Promise<never>;
  readonly status: () => OrbitMQStatus;
  /** Stops; afterwards no handle is open. Rejects with STOP_TIMEOUT. Twice is once. */
  readonly stop: () => Promise<void>;
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
export async function start(options: StartOptions = {}): Promise<OrbitMQ> {
  const logger = options.logger ?? silentLogger;
  const store = options.store ?? "disk";
  if (store === "disk" && (options.home ?? "") === "")
    throw new ServerError("USAGE", 'start() needs home, the folder of the store, or store: "memory"');
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
      ["brokerIP1", "advertise", options.advertise],
      ["brokerClusterName", "cluster", options.cluster],
      ["brokerName", "brokerName", options.brokerName],
      ["namesrvAddr", "namesrvAddr", options.namesrvAddr],
    ].flatMap((flag) => flags(flag as [string, string, unknown])),
    options: Object.entries(options.config ?? {}).map(([key, value]) => `${key}=${value}`),
    ignoreKeys: options.ignoreKeys ?? [],
  });
  for (const warning of config.warnings) logger.warn(warning);
  const server = new Server(
    nodeHost({ logger }),
    {
      role: "server",
      config,
      store,
      existing: options.existing ?? false,
      unsafeNoLock: options.unsafeNoLock ?? false,
    },
    logger,
  );
  await server.start();
  return running(server, options.stopTimeoutMs ?? STOP_TIMEOUT_MS);
}

function running(server: Server, stopTimeoutMs: number): OrbitMQ {
  const { namesrvAddr, brokerAddr } = server.addresses;
  const failed = server.failed.catch((error: unknown): never => {
    throw new ServerError("WRITE_FAILED", serverErrorFrom(error).message, { cause: error });
  });
  // Handled here, so that whoever does not care is not brought down by it; whoever does gets it by awaiting.
  failed.catch(() => "told through `failed` and by refused sends");
  let stopped = false;
  const stop = async () => {
    await server.stop(stopTimeoutMs);
    stopped = true;
  };
  return {
    namesrvAddr: namesrvAddr ?? "",
    brokerAddr: brokerAddr ?? "",
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
