/**
 * The options of a measurement's command line: `--help` says what there is, and what there is not is one line and
 * status 2.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;

type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: boolean }>
>;

/** What ends the measurement before it begins. */
export interface Ending {
  readonly status: 0 | 2;
  readonly text: string;
}

export interface Command<O extends Options> {
  readonly name: string;
  /** What it does, and its options, for `--help`. */
  readonly usage: string;
  readonly options: O;
  readonly allowPositionals?: boolean;
}

export function readOptions<const O extends Options>(
  { name, usage, options, allowPositionals = false }: Command<O>,
  args: string[],
): Parsed<O> | Ending {
  if (args.includes("--help")) return { status: 0, text: `npm run bench -- ${name} ${usage}` };
  try {
    return parseArgs({ args, options, allowPositionals });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith("ERR_PARSE_ARGS_") !== true) throw error;
    const [reason] = message.split(/\. |\n/);
    return { status: 2, text: `bench ${name}: ${reason}; --help lists its options` };
  }
}

/** As {@link readOptions}, of this process, which ends where nothing is to be measured. */
export function benchOptions<const O extends Options>(command: Command<O>): Parsed<O> {
  const read = readOptions(command, process.argv.slice(2));
  if (!("status" in read)) return read;
  if (read.status === 0) console.log(read.text);
  else console.error(read.text);
  process.exit(read.status);
}
