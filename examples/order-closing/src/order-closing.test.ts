import assert from "node:assert/strict";
import { it } from "node:test";
import { start } from "orbitmq";
import { Orders } from "./orders.ts";

const MINUTE = 60_000;

it("an order that nobody pays is closed after 30 minutes, a paid one never", async () => {
  const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  const orders = new Orders({ ...mq.clientOptions });
  await orders.start();
  await orders.make("forgotten");
  await orders.make("paid");
  await mq.advance(29 * MINUTE);
  orders.pay("paid");
  assert.equal(orders.status.get("forgotten"), "OPEN");
  await mq.advance(MINUTE);
  assert.deepEqual(Object.fromEntries(orders.status), { forgotten: "CLOSED", paid: "PAID" });
  assert.throws(() => orders.pay("forgotten"), /not open/);
  await orders.shutdown();
  await mq.stop();
});
