/** Sends a payment every second to the server at NAMESRV_ADDR and shows which of them are checked. */
import { Producer } from "@orbitmq/client";
import { newFraudCheck } from "./fraud-check.ts";
import { send } from "./payments.ts";

const options = { namesrv: process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876" };
const fraudCheck = newFraudCheck(options, (payment) => console.log("to be checked:", payment));
await fraudCheck.start();
const producer = new Producer(options);
await producer.start();
let sent = 0;
const timer = setInterval(async () => {
  sent++;
  const cents = (sent * 17_117) % 130_000;
  await send(producer, {
    id: `p${sent}`,
    cents,
    country: sent % 2 === 0 ? "XA" : "XC",
    isNewCustomer: sent % 3 === 0,
  });
  console.log(`sent p${sent}: ${cents}`);
}, 1_000);
process.once("SIGINT", async () => {
  clearInterval(timer);
  await producer.shutdown();
  await fraudCheck.shutdown();
});
