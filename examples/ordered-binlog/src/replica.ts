/**
 * A copy of the orders table, kept by applying the changes. Several replicas of one group share the queues; a queue
 * is locked for the one that has it, so that never two of them apply changes of one order at a time.
 */
import { type ClientOptions, PushConsumer } from "@orbitmq/client";
import { binlog, type Change } from "./binlog.ts";

/** Where the changes go; it may fail, and then gets the same change again before any other of that queue. */
export type Apply = (change: Change) => void | Promise<void>;

export function newReplica(options: ClientOptions, apply: Apply): PushConsumer {
  const consumer = new PushConsumer({ ...options, group: "order-replica", from: "first" });
  // A throw lets the queue rest for a second and brings the same change again: nothing behind it overtakes.
  consumer.listenOrderly(binlog, (message) => apply(message.value));
  return consumer;
}

/** A table that refuses a change out of its order, and takes one it has already for granted (at least once). */
export class OrdersTable {
  readonly rows = new Map<string, Change>();

  apply(change: Change): void {
    const version = this.rows.get(change.orderId)?.version ?? 0;
    if (change.version <= version) return;
    if (change.version > version + 1)
      throw new Error(`${change.orderId}: version ${change.version} came after ${version}`);
    this.rows.set(change.orderId, change);
  }
}
