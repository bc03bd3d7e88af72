/**
 * Runs a server until it is told to stop: configuration, start, banner, ready line, signals, exit code.
 *
 *   starting → ready → stopping → exit code
 *   A signal while starting stops as soon as the start is over; a second signal ends the process at once.
 *   When the log cannot be written any more: `stay` serves reads and says why once a minute; `exit` ends with 5.
 */
import { resolve as absolutePath } from "node:path";
import type { Host, Logger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { type CommandLogger, commandLogger } from "../../logging/command-logger.ts";
import type { LogFormat, LogLevel } from "../../logging/pino-records.ts";
import { observingSettings } from "../../observing/observing-settings.ts";
import { Server, serverErrorFrom } from "../../server.ts";
import { ServerError, serverErrors } from "../../server-error.ts";
import type { ServerRole } from "../../settings.ts";
import type { Terminal } from "../../terminal.ts";
import type { ConfigFlags } from "../config/config-flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { explain } from "../failure.ts";
import { version } from "../version.ts";
import { bannerLines, bannerText } from "./banner.ts";
import { collectAlone } from "./collector.ts";

export interface ServerFlags extends ConfigFlags {
  readonly store?: "disk" | "memory";
  readonly existing?: boolean;
  readonly unsafeNoLock?: boolean;
  readonly onWriteFailure?: "stay" | "exit";
  readonly stopTimeout: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly json?: boolean;
}

/** How often a server that cannot write says so. */
const REMINDER_MS = 60_000;

/** Resolves with the exit code when the server has stopped. Rejects with ServerError when it did not start. */
export async function runServer(role: ServerRole, flags: ServerFlags, terminal: Terminal): Promise<number> {
  // Signals count from the first moment, as pid 1 too, where the kernel drops those nobody handles.
  const stopAsked = new Promise<string>((resolve) => terminal.onStopSignal(resolve));
  collectAlone();
  const files = nodeHost().files;
  const config = readConfiguration(role, flags, terminal.env, (path) =>
    files.readWholeSync(absolutePath(path)),
  );
  const logger = commandLogger({
    level: flags.logLevel,
    format: flags.logFormat,
    write: (line) => terminal.err(line),
    wallMs: Date.now,
  });
  const host = nodeHost({ logger });
  const settings = {
    role,
    config,
    store: flags.store ?? "disk",
    existing: flags.existing === true,
    unsafeNoLock: flags.unsafeNoLock === true,
    observing: observingSettings(config),
  };
  const server = new Server(host, settings, logger);
  try {
    stopAsked.then((why) => {
      if (server.giveUpStart())
        logger.info(`stopping (${why}) before the store was open; the next start goes on`);
    });
    try {
      await server.start();
    } catch (error) {
      if (!server.gaveUp) throw error;
      return 0;
    }
    announce(server, flags, terminal, logger);
    await terminal.out(readyLine(server, flags.json === true));
    logger.begin();
    void server.observe();
    return await serve(server, host, { flags, logger, stopAsked, terminal });
  } finally {
    await logger.flush();
  }
}

function announce(server: Server, flags: ServerFlags, terminal: Terminal, logger: Logger): void {
  const lines = bannerLines(server, {
    version,
    pid: terminal.pid,
    nodeVersion: terminal.nodeVersion,
    program: terminal.program,
    warnings: server.settings.config.warnings,
  });
  if (flags.logFormat === "text") terminal.err(bannerText(lines, terminal.isInteractive));
  else
    for (const [label, text] of lines)
      if (label === "warning") logger.warn(text);
      else logger.info({ about: label || "try" }, text);
}

function readyLine(server: Server, asJson: boolean): string {
  const { namesrvAddr, brokerAddr } = server.addresses;
  const parts = Object.entries({ namesrv: namesrvAddr, broker: brokerAddr }).filter(([, address]) => address);
  if (asJson) return `${JSON.stringify(Object.fromEntries([["ready", true], ...parts]))}\n`;
  return `ready ${parts.map(([name, address]) => `${name}=${address}`).join(" ")}\n`;
}

interface Serving {
  readonly flags: ServerFlags;
  readonly logger: CommandLogger;
  readonly stopAsked: Promise<string>;
  readonly terminal: Terminal;
}

async function serve(
  server: Server,
  host: Host,
  { flags, logger, stopAsked, terminal }: Serving,
): Promise<number> {
  let failure: Error | undefined;
  const ended = server.failed.catch((error: unknown) => {
    failure = serverErrorFrom(error);
    const since = new Date(host.clock.wallMs()).toISOString();
    const say = () =>
      logger.error(
        `writes are refused since ${since}: ${failure?.message}; reads go on; restart to recover what is on disk`,
      );
    say();
    if (flags.onWriteFailure !== "exit") {
      host.timers.every(REMINDER_MS, say);
      return stopAsked;
    }
    return "write failure";
  });
  const why = await Promise.race([stopAsked, ended]);
  logger.info(`stopping (${why})`);
  const begin = host.clock.monotonicMs();
  try {
    await server.stop(flags.stopTimeout);
  } catch (error) {
    // A store that cannot write cannot be closed cleanly either; its own code says more.
    if (failure === undefined || isStopTimeout(error)) {
      terminal.err(explain(error));
      return serverErrorFrom(error).exitCode;
    }
    logger.error({ err: error }, "stopping after the write failure");
  }
  if (failure !== undefined) return serverErrors.WRITE_FAILED[0];
  logger.info(`stopped in ${Math.round(host.clock.monotonicMs() - begin)} ms`);
  return 0;
}

const isStopTimeout = (error: unknown): boolean =>
  error instanceof ServerError && error.code === "STOP_TIMEOUT";
