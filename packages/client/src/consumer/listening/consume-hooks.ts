/**
 * What an application may hang into a consumer (RocketMQ: ConsumeMessageHook, FilterMessageHook): told of every call of a
 * listener, or asked whether a message that came is wanted. With none, consuming costs nothing more.
 */
import type { OrbitError } from "../../errors/errors.ts";
import type { MessageQueue } from "../../message/message.ts";
import type { MessageMetadata, ReceivedMessage } from "../../message/received-message.ts";

/** RocketMQ: ConsumeReturnType. TIME_OUT: whatever came of it, it took longer than `consumeTimeoutMs`. */
export type ConsumeOutcome = "SUCCESS" | "FAILED" | "EXCEPTION" | "TIME_OUT";

/** RocketMQ: ConsumeMessageContext. */
export interface ConsumeHookContext {
  readonly group: string;
  /** "" without one. */
  readonly namespace: string;
  readonly queue: MessageQueue;
  readonly messages: readonly ReceivedMessage<unknown>[];
  /** When the listener has ended. */
  outcome: ConsumeOutcome | undefined;
  /** Why it did not succeed. */
  error: OrbitError | undefined;
  /** From `before` to `after` of the same hook's. */
  state: unknown;
}

/** What a hook throws is logged and changes nothing. */
export interface ConsumeHook {
  readonly name: string;
  before?(context: ConsumeHookContext): void;
  after?(context: ConsumeHookContext): void;
}

export interface FilterHook {
  readonly name: string;
  /** False: the message is passed over, as if the subscription did not want it. A throw counts as true. */
  accepts(message: MessageMetadata): boolean;
}

/** One call of a listener, as hooks see it. */
export class HookedRun {
  readonly #hooks: readonly ConsumeHook[];
  readonly #contexts: readonly ConsumeHookContext[];
  readonly #threw: (hook: string, error: unknown) => void;

  constructor(
    hooks: readonly ConsumeHook[],
    base: Pick<ConsumeHookContext, "group" | "namespace" | "queue" | "messages">,
    threw: (hook: string, error: unknown) => void,
  ) {
    this.#hooks = hooks;
    this.#threw = threw;
    this.#contexts = hooks.map(() => ({ ...base, outcome: undefined, error: undefined, state: undefined }));
  }

  before(): void {
    this.#each((hook, context) => hook.before?.(context));
  }

  after(outcome: ConsumeOutcome, error: OrbitError | undefined): void {
    this.#each((hook, context) => {
      context.outcome = outcome;
      context.error = error;
      hook.after?.(context);
    });
  }

  #each(call: (hook: ConsumeHook, context: ConsumeHookContext) => void): void {
    this.#hooks.forEach((hook, i) => {
      try {
        call(hook, this.#contexts[i]!);
      } catch (error) {
        this.#threw(hook.name, error);
      }
    });
  }
}
