/**
 * Spans and metrics of a consumer. A listener's call is a `process` span in whose context it runs: of one message the
 * child of the span that sent it, of several a span of its own with links to theirs. What an application asks for
 * itself is a `receive` or `poll` span with links.
 */
import type { Host } from "@orbitmq/host";
import type { ConsumeOutcome } from "../consumer/listening/consume-hooks.ts";
import type { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { DURATION_ADVICE, operationAttributes, queueAttributes, receivedAttributes } from "./attributes.ts";
import type { Telemetry } from "./load-telemetry.ts";
import { contextIn, originOf } from "./message-context.ts";
import {
  SpanKind,
  STATUS_ERROR,
  type TelemetryAttributes,
  type TelemetryCounter,
  type TelemetryHistogram,
} from "./telemetry-api.ts";

export interface ReceiverIdentity {
  readonly group: string;
  readonly clientId: string;
  /** "" without one. */
  readonly namespace: string;
  readonly messageModel: "CLUSTERING" | "BROADCASTING";
}

/** One call of a listener. */
export interface ProcessScope {
  /** `call`, in the span's context; what it throws goes through. */
  run<T>(call: () => T): T;
  ended(outcome: ConsumeOutcome, error: OrbitError | undefined): void;
}

export class ConsumeTelemetry {
  readonly #telemetry: Telemetry;
  readonly #host: Host;
  readonly #group: TelemetryAttributes;
  readonly #identity: TelemetryAttributes;
  readonly #processDuration: TelemetryHistogram;
  readonly #operationDuration: TelemetryHistogram;
  readonly #consumed: TelemetryCounter;

  constructor(telemetry: Telemetry, host: Host, identity: ReceiverIdentity) {
    this.#telemetry = telemetry;
    this.#host = host;
    this.#group = { "messaging.consumer.group.name": identity.group };
    this.#identity = {
      ...this.#group,
      "messaging.client.id": identity.clientId,
      "messaging.rocketmq.consumption_model": identity.messageModel.toLowerCase(),
    };
    if (identity.namespace !== "") this.#identity["messaging.rocketmq.namespace"] = identity.namespace;
    const { meter } = telemetry;
    this.#processDuration = meter.createHistogram("messaging.process.duration", {
      description: "How long a listener ran.",
      unit: "s",
      advice: DURATION_ADVICE,
    });
    this.#operationDuration = meter.createHistogram("messaging.client.operation.duration", {
      description: "How long the application waited for messages it asked for.",
      unit: "s",
      advice: DURATION_ADVICE,
    });
    this.#consumed = meter.createCounter("messaging.client.consumed.messages", {
      description: "Messages given to the application.",
      unit: "{message}",
    });
  }

  /** `undefined`: the application's OpenTelemetry threw. `messages` is not empty. */
  begin(queue: MessageQueue, messages: readonly ReceivedMessage<unknown>[]): ProcessScope | undefined {
    try {
      return this.#begin(queue, messages);
    } catch (error) {
      this.#telemetry.failed(error);
      return undefined;
    }
  }

  /** Messages were given to the application, which began to wait at `startedMs` by the monotonic clock. */
  handedOut(
    operation: "receive" | "poll",
    messages: readonly ReceivedMessage<unknown>[],
    startedMs: number,
  ): void {
    const first = messages[0];
    if (first === undefined) return;
    try {
      const { clock } = this.#host;
      const elapsedMs = clock.monotonicMs() - startedMs;
      const said = operationAttributes(operation, first.topic);
      const attributes = { ...said, ...this.#identity, "messaging.batch.message_count": messages.length };
      const startTime = clock.wallMs() - elapsedMs;
      const options = { kind: SpanKind.CLIENT, attributes, links: this.#links(messages), startTime };
      const { api, tracer } = this.#telemetry;
      tracer.startSpan(`${operation} ${first.topic}`, options, api.context.active()).end();
      this.#consumed.add(messages.length, { ...said, ...this.#group });
      this.#operationDuration.record(elapsedMs / 1_000, { ...said, ...this.#group });
    } catch (error) {
      this.#telemetry.failed(error);
    }
  }

  #begin(queue: MessageQueue, messages: readonly ReceivedMessage<unknown>[]): ProcessScope {
    const telemetry = this.#telemetry;
    const { api, tracer } = telemetry;
    const first = messages[0]!;
    const isOne = messages.length === 1;
    const said = operationAttributes("process", first.topic);
    const attributes: TelemetryAttributes = {
      ...said,
      ...this.#identity,
      ...queueAttributes(queue),
      ...(isOne
        ? receivedAttributes(first, first.body.length)
        : { "messaging.batch.message_count": messages.length }),
    };
    const parent = isOne ? contextIn(telemetry, first.properties) : api.context.active();
    const links = isOne ? [] : this.#links(messages);
    const { clock } = this.#host;
    const startedMs = clock.monotonicMs();
    const options = { kind: SpanKind.CONSUMER, attributes, links };
    const span = tracer.startSpan(`process ${first.topic}`, options, parent);
    const context = api.trace.setSpan(parent, span);
    this.#consumed.add(messages.length, { ...said, ...this.#group });
    return {
      run: (call) => api.context.with(context, call),
      ended: (outcome, error) => {
        try {
          const metric: TelemetryAttributes = { ...said, ...this.#group };
          if (outcome !== "SUCCESS") {
            metric["error.type"] = error?.code ?? outcome;
            span.setAttributes({ "error.type": error?.code ?? outcome, "orbitmq.outcome": outcome });
            span.setStatus({ code: STATUS_ERROR, message: error?.message ?? outcome });
          }
          this.#processDuration.record((clock.monotonicMs() - startedMs) / 1_000, metric);
          span.end();
        } catch (thrown) {
          telemetry.failed(thrown);
        }
      },
    };
  }

  #links(messages: readonly ReceivedMessage<unknown>[]) {
    return messages
      .map(({ properties }) => originOf(this.#telemetry, properties))
      .filter((context) => context !== undefined)
      .map((context) => ({ context }));
  }
}
