import assert from "node:assert/strict";
import { it } from "node:test";
import { Producer } from "@orbitmq/client";
import { start } from "orbitmq";
import type { Change } from "./binlog.ts";
import { publish } from "./publisher.ts";
import { newReplica, OrdersTable } from "./replica.ts";

const statuses = ["CREATED", "PAID", "SHIPPED", "DELIVERED"] as const;

it("two replicas apply the changes of each order in order, also when applying fails now and then", async () => {
  const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  const table = new OrdersTable();
  const refused: unknown[] = [];
  let calls = 0;
  const apply = (change: Change) => {
    if (++calls % 7 === 0) throw new Error("the database is busy");
    try {
      table.apply(change);
    } catch (error) {
      refused.push(error);
      throw error;
    }
  };
  const replicas = ["one", "two"].map((clientId) => newReplica({ ...mq.clientOptions, clientId }, apply));
  for (const replica of replicas) await replica.start();
  const producer = new Producer({ ...mq.clientOptions });
  await producer.start();
  const orders = Array.from({ length: 20 }, (_, index) => `order-${index}`);
  const changes = statuses.flatMap((status, index) =>
    orders.map((orderId) => ({ orderId, version: index + 1, status })),
  );
  await publish(producer, changes);
  await mq.advance(60_000);
  assert.deepEqual(refused, []);
  assert.equal(table.rows.size, orders.length);
  for (const { status } of table.rows.values()) assert.equal(status, "DELIVERED");
  for (const client of [...replicas, producer]) await client.shutdown();
  await mq.stop();
});
