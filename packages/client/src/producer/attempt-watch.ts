/**
 * Sees every attempt of a producer's sends begin and end, for those who asked: hooks, the trace, and the memory of brokers that are
 * slow (RocketMQ: the calls of hooks and of updateFaultItem around sendKernelImpl). A producer without either has none.
 *
 *   end of an attempt              what is remembered of the broker
 *   acknowledged, or 10, 11, 12    its latency; reachable
 *   another answer                 failed; not reachable when a `send` got it
 *   no answer                      failed; not reachable when a detector looks after it and it was a `send`
 */
import type { Logger } from "@orbitmq/host";
import { MessageConst } from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { AnyMessage, MessageQueue } from "../message/message.ts";
import type { Namespace } from "../names/namespace.ts";
import type { PublishTrace } from "../trace/publish-trace.ts";
import { type EncodedMessage, isDelayed } from "./encode-message.ts";
import type { FaultDetector } from "./faults/fault-detector.ts";
import type { FaultTable } from "./faults/fault-table.ts";
import { type AttemptFailure, isStoredBadly, type SendMode } from "./retry.ts";
import type { CheckForbiddenHook, SendHook, SendHookContext } from "./send-hooks.ts";
import type { SendResult } from "./send-result.ts";

export interface Attempt {
  readonly mode: SendMode;
  /** Of all attempts of its send, the first is 1. */
  readonly number: number;
  readonly message: AnyMessage<unknown>;
  readonly encoded: EncodedMessage;
  readonly queue: MessageQueue;
  readonly address: string;
  readonly startedMs: number;
  /** When hooks were told of its beginning: of a `sendAsync` that of the first attempt. */
  readonly toldMs: number;
  /** What each hook's `before` left for its `after`. */
  readonly hookStates: readonly unknown[];
}

export type AttemptPlace = Omit<Attempt, "hookStates" | "startedMs" | "toldMs">;

export interface WatchOptions {
  readonly group: string;
  readonly namespace: Namespace;
  readonly logger: Logger;
  readonly nowMs: () => number;
  readonly faults: FaultTable | undefined;
  readonly detector: FaultDetector | undefined;
  readonly sendHooks: readonly SendHook[];
  readonly checkForbiddenHooks: readonly CheckForbiddenHook[];
  /** `undefined`: nothing is traced. */
  readonly trace: PublishTrace | undefined;
}

/** How an attempt ended; neither failure nor error: a oneway that left. */
export interface AttemptEnd {
  readonly result?: SendResult | undefined;
  readonly failure?: AttemptFailure | undefined;
  readonly error?: OrbitError | undefined;
  /** No other attempt follows. */
  readonly isLast: boolean;
}

export class AttemptWatch {
  readonly #options: WatchOptions;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Throws FORBIDDEN. */
  check(place: AttemptPlace): void {
    for (const hook of this.#options.checkForbiddenHooks) {
      try {
        hook.check(this.#context(place, {}));
      } catch (cause) {
        const why = `${hook.name} forbids the send: ${fromUnknown(cause).message}`;
        throw new OrbitError("FORBIDDEN", why, { cause });
      }
    }
  }

  /** `earlier`: the attempt of the same send before this one. */
  begin(place: AttemptPlace, earlier: Attempt | undefined): Attempt {
    const goesOn = place.mode === "async" && earlier !== undefined;
    const hookStates = goesOn
      ? earlier.hookStates
      : this.#options.sendHooks.map((hook) => {
          const context = this.#context(place, {});
          this.#tell(hook.name, () => hook.before?.(context));
          return context.state;
        });
    const startedMs = this.#options.nowMs();
    return { ...place, hookStates, startedMs, toldMs: goesOn ? earlier.toldMs : startedMs };
  }

  end(attempt: Attempt, end: AttemptEnd): void {
    this.#remember(attempt, end.failure);
    if (attempt.mode === "async" && !end.isLast) return;
    this.#options.trace?.attemptEnded(attempt, end);
    this.#options.sendHooks.forEach((hook, i) => {
      this.#tell(hook.name, () => hook.after?.(this.#context(attempt, end, attempt.hookStates[i])));
    });
  }

  #remember({ mode, queue, startedMs }: Attempt, failure: AttemptFailure | undefined): void {
    const { faults, detector, nowMs } = this.#options;
    if (faults === undefined || failure?.kind === "no-address") return;
    const failed = failure !== undefined && !(failure.kind === "response" && isStoredBadly(failure.code));
    const known = mode === "async" || (failure?.kind === "rpc" && detector === undefined);
    faults.update(queue.brokerName, nowMs() - startedMs, failed, !failed || known);
    if (failed) detector?.wake();
  }

  #context(
    { mode, message, queue, address }: Omit<AttemptPlace, "encoded">,
    { result, error }: Partial<AttemptEnd>,
    state?: unknown,
  ): SendHookContext {
    const { group, namespace } = this.#options;
    const isLater = isDelayed(message) || message.properties?.[MessageConst.DELAY_TIME_LEVEL] !== undefined;
    return {
      group: namespace.unwrap(group),
      namespace: namespace.name,
      mode,
      message,
      queue: namespace.unwrapQueue(queue),
      brokerAddress: address,
      messageType: isLater ? "Delay_Msg" : "Normal_Msg",
      result,
      error,
      state,
    };
  }

  #tell(name: string, call: () => void): void {
    try {
      call();
    } catch (thrown) {
      const reason = fromUnknown(thrown).message;
      this.#options.logger.error({ code: "INTERNAL", err: thrown }, `the hook ${name} threw: ${reason}`);
    }
  }
}
