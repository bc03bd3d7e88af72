/**
 * A service that keeps products in memory and forgets one when it is told that it changed. Every instance must hear
 * of every change: the consumer is BROADCASTING, so that each gets all messages.
 */
import { type ClientOptions, json, type Producer, PushConsumer, topic } from "@orbitmq/client";

export interface Product {
  readonly id: string;
  readonly cents: number;
}

const changes = topic("product-changes", json<{ readonly id: string }>());

/** To be called after the change is in the database. */
export async function announceChange(producer: Producer, id: string): Promise<void> {
  await producer.send({ topic: changes, value: { id }, keys: id });
}

export interface CatalogueOptions extends ClientOptions {
  /** Names the instance; its offsets are kept under this name, so it must stay the same over a restart. */
  readonly clientId: string;
  /** Where the offsets are kept; default `~/.rocketmq_offsets`. */
  readonly localOffsetsFolder?: string;
  readonly load: (id: string) => Promise<Product>;
}

export class Catalogue {
  readonly #load: (id: string) => Promise<Product>;
  readonly #cache = new Map<string, Promise<Product>>();
  readonly #consumer: PushConsumer;

  constructor({ load, ...options }: CatalogueOptions) {
    this.#load = load;
    // "last": what changed before this instance began is not in its cache anyway.
    this.#consumer = new PushConsumer({
      ...options,
      group: "catalogue",
      messageModel: "BROADCASTING",
      from: "last",
    });
    this.#consumer.listen(changes, ({ value }) => void this.#cache.delete(value.id));
  }

  start(): Promise<void> {
    return this.#consumer.start();
  }

  product(id: string): Promise<Product> {
    let product = this.#cache.get(id);
    if (product === undefined) {
      product = this.#load(id);
      this.#cache.set(id, product);
      // A failed load is no product to remember.
      product.catch(() => this.#cache.delete(id));
    }
    return product;
  }

  async shutdown(): Promise<void> {
    await this.#consumer.shutdown();
  }
}
