import assert from "node:assert/strict";
import { it } from "node:test";
import { Producer } from "@orbitmq/client";
import { start } from "orbitmq";
import { newFraudCheck } from "./fraud-check.ts";
import { type Payment, send } from "./payments.ts";

it("the fraud check sees what its expression says, and nothing else leaves the broker", async () => {
  const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  const checked: string[] = [];
  const fraudCheck = newFraudCheck({ ...mq.clientOptions }, ({ id }) => void checked.push(id));
  await fraudCheck.start();
  const producer = new Producer({ ...mq.clientOptions });
  await producer.start();
  const payment = (id: string, cents: number, country: string, isNewCustomer = false): Payment => ({
    id,
    cents,
    country,
    isNewCustomer,
  });
  for (const each of [
    payment("small", 500, "XA", true),
    payment("large", 100_000, "XC"),
    payment("middling of a new customer there", 20_000, "XB", true),
    payment("middling of a new customer elsewhere", 20_000, "XC", true),
    payment("middling of an old customer", 99_999, "XA"),
  ])
    await send(producer, each);
  await mq.advance(0);
  assert.deepEqual(checked.sort(), ["large", "middling of a new customer there"]);
  for (const client of [fraudCheck, producer]) await client.shutdown();
  await mq.stop();
});
