import assert from "node:assert/strict";
import { it } from "node:test";
import { Producer } from "@orbitmq/client";
import { start } from "orbitmq";
import { deadLetters, sendAgain } from "./dead-letters.ts";
import { GROUP, invoices, newInvoicing } from "./invoices.ts";

it("an invoice that fails twice is found among the dead letters, and is written when it is sent again", async () => {
  const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  const options = { ...mq.clientOptions };
  const written: string[] = [];
  let printerWorks = false;
  const invoicing = newInvoicing(options, ({ id }) => {
    if (id === "7" && !printerWorks) throw new Error("the printer has no paper");
    written.push(id);
  });
  await invoicing.start();
  const producer = new Producer(options);
  await producer.start();
  for (const id of ["6", "7", "8"])
    await producer.send({ topic: invoices, value: { id, customer: "c" }, keys: id, tag: "monthly" });
  await mq.advance(60_000);
  assert.deepEqual(written.sort(), ["6", "8"]);
  const letters = await deadLetters(options, GROUP);
  assert.deepEqual(
    letters.map(({ topic, keys, text, attempts }) => ({ topic, keys, text, attempts })),
    [{ topic: "invoices", keys: ["7"], text: '{"id":"7","customer":"c"}', attempts: 2 }],
  );
  printerWorks = true;
  assert.equal(await sendAgain(options, producer, GROUP, ({ keys }) => keys.includes("7")), 1);
  await mq.advance(0);
  assert.deepEqual(written, ["6", "8", "7"]);
  for (const client of [invoicing, producer]) await client.shutdown();
  await mq.stop();
});
