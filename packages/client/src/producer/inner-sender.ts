/**
 * Sends what a consumer has to send by itself, retried as a `send` is (RocketMQ: the producer CLIENT_INNER_PRODUCER
 * of every MQClientInstance): messages that could not be sent back, and replies. It shares its client's
 * connections and routes and ends with them.
 */
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError } from "../errors/errors.ts";
import type { EncodedMessage } from "./encode-message.ts";
import { producerDefaults } from "./producer-options.ts";
import { PublishInfos } from "./publish-infos.ts";
import { Send } from "./send.ts";
import type { SendContext } from "./send-context.ts";

const INNER_GROUP = "CLIENT_INNER_PRODUCER";

export class InnerSender {
  readonly #context: SendContext;
  readonly #inFlight = new Set<Send>();
  #closed = false;

  /** `group` and `sendTimeoutMs`: of another sender than that of every client. */
  constructor(
    instance: ClientInstance,
    {
      group = INNER_GROUP,
      sendTimeoutMs = producerDefaults.sendTimeoutMs,
    }: { readonly group?: string; readonly sendTimeoutMs?: number } = {},
  ) {
    const { host, logger, rpc, routes } = instance;
    const { defaultTopicQueueNums, retryTimes } = producerDefaults;
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
      settled: (send) => this.#inFlight.delete(send),
      reusable: () => {},
    };
  }

  /** `done` gets the failure, if any; never called synchronously. */
  send(message: EncodedMessage, done: (error: OrbitError | undefined) => void): void {
    if (this.#closed) {
      const error = new OrbitError("SHUT_DOWN", "the client was shut down");
      this.#context.host.timers.afterTurn(() => done(error));
      return;
    }
    const send = new Send(this.#context);
    this.#inFlight.add(send);
    // No selector sees it: the message as the application knows it does not matter.
    const original = { topic: message.topic, body: message.body };
    send.begin("sync", message, original, {}, { onSuccess: () => done(undefined), onException: done });
  }

  /** Sends in flight fail with SHUT_DOWN. */
  close(): void {
    this.#closed = true;
    for (const send of [...this.#inFlight]) send.giveUp("SHUT_DOWN", "the client was shut down");
  }
}
