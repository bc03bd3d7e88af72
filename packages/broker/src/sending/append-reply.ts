/**
 * Answers a request whose effect is an appended message, once the message is as durable as an acknowledged send
 * and its topic's name is on disk, too. For what is rarer than a send; sends have pending-send.
 *
 *   0   the message is safe
 *   10  it is stored, and was not synced in time
 *   14  a write error stopped the store, or the new topic could not be kept: the message may exist
 */
import type { AppendOutcome, AppendWaiter } from "@orbitmq/store";
import { type Exchange, type ExtSink, ResponseCode } from "@orbitmq/wire";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export class AppendReply implements AppendWaiter {
  readonly #exchange: Exchange;
  readonly #topics: Pick<TopicRegistry, "isPersisted" | "whenPersisted">;
  readonly #topic: string;
  readonly #header: ((sink: ExtSink) => void) | undefined;

  /** `header` writes the fields of an answer with code 0. */
  constructor(
    exchange: Exchange,
    topics: Pick<TopicRegistry, "isPersisted" | "whenPersisted">,
    topic: string,
    header?: (sink: ExtSink) => void,
  ) {
    this.#header = header;
    this.#exchange = exchange;
    this.#topics = topics;
    this.#topic = topic;
  }

  appendSettled(outcome: AppendOutcome): void {
    if (outcome === "failed") {
      this.#unknown("a write error stopped the store");
    } else if (outcome === "timeout") {
      this.#exchange.reply({
        code: ResponseCode.FLUSH_DISK_TIMEOUT,
        remark: "the message is stored, but was not synced to disk in time",
      });
    } else if (this.#topics.isPersisted(this.#topic)) {
      this.#succeed();
    } else {
      this.#topics.whenPersisted(this.#topic, (error) => {
        if (error === undefined) this.#succeed();
        else this.#unknown(`the new topic ${this.#topic} could not be kept (${error.code})`);
      });
    }
  }

  #succeed(): void {
    this.#exchange.reply({ code: ResponseCode.SUCCESS, header: this.#header });
  }

  #unknown(why: string): void {
    this.#exchange.reply({
      code: ResponseCode.SERVICE_NOT_AVAILABLE,
      remark: `service not available now: ${why}; the message may exist`,
      header: (sink) => sink.put("outcome", "unknown"),
    });
  }
}
