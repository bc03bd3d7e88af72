import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  ConsumeResult,
  json,
  type ListenerReturn,
  type Producer,
  type PushConsumer,
  type Reader,
  type StandardSchema,
  text,
  topic,
} from "./index.ts";
import type { MessageBody } from "./message/message-body.ts";

interface Order {
  readonly id: number;
  readonly paid: boolean;
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_equal: Equal<A, B>): void => {};

/** Checked by the compiler only. */
export function compileTimeChecks(producer: Producer, consumer: PushConsumer, reader: Reader): void {
  const orders = topic("orders", json<Order>());
  const notes = topic("notes", text);

  producer.send({ topic: orders, value: { id: 1, paid: true }, tag: "new" });
  producer.send([{ topic: orders, value: { id: 1, paid: true } }]);
  producer.send({ topic: "raw", body: "text" });
  producer.send({ topic: "raw", body: Uint8Array.of(1) });
  producer.send({ topic: notes, value: "text" });
  // @ts-expect-error a value of another type
  producer.send({ topic: orders, value: { id: "1", paid: true } });
  // @ts-expect-error a missing member
  producer.send({ topic: orders, value: { id: 1 } });
  // @ts-expect-error a typed topic takes a value, not a body
  producer.send({ topic: orders, body: "x" });
  // @ts-expect-error a plain topic takes a body, not a value
  producer.send({ topic: "raw", value: "x" });
  // @ts-expect-error a body is a string or bytes
  producer.send({ topic: "raw", body: 7 });

  consumer.listen(orders, (message) => {
    same<typeof message.value, Order>(true);
    same<typeof message.body, MessageBody>(true);
  });
  consumer.listen("raw", (message) => {
    same<typeof message.value, Uint8Array>(true);
  });
  consumer.subscribe(notes, "*", (message) => {
    same<typeof message.value, string>(true);
  });
  consumer.listenBatch(orders, (messages) => {
    same<(typeof messages)[0]["value"], Order>(true);
  });

  consumer.listen("raw", () => "CONSUME_SUCCESS");
  consumer.listen("raw", async () => ConsumeResult.RECONSUME_LATER);
  consumer.listen("raw", async (message) => {
    if (message.reconsumeTimes > 3) return "RECONSUME_LATER";
    return undefined;
  });
  consumer.listen("raw", async () => {});
  consumer.listen("raw", (_message, { signal }) => void signal.aborted);
  // @ts-expect-error a number is no consume result
  consumer.listen("raw", () => 42);
  // @ts-expect-error nor is another word
  consumer.listen("raw", async () => "DONE");
  // @ts-expect-error nor a boolean
  consumer.listen(orders, () => true);

  same<
    ReturnType<typeof reader.read<Order>>,
    AsyncIterableIterator<import("./index.ts").ReceivedMessage<Order>>
  >(true);

  const schema = {} as StandardSchema<unknown, { amount: number }>;
  consumer.listen(topic("t", json(schema)), (message) => {
    same<typeof message.value, { amount: number }>(true);
  });
  consumer.listen(topic("t", bytes), (message) => {
    same<typeof message.value, Uint8Array>(true);
  });
  const results: ListenerReturn[] = [undefined, "CONSUME_SUCCESS", "RECONSUME_LATER"];
  assert.ok(results);
}

test("the types of topics reach producers and listeners (checked by the compiler)", () => {
  assert.equal(typeof compileTimeChecks, "function");
});
