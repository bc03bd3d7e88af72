/**
 * What strace has seen of a server: writes to the log, syncs of it, and acknowledgements on sockets, with their times.
 * One file per thread (`strace -ff`), so that no call is told in two halves.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Seconds; strace takes them at a call's entry and, for the end, at its return. */
interface Timed {
  readonly begin: number;
  readonly end: number;
}

export interface LogWrite extends Timed {
  readonly file: string;
  readonly position: number;
  readonly bytes: number;
  /** As much of it as strace was asked for. */
  readonly head: Buffer;
}

export interface LogSync extends Timed {
  readonly file: string;
}

/** A SEND_OK, by the physical offset in its message id. */
export interface Acknowledgement extends Timed {
  readonly physicalOffset: number;
}

export interface SystemCalls {
  readonly writes: readonly LogWrite[];
  readonly syncs: readonly LogSync[];
  readonly acknowledgements: readonly Acknowledgement[];
}

const CALLS = "pwrite64,write,writev,fdatasync";
const SHOWN_BYTES = 16_384;
const LINE = /^(\d+\.\d+) (\w+)\((\d+)<([^>]*)>(.*)\) += (\d+) <([\d.]+)>$/;
const MESSAGE_ID = /msgId(?:\0\0\0 |":")[0-9A-F]{16}([0-9A-F]{16})/g;

/** A wrapper for `startServerProcess`; the files are `prefix.TID`. */
export function tracing(prefix: string): readonly string[] {
  return ["strace", "-D", "-ff", "-qq", "-y", "-ttt", "-T", "-xx", "-s", String(SHOWN_BYTES)].concat([
    "-e",
    `trace=${CALLS}`,
    "-o",
    prefix,
  ]);
}

/** Reads what was traced; the server must have ended. */
export function readSystemCalls(prefix: string): SystemCalls {
  const calls = {
    writes: [] as LogWrite[],
    syncs: [] as LogSync[],
    acknowledgements: [] as Acknowledgement[],
  };
  const folder = dirname(prefix);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(prefix)}.`)) continue;
    for (const line of readFileSync(join(folder, name), "latin1").split("\n")) take(line, calls);
  }
  return calls;
}

function take(
  line: string,
  { writes, syncs, acknowledgements }: { [K in keyof SystemCalls]: SystemCalls[K][number][] },
): void {
  const match = LINE.exec(line);
  if (match === null) return;
  const [, at = "", call, , name = "", rest = "", result = "", took = ""] = match;
  const file = fromHex(name).toString("latin1");
  const begin = Number(at);
  const time = { begin, end: begin + Number(took) };
  if (file.includes("/commitlog/")) {
    if (call === "fdatasync") syncs.push({ ...time, file });
    else if (call === "pwrite64") {
      const position = Number(/, (\d+)$/.exec(rest)?.[1]);
      writes.push({ ...time, file, position, bytes: Number(result), head: shownBytes(rest) });
    }
  } else if (call === "write" || call === "writev") {
    const text = shownBytes(rest).toString("latin1");
    for (const [, offset = ""] of text.matchAll(MESSAGE_ID)) {
      acknowledgements.push({ ...time, physicalOffset: Number.parseInt(offset, 16) });
    }
  }
}

/** The strings of a call's arguments, one after the other. */
function shownBytes(argumentsText: string): Buffer {
  const strings = [...argumentsText.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text = ""]) => text);
  return fromHex(strings.join(""));
}

/** Names and strings alike: `\x6d\x73…`. */
function fromHex(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}
