/**
 * One small file of state (topics, offsets, …), replaced atomically and kept with the version before it
 * (RocketMQ: ConfigManager with `.bak`). (Signatures first; behaviour follows.)
 */
import { assert, type Host, type HostError, type Logger } from "@orbitmq/host";

export interface LoadedState<T> {
  readonly value: T;
  /** `backup` when the file itself was missing or unreadable. */
  readonly from: "file" | "backup";
}

export class StateFile {
  readonly path: string;

  constructor(_host: Host, path: string, _logger: Logger) {
    this.path = path;
  }

  /** Parses the file, else its `.bak`; `undefined` when neither is there or parses (which is logged). Blocking, for start. */
  load<T>(_parse: (text: string) => T): LoadedState<T> | undefined {
    return assertBuilt();
  }

  /** Replaces the content, off the event loop's way; saves that overlap are merged into the newest. A failure is logged, passed to `done`, and tried again after 5 s. */
  save(_text: string, _done?: (error: HostError | undefined) => void): void {
    assertBuilt();
  }

  /** As `save`, blocking, for stop. Throws HostError. */
  saveSync(_text: string): void {
    assertBuilt();
  }
}

function assertBuilt(): never {
  assert(false, "state files are being built");
}
