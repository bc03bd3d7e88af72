/**
 * Spans and metrics of a producer. A send is one span from the call to its end, whatever number of attempts it takes;
 * its context travels with the message, unless the application gave it one: that one is linked then.
 */
import type { Host } from "@orbitmq/host";
import { fromUnknown } from "../errors/error-from.ts";
import type { AnyMessage } from "../message/message.ts";
import type { SendCallback, SendResult } from "../producer/send-result.ts";
import {
  DURATION_ADVICE,
  operationAttributes,
  queueAttributes,
  sentAttributes,
  topicOf,
} from "./attributes.ts";
import type { Telemetry } from "./load-telemetry.ts";
import { carried, hasContext, originOf } from "./message-context.ts";
import {
  SpanKind,
  STATUS_ERROR,
  type TelemetryAttributes,
  type TelemetryCounter,
  type TelemetryHistogram,
  type TelemetrySpan,
} from "./telemetry-api.ts";

export interface SenderIdentity {
  readonly group: string;
  readonly clientId: string;
  /** "" without one. */
  readonly namespace: string;
}

type Messages = AnyMessage<unknown> | readonly AnyMessage<unknown>[];

/** A send under way. */
export interface Sending {
  /** With the context in their properties. */
  readonly messages: Messages;
  succeeded(result: SendResult): void;
  failed(error: unknown): void;
  /** `callback`, told in the context of who sends, after the span has ended. */
  around(callback: SendCallback): SendCallback;
}

export class SendTelemetry {
  readonly #telemetry: Telemetry;
  readonly #host: Host;
  readonly #identity: TelemetryAttributes;
  readonly #duration: TelemetryHistogram;
  readonly #sent: TelemetryCounter;
  readonly #retries: TelemetryCounter;
  readonly #group: string;

  constructor(telemetry: Telemetry, host: Host, { group, clientId, namespace }: SenderIdentity) {
    this.#telemetry = telemetry;
    this.#host = host;
    this.#group = group;
    this.#identity = { "messaging.client.id": clientId, "orbitmq.producer.group": group };
    if (namespace !== "") this.#identity["messaging.rocketmq.namespace"] = namespace;
    const { meter } = telemetry;
    this.#duration = meter.createHistogram("messaging.client.operation.duration", {
      description: "How long a send took, retries included.",
      unit: "s",
      advice: DURATION_ADVICE,
    });
    this.#sent = meter.createCounter("messaging.client.sent.messages", {
      description: "Messages the producer tried to send.",
      unit: "{message}",
    });
    this.#retries = meter.createCounter("orbitmq.client.send.retries", {
      description: "Further attempts of sends.",
      unit: "{attempt}",
    });
  }

  /** `undefined`: the application's OpenTelemetry threw. */
  begin(messages: Messages, isHalf = false): Sending | undefined {
    try {
      return this.#begin(messages, isHalf);
    } catch (error) {
      this.#telemetry.failed(error);
      return undefined;
    }
  }

  /** A send has another attempt. */
  retried(topic: string): void {
    this.#retries.add(1, { ...operationAttributes("send", topic), "orbitmq.producer.group": this.#group });
  }

  #begin(messages: Messages, isHalf: boolean): Sending {
    const telemetry = this.#telemetry;
    const { api, tracer } = telemetry;
    const list = (Array.isArray(messages) ? messages : [messages]) as readonly AnyMessage<unknown>[];
    const topic = topicOf(list[0]!);
    const said = operationAttributes("send", topic);
    const attributes: TelemetryAttributes = Array.isArray(messages)
      ? { ...said, ...this.#identity, "messaging.batch.message_count": list.length }
      : { ...said, ...this.#identity, ...sentAttributes(list[0]!, isHalf) };
    const links = list
      .filter((message) => hasContext(telemetry, message))
      .map(({ properties = {} }) => originOf(telemetry, properties))
      .filter((context) => context !== undefined)
      .map((context) => ({ context }));
    const parent = api.context.active();
    const startedMs = this.#host.clock.monotonicMs();
    const span = tracer.startSpan(`send ${topic}`, { kind: SpanKind.PRODUCER, attributes, links }, parent);
    const carrier = carried(telemetry, api.trace.setSpan(parent, span));
    const withContext = (message: AnyMessage<unknown>): AnyMessage<unknown> =>
      hasContext(telemetry, message)
        ? message
        : { ...message, properties: { ...message.properties, ...carrier } };
    const end = (outcome: string, errorType: string | undefined): void => {
      const metric: TelemetryAttributes = { ...said, "orbitmq.producer.group": this.#group };
      if (errorType !== undefined) metric["error.type"] = errorType;
      this.#sent.add(list.length, metric);
      this.#duration.record((this.#host.clock.monotonicMs() - startedMs) / 1_000, {
        ...metric,
        "orbitmq.outcome": outcome,
      });
      span.end();
    };
    const succeeded = (result: SendResult): void =>
      this.#guarded(() => {
        if (result.msgId !== "") span.setAttributes(placeOf(result, Array.isArray(messages)));
        end("acknowledged", undefined);
      });
    const failed = (error: unknown): void =>
      this.#guarded(() => {
        const { code, outcome } = failOn(span, error);
        end(outcome, code);
      });
    return {
      messages: Array.isArray(messages) ? list.map(withContext) : withContext(list[0]!),
      succeeded,
      failed,
      around: (callback) => ({
        onSuccess: (result) => {
          succeeded(result);
          api.context.with(parent, () => callback.onSuccess(result));
        },
        onException: (error) => {
          failed(error);
          api.context.with(parent, () => callback.onException(error));
        },
      }),
    };
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#telemetry.failed(error);
    }
  }
}

function placeOf({ msgId, queue }: SendResult, isBatch: boolean): TelemetryAttributes {
  return { ...queueAttributes(queue), ...(isBatch ? {} : { "messaging.message.id": msgId }) };
}

function failOn(span: TelemetrySpan, thrown: unknown): { readonly code: string; readonly outcome: string } {
  const { code, message, outcome } = fromUnknown(thrown);
  span.setAttributes({ "error.type": code, "orbitmq.outcome": outcome });
  span.setStatus({ code: STATUS_ERROR, message });
  return { code, outcome };
}
