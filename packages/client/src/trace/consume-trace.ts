/**
 * What a consumer tells of the messages its listeners get (RocketMQ: ConsumeMessageTraceHookImpl), as a hook beside the
 * application's own. Nothing is told of messages with TRACE_ON=false, without a region, and of the trace topic.
 */
import type { Host } from "@orbitmq/host";
import { KEY_SEPARATOR, MessageConst } from "@orbitmq/wire";
import type { ConsumeHook, ConsumeHookContext } from "../consumer/listening/consume-hooks.ts";
import type { MessageMetadata } from "../message/received-message.ts";
import type { SubAfterTrace, SubBeforeTrace } from "./trace-context.ts";
import type { TraceDispatcher } from "./trace-dispatcher.ts";

interface Begun {
  readonly topic: string;
  readonly told: readonly SubBeforeTrace[];
  readonly startedMs: number;
}

export class ConsumeTrace implements ConsumeHook {
  readonly name = "ConsumeMessageTraceHook";
  readonly #host: Host;
  readonly #dispatcher: TraceDispatcher;

  constructor(host: Host, dispatcher: TraceDispatcher) {
    this.#host = host;
    this.#dispatcher = dispatcher;
  }

  get dropped(): number {
    return this.#dispatcher.dropped;
  }

  before(context: ConsumeHookContext): void {
    context.state = this.#begin(context.group, context.messages);
  }

  after({ state, outcome = "SUCCESS", error, messages }: ConsumeHookContext): void {
    const begun = state as Begun | undefined;
    if (begun === undefined) return;
    const { clock } = this.#host;
    const timeMs = Math.floor(clock.wallMs());
    const elapsedMs = Math.max(clock.monotonicMs() - begun.startedMs, 0);
    const costMs = Math.floor(elapsedMs / messages.length);
    const success = error === undefined;
    const told = begun.told.map(
      ({ group, requestId, msgId, keys }): SubAfterTrace => ({
        type: "SubAfter",
        timeMs,
        group,
        requestId,
        msgId,
        keys,
        costMs,
        success,
        outcome,
      }),
    );
    this.#dispatcher.append(begun.topic, told);
  }

  /** Messages that are given to the application, with no listener that could end. */
  handedOut(group: string, messages: readonly MessageMetadata[]): void {
    const begun = this.#begin(group, messages);
    if (begun === undefined) return;
    const timeMs = Math.floor(this.#host.clock.wallMs());
    const told = begun.told.map(
      ({ requestId, msgId, keys }): SubAfterTrace => ({
        type: "SubAfter",
        timeMs,
        group,
        requestId,
        msgId,
        keys,
        costMs: 0,
        success: true,
        outcome: "SUCCESS",
      }),
    );
    this.#dispatcher.append(begun.topic, told);
  }

  /** Sends what waits within `timeoutMs`. */
  close(timeoutMs: number): Promise<void> {
    return this.#dispatcher.close(timeoutMs);
  }

  #begin(group: string, messages: readonly MessageMetadata[]): Begun | undefined {
    const wanted = messages.filter((message) => this.#wants(message));
    const regionId = wanted.at(-1)?.properties[MessageConst.MSG_REGION];
    if (regionId === undefined) return undefined;
    const timeMs = Math.floor(this.#host.clock.wallMs());
    const requestId = this.#dispatcher.ids.next();
    const told = wanted.map(
      ({ msgId, reconsumeTimes, keys }): SubBeforeTrace => ({
        type: "SubBefore",
        timeMs,
        regionId,
        group,
        requestId,
        msgId,
        retryTimes: reconsumeTimes,
        keys: keys.length === 0 ? undefined : keys.join(KEY_SEPARATOR),
      }),
    );
    const { topic } = wanted[0]!;
    this.#dispatcher.append(topic, told);
    return { topic, told, startedMs: this.#host.clock.monotonicMs() };
  }

  #wants({ topic, properties }: MessageMetadata): boolean {
    return topic !== this.#dispatcher.topic && properties[MessageConst.TRACE_SWITCH] !== "false";
  }
}
