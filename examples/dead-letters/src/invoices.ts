/** A consumer that gives up on an invoice after two attempts: it is a dead letter then, kept in %DLQ%invoicing. */
import { type ClientOptions, json, PushConsumer, topic } from "@orbitmq/client";

export interface Invoice {
  readonly id: string;
  readonly customer: string;
}

export const invoices = topic("invoices", json<Invoice>());
export const GROUP = "invoicing";

export function newInvoicing(options: ClientOptions, write: (invoice: Invoice) => void): PushConsumer {
  const consumer = new PushConsumer({ ...options, group: GROUP, from: "first", maxReconsumeTimes: 1 });
  consumer.listen(invoices, ({ value }) => write(value));
  return consumer;
}
