/** Skeleton of the producer; the behaviour behind these signatures follows. */
import type { Host } from "@orbitmq/host";
import type { ClientState, ShutdownOptions, ShutdownResult } from "../client-options.ts";
import type { AnyMessage, MessageQueue } from "../message.ts";
import type { ProducerOptions, SendOptions } from "./producer-options.ts";
import type { SendCallback, SendResult } from "./send-result.ts";

export interface ProducerStatus {
  readonly state: ClientState;
  /** Started, and the NameServer asked last has answered: fit for a readiness probe. */
  readonly ready: boolean;
  readonly sendsInFlight: number;
}

export class Producer {
  constructor(_host: Host, _options: ProducerOptions = {}) {}

  start(): Promise<void> {
    throw new Error("not there yet");
  }

  /** One message, or a batch (one topic, one queue). Resolves only for SEND_OK; rejects with OrbitError. */
  send<T>(
    _message: AnyMessage<T> | readonly AnyMessage<T>[],
    _options: SendOptions = {},
  ): Promise<SendResult> {
    throw new Error("not there yet");
  }

  /** As `send` without a promise. Never throws: what is wrong with the message goes to `onException`, too. */
  sendAsync<T>(
    _message: AnyMessage<T> | readonly AnyMessage<T>[],
    _callback: SendCallback,
    _options: SendOptions = {},
  ): void {}

  /** Resolves when the message left; whether it arrived is never known. */
  sendOneway<T>(_message: AnyMessage<T>, _options: SendOptions = {}): Promise<void> {
    throw new Error("not there yet");
  }

  /** The queues a message of this topic can be sent to, in order. */
  publishQueues(_topic: string): Promise<MessageQueue[]> {
    throw new Error("not there yet");
  }

  status(): ProducerStatus {
    throw new Error("not there yet");
  }

  shutdown(_options: ShutdownOptions = {}): Promise<ShutdownResult> {
    throw new Error("not there yet");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
