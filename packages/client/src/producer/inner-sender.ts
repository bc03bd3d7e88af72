/**
 * Sends what a consumer has to send by itself, retried as a `send` is (RocketMQ: the producer CLIENT_INNER_PRODUCER
 * of every MQClientInstance): messages that could not be sent back, and replies. It shares its client's
 * connections and routes and ends with them.
 */
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError } from "../errors/errors.ts";
import type { EncodedMessage } from "./encode-message.ts";
import { producerDefaults, type SendOptions } from "./producer-options.ts";
import { PublishInfos } from "./publish-infos.ts";
import { Send } from "./send.ts";
import type { SendContext } from "./send-context.ts";
import type { SendResult } from "./send-result.ts";

const INNER_GROUP = "CLIENT_INNER_PRODUCER";

export interface InnerSenderOptions {
  /** Default CLIENT_INNER_PRODUCER. */
  readonly group?: string;
  /** For a send in total. Default as a producer's. */
  readonly sendTimeoutMs?: number;
  /** Further attempts of a send. Default as a producer's. */
  readonly retryTimes?: number;
}

export class InnerSender {
  readonly #context: SendContext;
  readonly #inFlight = new Set<Send>();
  #closed = false;

  constructor(instance: ClientInstance, options: InnerSenderOptions = {}) {
    const { host, logger, rpc, routes } = instance;
    const { defaultTopicQueueNums } = producerDefaults;
    const { group = INNER_GROUP } = options;
    const { sendTimeoutMs = producerDefaults.sendTimeoutMs, retryTimes = producerDefaults.retryTimes } =
      options;
    this.#context = {
      host,
      logger,
      rpc,
      routes,
      publishInfos: new PublishInfos(routes, host.random, defaultTopicQueueNums),
      group,
      defaultTopicQueueNums,
      sendTimeoutMs,
      attemptTimeoutMs: undefined,
      retriesStoredBadly: false,
      namespace: instance.namespace,
      watch: undefined,
      faults: undefined,
      vipAddress: (address) => instance.vipAddress(address),
      attemptsMax: () => 1 + retryTimes,
      suspect: (address) => void instance.heartbeats.suspect(address),
      retried: () => {},
      settled: (send) => this.#inFlight.delete(send),
      reusable: () => {},
    };
  }

  /** `done` gets the failure, or the result; never called synchronously. */
  send(
    message: EncodedMessage,
    done: (error: OrbitError | undefined, result?: SendResult) => void,
    options: Pick<SendOptions, "queue" | "selector"> = {},
  ): void {
    if (this.#closed) {
      const error = new OrbitError("SHUT_DOWN", "the client was shut down");
      this.#context.host.timers.afterTurn(() => done(error));
      return;
    }
    const send = new Send(this.#context);
    this.#inFlight.add(send);
    // Selectors look at the queues: the message as the application knows it does not matter.
    const original = { topic: message.topic, body: message.body };
    const callback = { onSuccess: (result: SendResult) => done(undefined, result), onException: done };
    send.begin("sync", message, original, options, callback);
  }

  /** Sends in flight fail with SHUT_DOWN. */
  close(): void {
    this.#closed = true;
    for (const send of [...this.#inFlight]) send.giveUp("SHUT_DOWN", "the client was shut down");
  }
}
