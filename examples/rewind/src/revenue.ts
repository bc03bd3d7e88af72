/** Adds up revenue by hour. What was added with a wrong rule can be taken back and added again from a time on. */
import { type ClientOptions, json, PushConsumer, type ReceivedMessage, topic } from "@orbitmq/client";

export interface Sale {
  readonly id: string;
  readonly cents: number;
}

export const sales = topic("sales", json<Sale>());
export const GROUP = "revenue";
const HOUR_MS = 3_600_000;

export class Revenue {
  /** By sale, so that one that comes twice counts once. Stands for a database. */
  readonly #counted = new Map<string, { readonly hourMs: number; readonly cents: number }>();
  readonly #consumer: PushConsumer;
  /** The rule; a bug in it is what this example is about. */
  rule: (sale: Sale) => number;

  constructor(options: ClientOptions, rule: (sale: Sale) => number) {
    this.rule = rule;
    this.#consumer = new PushConsumer({ ...options, group: GROUP, from: "first" });
    this.#consumer.listen(sales, (message) => this.#count(message));
  }

  #count({ value, storeTimestamp }: ReceivedMessage<Sale>): void {
    const hourMs = storeTimestamp - (storeTimestamp % HOUR_MS);
    this.#counted.set(value.id, { hourMs, cents: this.rule(value) });
  }

  /** Cents of the hour that begins there. */
  ofHour(hourMs: number): number {
    return [...this.#counted.values()]
      .filter((entry) => entry.hourMs === hourMs)
      .reduce((sum, { cents }) => sum + cents, 0);
  }

  start(): Promise<void> {
    return this.#consumer.start();
  }

  async shutdown(): Promise<void> {
    await this.#consumer.shutdown();
  }
}
