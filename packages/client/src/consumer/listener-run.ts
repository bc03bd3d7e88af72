/** One call of a listener: its messages, and the signal that tells it to stop. */
import type { MessageQueue } from "@orbitmq/wire";
import type { OrbitError } from "../errors.ts";
import type { HeldMessage } from "./held-message.ts";
import type { ListenerContext } from "./listener.ts";

/** Whose messages these are, told how the call ended. */
export interface RunSource {
  readonly queue: MessageQueue;
  /** The messages to run next, all of one subscription; empty when there are none. */
  take(): readonly HeldMessage[];
  readonly hasWaiting: boolean;
  began(run: ListenerRun): void;
  ended(run: ListenerRun): void;
  succeeded(message: HeldMessage): void;
  failed(message: HeldMessage, error: OrbitError, run: ListenerRun): void;
  /** Its listener runs for longer than allowed; how it ends is told all the same. */
  timedOut(message: HeldMessage): void;
}

export class ListenerRun implements ListenerContext {
  readonly group: string;
  readonly source: RunSource;
  readonly messages: readonly HeldMessage[];
  readonly startedMs: number;
  timedOut = false;
  delayLevel = 0;
  #controller: AbortController | undefined;
  #reason: OrbitError | undefined;

  constructor(group: string, source: RunSource, messages: readonly HeldMessage[], startedMs: number) {
    this.group = group;
    this.source = source;
    this.messages = messages;
    this.startedMs = startedMs;
  }

  get queue(): MessageQueue {
    return this.source.queue;
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** It was told to stop because the consumer ends: that it failed says nothing about its messages. */
  get isShutDown(): boolean {
    return this.#reason?.code === "SHUT_DOWN";
  }

  /** Made when a listener first looks at it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** The first reason counts. */
  abort(reason: OrbitError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
