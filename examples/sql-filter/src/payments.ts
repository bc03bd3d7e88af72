/** Payments travel with what consumers choose by as properties: a broker looks at these, never into a body. */
import { json, type Producer, topic } from "@orbitmq/client";

export interface Payment {
  readonly id: string;
  readonly cents: number;
  readonly country: string;
  readonly isNewCustomer: boolean;
}

export const payments = topic("payments", json<Payment>());

export async function send(producer: Producer, payment: Payment): Promise<void> {
  await producer.send({
    topic: payments,
    value: payment,
    keys: payment.id,
    properties: {
      cents: String(payment.cents),
      country: payment.country,
      ...(payment.isNewCustomer ? { newCustomer: "yes" } : {}),
    },
  });
}
