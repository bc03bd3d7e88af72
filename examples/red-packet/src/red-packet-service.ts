/**
 * Consumes paid orders and records one red packet for each, however often an order arrives: the order's id is
 * the key. It records before it returns, so an order is never taken as consumed without its packet.
 *
 *   tsx src/red-packet-service.ts red-packets.jsonl [namesrv]
 */
import { PushConsumer } from "@orbitmq/client";
import { Ledger } from "./ledger.ts";
import { paidOrders, redPacketFor } from "./order.ts";

const [file = "red-packets.jsonl", namesrv = process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876"] =
  process.argv.slice(2);

const ledger = new Ledger(file);
console.log(`${file}: ${ledger.size} red packets so far`);

const consumer = new PushConsumer({ namesrv, group: "red-packet-service", from: "first", waitForever: true });
consumer.listen(paidOrders, (message) => {
  const packet = redPacketFor(message.value);
  const isNew = ledger.record(packet);
  console.log(
    isNew
      ? `${packet.orderId}: ${packet.cents} cents for ${packet.customer} (${ledger.size} so far)`
      : `${packet.orderId}: seen before, nothing to do`,
  );
});
await consumer.start();

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, async () => {
    await consumer.shutdown();
    ledger.close();
    console.log(`stopped with ${ledger.size} red packets`);
  });
