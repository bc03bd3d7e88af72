/** Orders, and the rule that one which is not paid 30 minutes after it was made is closed. */
import { type ClientOptions, json, Producer, PushConsumer, topic } from "@orbitmq/client";

export type OrderStatus = "OPEN" | "PAID" | "CLOSED";

const closing = topic("order-closing", json<{ readonly orderId: string }>());
/** Of the broker's 18 delay levels the one of 30 minutes. */
const LEVEL_30_MIN = 16;

export class Orders {
  /** Stands for a database. */
  readonly status = new Map<string, OrderStatus>();
  readonly #producer: Producer;
  readonly #consumer: PushConsumer;

  constructor(options: ClientOptions) {
    this.#producer = new Producer({ ...options, group: "orders" });
    this.#consumer = new PushConsumer({ ...options, group: "order-closing", from: "first" });
    this.#consumer.listen(closing, ({ value }) => this.#closeUnpaid(value.orderId));
  }

  async start(): Promise<void> {
    await this.#consumer.start();
    await this.#producer.start();
  }

  /** The order is open when this resolves, and will be closed unless it is paid. */
  async make(orderId: string): Promise<void> {
    // First the message: an order whose maker dies in between is looked at in vain, and none stays open for ever.
    await this.#producer.send({
      topic: closing,
      value: { orderId },
      keys: orderId,
      delayLevel: LEVEL_30_MIN,
    });
    this.status.set(orderId, "OPEN");
  }

  pay(orderId: string): void {
    if (this.status.get(orderId) !== "OPEN") throw new Error(`${orderId} is not open`);
    this.status.set(orderId, "PAID");
  }

  /** The message may come twice, and for an order that is paid: only an open one is closed. */
  #closeUnpaid(orderId: string): void {
    if (this.status.get(orderId) === "OPEN") this.status.set(orderId, "CLOSED");
  }

  async shutdown(): Promise<void> {
    await this.#producer.shutdown();
    await this.#consumer.shutdown();
  }
}
