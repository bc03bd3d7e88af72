import assert from "node:assert/strict";
import { it } from "node:test";
import { Admin, Producer } from "@orbitmq/client";
import { start } from "orbitmq";
import { GROUP, Revenue, sales } from "./revenue.ts";

const HOUR_MS = 3_600_000;

it("revenue that was wrong since an hour ago is right again after a rewind to that time", async () => {
  const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  const revenue = new Revenue({ ...mq.clientOptions }, ({ cents }) => cents);
  await revenue.start();
  const producer = new Producer({ ...mq.clientOptions });
  await producer.start();
  await mq.advance(HOUR_MS - (mq.nowMs() % HOUR_MS));
  const hoursMs: number[] = [];
  const asked: string[] = [];
  for (const hour of [0, 1, 2]) {
    hoursMs.push(mq.nowMs());
    if (hour === 1) revenue.rule = ({ cents }) => 2 * cents;
    for (let sale = 0; sale < 10; sale++)
      await producer.send({ topic: sales, value: { id: `${hour}-${sale}`, cents: 100 } });
    await mq.advance(HOUR_MS);
  }
  const shown = () => hoursMs.map((hourMs) => revenue.ofHour(hourMs));
  assert.deepEqual(shown(), [1_000, 2_000, 2_000]);

  revenue.rule = ({ id, cents }) => {
    asked.push(id);
    return cents;
  };
  const admin = new Admin({ ...mq.clientOptions });
  await admin.start();
  await admin.resetOffsets(GROUP, sales.name, new Date(hoursMs[1] ?? 0));
  await mq.advance(0);
  assert.deepEqual(shown(), [1_000, 1_000, 1_000]);
  assert.equal(asked.length, 20, "what was right before is not consumed again");
  for (const client of [admin, producer, revenue]) await client.shutdown();
  await mq.stop();
});
