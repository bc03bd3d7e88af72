/**
 * Holds the two files against each other: every paid order must have exactly one red packet of the right amount.
 * Exit code 1 when not.
 *
 *   tsx src/compare.ts orders.jsonl red-packets.jsonl
 */
import { readFileSync } from "node:fs";
import { type Order, type RedPacket, redPacketFor } from "./order.ts";

const [ordersFile = "orders.jsonl", packetsFile = "red-packets.jsonl"] = process.argv.slice(2);
const rows = <T>(file: string): T[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);

const due = new Map(
  rows<Order>(ordersFile)
    .filter(({ status }) => status === "PAID")
    .map((order) => [order.orderId, redPacketFor(order)]),
);
const packets = rows<RedPacket>(packetsFile);
const missing = new Set(due.keys());
let wrong = 0;
for (const { orderId, cents } of packets) {
  const isFirst = missing.delete(orderId);
  if (!isFirst || due.get(orderId)?.cents !== cents) wrong++;
}
console.log(
  `${due.size} paid orders, ${packets.length} red packets, ${missing.size} missing, ${wrong} wrong or double`,
);
process.exitCode = missing.size === 0 && wrong === 0 ? 0 : 1;
