/** A terminal whose streams are texts and whose time is a list of pauses, for running commands in this process. */
import type { Terminal } from "../terminal.ts";

export interface FakeTerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What is on stdin. */
  readonly stdin?: string;
  /** A person sits there: stdin and stdout are terminals. */
  readonly person?: boolean;
  /** Runs instead of each pause; the number of pauses so far is given, this one included. */
  readonly onPause?: (count: number, stop: () => void) => void | Promise<void>;
}

export class FakeTerminal implements Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid = 1;
  readonly nodeVersion = process.version;
  readonly program = "orbitmq";
  readonly isInteractive: boolean;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly readerGone: AbortSignal = new AbortController().signal;
  stdout = "";
  stderr = "";
  /** How long each pause was to be. */
  readonly pauses: number[] = [];
  readonly #options: FakeTerminalOptions;
  readonly #stops: ((signal: NodeJS.Signals) => void)[] = [];

  constructor(options: FakeTerminalOptions = {}) {
    this.#options = options;
    this.env = options.env ?? {};
    this.isInteractive = options.person === true;
    this.stdinIsTerminal = options.person === true;
    this.stdoutIsTerminal = options.person === true;
  }

  async out(text: string): Promise<void> {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  async *readStdin(): AsyncIterable<Uint8Array> {
    if (this.#options.stdin !== undefined) yield Buffer.from(this.#options.stdin);
  }

  async pause(ms: number, _signal: AbortSignal): Promise<void> {
    this.pauses.push(ms);
    const { onPause } = this.#options;
    if (onPause === undefined) this.interrupt();
    else await onPause(this.pauses.length, () => this.interrupt());
  }

  onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
    this.#stops.push(stop);
  }

  interrupt(): void {
    for (const stop of this.#stops) stop("SIGINT");
  }
}
