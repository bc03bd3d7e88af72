/** The changes of an order's row, as a database's binlog has them. Of one order they must be applied in their order. */
import { json, topic } from "@orbitmq/client";

export interface Change {
  readonly orderId: string;
  /** 1, 2, 3, … of one order. */
  readonly version: number;
  readonly status: "CREATED" | "PAID" | "SHIPPED" | "DELIVERED";
}

export const binlog = topic("order-binlog", json<Change>());
