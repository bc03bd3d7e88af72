/** Makes two orders at the server at NAMESRV_ADDR, pays one, and tells of both every minute. */
import { Orders } from "./orders.ts";

const orders = new Orders({ namesrv: process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876" });
await orders.start();
await orders.make("paid");
await orders.make("forgotten");
orders.pay("paid");
const tell = () => console.log(new Date().toISOString(), Object.fromEntries(orders.status));
tell();
const timer = setInterval(tell, 60_000);
process.once("SIGINT", () => {
  clearInterval(timer);
  void orders.shutdown();
});
