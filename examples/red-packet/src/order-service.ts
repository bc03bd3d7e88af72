/**
 * Reads orders from a file, one JSON object per line, and sends the paid ones. An order counts as sent when the
 * broker has acknowledged it; while the broker is down the service waits and tries again. A second try after an
 * unknown outcome can store an order twice: the other side expects that.
 *
 *   tsx src/order-service.ts orders.jsonl [namesrv]        ORDERS_PER_SECOND=20
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { OrbitError, Producer } from "@orbitmq/client";
import { type Order, paidOrders, problemWith } from "./order.ts";

const [file = "orders.jsonl", namesrv = process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876"] =
  process.argv.slice(2);
const perSecond = Number(process.env["ORDERS_PER_SECOND"] ?? 20);

const orders = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line, index): Order => {
    const order: unknown = JSON.parse(line);
    const problem = problemWith(order);
    if (problem !== undefined) throw new Error(`${file}:${index + 1}: ${problem}`);
    return order as Order;
  });
const paid = orders.filter(({ status }) => status === "PAID");
console.log(`${file}: ${orders.length} orders, ${paid.length} of them paid`);

const producer = new Producer({ namesrv, group: "order-service", waitForever: true });
await producer.start();
let retried = 0;
for (const [index, order] of paid.entries()) {
  await sendUntilAcknowledged(order);
  console.log(`${index + 1}/${paid.length} ${order.orderId} is with the broker`);
  if (perSecond > 0) await sleep(1000 / perSecond);
}
await producer.shutdown();
console.log(`all ${paid.length} paid orders acknowledged, ${retried} of them after a further try`);

async function sendUntilAcknowledged(order: Order): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await producer.send({ topic: paidOrders, value: order, keys: order.orderId });
      if (attempt > 1) retried++;
      return;
    } catch (error) {
      if (!(error instanceof OrbitError) || !error.retriable) throw error;
      console.log(`${order.orderId}: ${error.code} (${error.outcome}), trying again`);
      await sleep(500);
    }
  }
}
