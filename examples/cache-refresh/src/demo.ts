/** Two instances at the server at NAMESRV_ADDR, and a price that changes every second. */
import { Producer } from "@orbitmq/client";
import { announceChange, Catalogue } from "./catalogue.ts";

const options = { namesrv: process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876" };
let cents = 100;
const load = async (id: string) => ({ id, cents });
const catalogues = ["one", "two"].map(
  (name) => new Catalogue({ ...options, clientId: `demo-${name}`, load }),
);
for (const catalogue of catalogues) await catalogue.start();
const producer = new Producer(options);
await producer.start();
const timer = setInterval(async () => {
  const shown = await Promise.all(catalogues.map((catalogue) => catalogue.product("tea")));
  console.log(
    `the price is ${cents}; the instances show ${shown.map((product) => product.cents).join(" and ")}`,
  );
  cents++;
  await announceChange(producer, "tea");
}, 1_000);
process.once("SIGINT", async () => {
  clearInterval(timer);
  await producer.shutdown();
  for (const catalogue of catalogues) await catalogue.shutdown();
});
