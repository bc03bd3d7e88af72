/** Looks at large payments, and at middling ones of new customers from certain countries; sees no others. */
import { type ClientOptions, PushConsumer, sql } from "@orbitmq/client";
import { type Payment, payments } from "./payments.ts";

/** Properties are text; one that reads as a number compares as one. A message without the property does not match. */
export const suspicious = sql(
  "cents >= 100000 OR (cents BETWEEN 20000 AND 99999 AND country IN ('XA', 'XB') AND newCustomer IS NOT NULL)",
);

export function newFraudCheck(options: ClientOptions, check: (payment: Payment) => void): PushConsumer {
  const consumer = new PushConsumer({ ...options, group: "fraud-check", from: "first" });
  consumer.subscribe(payments, suspicious, ({ value }) => check(value));
  return consumer;
}
