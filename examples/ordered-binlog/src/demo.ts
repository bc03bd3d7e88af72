/** Sends the changes of a few orders to the server at NAMESRV_ADDR and applies them. */
import { Producer } from "@orbitmq/client";
import type { Change } from "./binlog.ts";
import { publish } from "./publisher.ts";
import { newReplica, OrdersTable } from "./replica.ts";

const options = { namesrv: process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876" };
const table = new OrdersTable();
const statuses = ["CREATED", "PAID", "SHIPPED", "DELIVERED"] as const;
const changes: Change[] = statuses.flatMap((status, index) =>
  ["a", "b", "c"].map((orderId) => ({ orderId, version: index + 1, status })),
);

const replica = newReplica(options, (change) => {
  table.apply(change);
  console.log(`${change.orderId} is ${change.status}`);
});
await replica.start();
const producer = new Producer(options);
await producer.start();
await publish(producer, changes);
await producer.shutdown();
console.log("all changes sent; Ctrl-C ends");
process.once("SIGINT", () => void replica.shutdown());
