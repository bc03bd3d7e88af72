/**
 * How many messages a push consumer has consumed, failed and sent back; the log and the application's callbacks are
 * told of each that did not go well.
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromUnknown } from "../errors/error-from.ts";
import type { OrbitError } from "../errors/errors.ts";
import type { ConsumerSettings } from "./consumer-settings.ts";
import { rawMessage } from "./listening/decode-message.ts";
import type { ListeningContext } from "./listening/listening-context.ts";

export class ConsumeTally implements Pick<ListeningContext, "consumed" | "failed" | "sentBack"> {
  readonly #instance: ClientInstance;
  readonly #settings: ConsumerSettings;
  #consumed = 0;
  #failed = 0;
  #sentBack = 0;

  constructor(instance: ClientInstance, settings: ConsumerSettings) {
    this.#instance = instance;
    this.#settings = settings;
  }

  get counts(): { readonly consumed: number; readonly failed: number; readonly sentBack: number } {
    return { consumed: this.#consumed, failed: this.#failed, sentBack: this.#sentBack };
  }

  consumed(): void {
    this.#consumed += 1;
  }

  failed(record: MessageRecord, queue: MessageQueue, attempts: number, error: OrbitError): void {
    this.#failed += 1;
    const { topic, brokerName, queueId } = queue;
    const { logger, namespace } = this.#instance;
    logger.warn(
      { code: error.code, topic, brokerName, queueId, offset: record.queueOffset, attempts },
      `consuming failed: ${error.message}`,
    );
    const { onConsumeFailure } = this.#settings;
    if (onConsumeFailure === undefined) return;
    this.#tell("onConsumeFailure", () =>
      onConsumeFailure(error, rawMessage(record, queue, attempts, namespace)),
    );
  }

  sentBack(record: MessageRecord, queue: MessageQueue, attempts: number): void {
    this.#sentBack += 1;
    const { onSentBack } = this.#settings;
    if (onSentBack === undefined) return;
    const { namespace } = this.#instance;
    this.#tell("onSentBack", () => onSentBack(rawMessage(record, queue, attempts, namespace)));
  }

  /** A callback of the application's must not end the consumption. */
  #tell(name: string, call: () => void): void {
    try {
      call();
    } catch (thrown) {
      const reason = fromUnknown(thrown).message;
      this.#instance.logger.error({ code: "INTERNAL", err: thrown }, `${name} threw: ${reason}`);
    }
  }
}
