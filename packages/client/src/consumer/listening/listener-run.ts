/** One call of a listener: its messages, and the signal that tells it to stop. */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import type { OrbitError } from "../../errors/errors.ts";
import type { Namespace } from "../../names/namespace.ts";
import type { ProcessScope } from "../../telemetry/consume-telemetry.ts";
import type { ListenerContext, OrderlyListenerContext } from "../listener.ts";
import type { Subscription } from "../subscription.ts";
import type { HookedRun } from "./consume-hooks.ts";

/** A message as a run has it. */
export interface RunMessage {
  readonly queueOffset: number;
  readonly payload: {
    readonly record: MessageRecord;
    /** Whose listener runs for it; `undefined` when the message is of a topic nobody listens to any more. */
    readonly subscription: Subscription | undefined;
    /** How often it failed beyond what the record says. */
    readonly attempts: number;
    /** Where it lies, if not in its source's queue. */
    readonly queue?: MessageQueue;
  };
}

/** Whose messages these are, told how the call ended. */
export interface RunSource {
  readonly queue: MessageQueue;
  /** One past the newest message of the queue, as of the last pull. */
  readonly maxOffset: number;
  /** The messages to run next, all of one subscription; empty when there are none. */
  take(): readonly RunMessage[];
  readonly hasWaiting: boolean;
  began(run: ListenerRun): void;
  /** What the listener's result means; `undefined` is success. */
  failureOf(result: unknown, run: ListenerRun): OrbitError | undefined;
  /** `run.endedMs` says when. */
  ended(run: ListenerRun): void;
  succeeded(message: RunMessage, run: ListenerRun): void;
  failed(message: RunMessage, error: OrbitError, run: ListenerRun): void;
  /** Its listener runs for longer than allowed; how it ends is told all the same. */
  timedOut(message: RunMessage): void;
}

/** Java's largest integer, and no floating point number, of which every run would need one of its own. */
export const ACK_INDEX_ALL = 0x7fffffff;

export class ListenerRun implements ListenerContext, OrderlyListenerContext {
  readonly group: string;
  readonly source: RunSource;
  readonly messages: readonly RunMessage[];
  /** Monotonic. */
  readonly startedMs: number;
  /** Monotonic; as long as it runs, when it started. */
  endedMs: number;
  timedOut = false;
  delayLevel = 0;
  ackIndex = ACK_INDEX_ALL;
  autoCommit = true;
  suspendCurrentQueueTimeMs = 0;
  /** What a listener in order asked for. */
  asked: "COMMIT" | "ROLLBACK" | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #reason: OrbitError | undefined = undefined;
  /** Its neighbours in a RunningList. */
  before: ListenerRun | undefined = undefined;
  next: ListenerRun | undefined = undefined;

  /** Whom it is told to besides; `undefined`: nobody. */
  hooked: HookedRun | undefined = undefined;
  /** In which the listener runs; `undefined`: there is no telemetry. */
  scope: ProcessScope | undefined = undefined;
  readonly #namespace: Namespace;

  /** `group` as the application knows it. */
  constructor(
    group: string,
    namespace: Namespace,
    source: RunSource,
    messages: readonly RunMessage[],
    startedMs: number,
  ) {
    this.group = group;
    this.#namespace = namespace;
    this.source = source;
    this.messages = messages;
    this.startedMs = startedMs;
    this.endedMs = startedMs;
  }

  get queue(): MessageQueue {
    return this.#namespace.unwrapQueue(this.messages[0]?.payload.queue ?? this.source.queue);
  }

  get maxOffset(): number {
    return this.source.maxOffset;
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
