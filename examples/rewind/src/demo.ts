/**
 * Counts sales at the server at NAMESRV_ADDR with a wrong rule, then with the right one; rewind it from elsewhere:
 *
 *   npx orbitmq offset reset revenue sales --to 2026-01-31T12:00:00Z
 */
import { Producer } from "@orbitmq/client";
import { Revenue, sales } from "./revenue.ts";

const options = { namesrv: process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876" };
const startedMs = Date.now();
// The bug: for half a minute sales count twice.
const revenue = new Revenue(options, ({ cents }) => (Date.now() - startedMs < 30_000 ? 2 * cents : cents));
await revenue.start();
const producer = new Producer(options);
await producer.start();
let sold = 0;
const timer = setInterval(async () => {
  await producer.send({ topic: sales, value: { id: `${startedMs}-${++sold}`, cents: 100 } });
  const nowMs = Date.now();
  const shown = revenue.ofHour(nowMs - (nowMs % 3_600_000));
  console.log(`${new Date(nowMs).toISOString()}: ${sold} sales of 100 cents, this hour ${shown} cents`);
}, 1_000);
process.once("SIGINT", async () => {
  clearInterval(timer);
  await producer.shutdown();
  await revenue.shutdown();
});
