/** `orbitmq store verify|stat|dump|skip|rebuild-queues|rebuild-index|backup`; the work is done by @orbitmq/store. */
import { resolve as absolutePath } from "node:path";
import { HostError } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import {
  backupStore,
  type DumpFilter,
  dumpStore,
  type Finding,
  rebuildIndex,
  rebuildQueues,
  type StoreOptions,
  skipRecord,
  statStore,
  verifyStore,
} from "@orbitmq/store";
import { commandLogger } from "../../logging/command-logger.ts";
import { serverErrorFrom } from "../../server.ts";
import { ServerError, serverErrors } from "../../server-error.ts";
import { storeSettings } from "../../settings.ts";
import type { Terminal } from "../../terminal.ts";
import type { ConfigFlags } from "../config/config-flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { progressBar } from "../progress-bar.ts";
import { table } from "../table.ts";

export interface StoreFlags extends ConfigFlags {
  readonly json?: boolean;
}

export interface DumpFlags extends StoreFlags {
  readonly topic?: string;
  readonly queue?: number;
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly fromPosition?: number;
  readonly toPosition?: number;
  readonly from?: string;
  readonly to?: string;
  readonly count?: number;
}

export interface SkipFlags extends StoreFlags {
  readonly offset: number;
}

export interface BackupFlags extends StoreFlags {
  readonly to: string;
}

const FOUND = serverErrors.DAMAGE_FOUND[0];
/** Findings shown to people; --json has them all. */
const SHOWN_MAX = 50;

const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function optionsOf(flags: StoreFlags, terminal: Terminal): StoreOptions {
  const { files } = nodeHost();
  const config = readConfiguration("broker", flags, terminal.env, (path) =>
    files.readWholeSync(absolutePath(path)),
  );
  const settings = {
    role: "broker" as const,
    config,
    store: "disk" as const,
    existing: true,
    unsafeNoLock: false,
  };
  const options = storeSettings(settings);
  return { ...options, home: absolutePath(options.home) };
}

/** Runs `work` with errors of the store turned into those of the command, and its log on stderr. */
async function run<T>(
  flags: StoreFlags,
  terminal: Terminal,
  work: (
    host: ReturnType<typeof nodeHost>,
    options: StoreOptions,
    logger: ReturnType<typeof commandLogger>,
  ) => T,
): Promise<Awaited<T>> {
  const logger = commandLogger({
    level: "warn",
    format: "text",
    write: (line) => terminal.err(line),
    wallMs: Date.now,
  });
  try {
    return await work(nodeHost({ logger }), optionsOf(flags, terminal), logger);
  } catch (error) {
    if (!(error instanceof HostError)) throw serverErrorFrom(error);
    const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
    throw new ServerError(isFull ? "NO_SPACE" : "STORE_DAMAGED", error.message, { cause: error });
  } finally {
    await logger.flush();
  }
}

export async function verify(flags: StoreFlags, terminal: Terminal): Promise<number> {
  const bar = progressBar("checking", terminal);
  const report = await run(flags, terminal, (host, options) =>
    verifyStore(host.files, options, bar.update),
  ).finally(() => bar.stop());
  if (flags.json === true) await terminal.out(jsonLine(report));
  else {
    for (const finding of report.findings.slice(0, SHOWN_MAX))
      await terminal.out(`${findingText(finding)}\n`);
    if (report.damages > SHOWN_MAX)
      await terminal.out(`… and ${report.damages - SHOWN_MAX} more; --json has them\n`);
    const { records, logBytes, queues, units, damages } = report;
    const sum = `${records} records in ${megabytes(logBytes)}, ${units} units in ${queues} queues`;
    await terminal.out(`${sum}: ${damages === 0 ? "all is well" : `${damages} damaged`}\n`);
  }
  return report.damages === 0 ? 0 : FOUND;
}

function findingText({ kind, file, byte, offset, topic, queueId, queueOffset, reason }: Finding): string {
  const whose =
    topic === undefined
      ? ""
      : `, ${topic}/${queueId}${queueOffset === undefined ? "" : ` at ${queueOffset}`}`;
  const where = offset === undefined ? "" : `, offset ${offset}`;
  return `${kind}: ${file} byte ${byte}${where}${whose}: ${reason}`;
}

export async function stat(flags: StoreFlags, terminal: Terminal): Promise<number> {
  const found = await run(flags, terminal, (host, options, logger) => statStore(host, options, logger));
  if (flags.json === true) {
    await terminal.out(jsonLine(found));
    return 0;
  }
  const { home, state, segments, segmentBytes, minOffset, flushedOffset, messages, queues, skipped } = found;
  await terminal.out(
    `${home}: ${state}, ${messages} messages in ${queues.length} queues\n` +
      `log: ${minOffset} to ${flushedOffset} (${megabytes(flushedOffset - minOffset)}), ` +
      `${segments} segments of ${megabytes(segmentBytes)}, ${skipped.length} records skipped\n`,
  );
  if (queues.length > 0) {
    const rows = queues.map((queue) => [queue.topic, queue.queueId, queue.minOffset, queue.maxOffset]);
    await terminal.out(table(["TOPIC", "QUEUE", "MIN", "MAX"], rows));
  }
  return 0;
}

export async function dump(flags: DumpFlags, terminal: Terminal): Promise<number> {
  const filter: DumpFilter = {
    topic: flags.topic,
    queueId: flags.queue,
    fromOffset: flags.fromOffset,
    toOffset: flags.toOffset,
    fromPosition: flags.fromPosition,
    toPosition: flags.toPosition,
    fromTimestamp: timeOf("--from", flags.from),
    toTimestamp: timeOf("--to", flags.to),
  };
  let left = flags.count ?? Number.POSITIVE_INFINITY;
  return run(flags, terminal, async (host, options) => {
    let isDamaged = false;
    for (const record of dumpStore(host.files, options, filter)) {
      if (terminal.readerGone.aborted) break;
      isDamaged ||= record.kind === "damage";
      await terminal.out(jsonLine(record));
      left -= 1;
      if (left <= 0) break;
    }
    return isDamaged ? FOUND : 0;
  });
}

function timeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(ms)) {
    throw new ServerError(
      "USAGE",
      `${flag} ${text}: expected ms since 1970, or a time such as 2026-01-31T12:00:00Z`,
    );
  }
  return ms;
}

export async function skip(flags: SkipFlags, terminal: Terminal): Promise<number> {
  const entry = await run(flags, terminal, (host, options, logger) =>
    skipRecord(host, options, flags.offset, logger),
  );
  if (flags.json === true) await terminal.out(jsonLine(entry));
  else {
    const { offset, end, topic, queueId, queueOffset, reason } = entry;
    const whose = topic === undefined ? "of no known queue" : `${topic}/${queueId} at ${queueOffset}`;
    await terminal.out(`skipped: ${whose}, log ${offset} to ${end}: ${reason}\n`);
  }
  return 0;
}

export async function rebuild(
  what: "queues" | "index",
  flags: StoreFlags,
  terminal: Terminal,
): Promise<number> {
  const bar = progressBar("reading the log", terminal);
  const again = what === "queues" ? rebuildQueues : rebuildIndex;
  const rebuilt = await run(flags, terminal, (host, options, logger) =>
    again(host, options, logger, bar.update),
  ).finally(() => bar.stop());
  if (flags.json === true) await terminal.out(jsonLine(rebuilt));
  else await terminal.out(`built again: ${rebuilt.messages} messages in ${rebuilt.queues} queues\n`);
  return 0;
}

export async function backup(flags: BackupFlags, terminal: Terminal): Promise<number> {
  const bar = progressBar("copying", terminal);
  const to = absolutePath(flags.to);
  const report = await run(flags, terminal, (host, options) =>
    backupStore(host, options, to, bar.update),
  ).finally(() => bar.stop());
  if (flags.json === true) await terminal.out(jsonLine(report));
  else {
    const { end, copiedBytes, keptBytes, stateFiles, damages } = report;
    for (const { file, physicalOffset, reason } of damages)
      await terminal.out(`record: ${file}, offset ${physicalOffset}: ${reason}\n`);
    await terminal.out(
      `${to}: the log up to ${end} (${megabytes(copiedBytes)} copied, ${megabytes(keptBytes)} were there), ` +
        `${stateFiles.length} files of state, ${damages.length} damaged records\n`,
    );
  }
  return report.damages.length === 0 ? 0 : FOUND;
}
