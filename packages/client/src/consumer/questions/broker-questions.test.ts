import assert from "node:assert/strict";
import { test } from "node:test";
import {
  consumeMessageDirectlyRequestHeader,
  type ExtSink,
  encodeResetOffsetBody,
  getConsumerRunningInfoRequestHeader,
  getConsumerStatusRequestHeader,
  parseClientStatus,
  parseFastjson,
  RequestCode,
  resetOffsetRequestHeader,
} from "@orbitmq/wire";
import { consumerOf, consuming, stage } from "../../testing/consumer-stage.ts";
import type { FakeBroker } from "../../testing/fake-broker.ts";
import type { TestWorld } from "../../testing/test-world.ts";

interface Answer {
  readonly code: number;
  readonly body: Uint8Array;
}

/** What the broker's only client answers. */
function ask(
  w: TestWorld,
  broker: FakeBroker,
  code: number,
  header: (sink: ExtSink) => void,
  body: readonly Uint8Array[] = [],
): Promise<Answer> {
  const { peer } = [...broker.clients.values()][0]!;
  return w.settle(
    new Promise((resolve, reject) => {
      peer.request({ code, header, body }, 5_000, (error, response) => {
        if (response === undefined) reject(error);
        else resolve({ code: response.code, body: Uint8Array.from(response.body) });
      });
    }),
  );
}

const queue = { topic: "orders", brokerName: "broker-a", queueId: 0 };
const known = async (w: TestWorld, broker: FakeBroker) => w.until(() => broker.clients.size === 1);

test("an offset reset from outside is followed at once, backward and forward, and told to the broker", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 6; i++) broker.store("orders", 0, String(i));
  const heard: string[] = [];
  const consumer = await consuming(w, (message) => void heard.push(message.text()));
  await w.until(() => heard.length === 6);
  const reset = (offset: number, group = "g") => {
    const header = { topic: "orders", group, timestamp: 0, isForce: true };
    const { peer } = [...broker.clients.values()][0]!;
    peer.oneway({
      code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
      header: (sink) => resetOffsetRequestHeader.encode(header, sink),
      body: [encodeResetOffsetBody(new Map([[queue, offset]]))],
    });
  };
  reset(0, "another group");
  await w.run(1_000);
  assert.equal(heard.length, 6);
  reset(4);
  await w.until(() => heard.length === 8);
  assert.deepEqual(heard.slice(6), ["4", "5"]);
  reset(8);
  await w.run(100);
  assert.equal(broker.offsets.get("g@orders@0"), 8);
  for (let i = 6; i < 10; i++) broker.store("orders", 0, String(i));
  await w.until(() => heard.length === 10);
  assert.deepEqual(heard.slice(8), ["8", "9"]);
  await w.settle(consumer.shutdown());
});

test("what a listener that ran during a reset says does not move the new offset", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 3; i++) broker.store("orders", 0, String(i));
  const ends: (() => void)[] = [];
  const consumer = await consuming(w, () => new Promise<void>((resolve) => ends.push(resolve)), {
    concurrency: 3,
  });
  await w.until(() => ends.length === 3);
  const header = { topic: "orders", group: "g", timestamp: 0, isForce: true };
  [...broker.clients.values()][0]!.peer.oneway({
    code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
    header: (sink) => resetOffsetRequestHeader.encode(header, sink),
    body: [encodeResetOffsetBody(new Map([[queue, 1]]))],
  });
  await w.run(100);
  for (const end of ends.splice(0)) end();
  await w.until(() => ends.length === 2);
  assert.equal(consumer.status().queues[0]!.committableOffset, 1);
  for (const end of ends) end();
  await w.until(() => consumer.status().queues[0]!.committableOffset === 3);
  await w.settle(consumer.shutdown());
});

test("the answer to a pull from before a reset does not skip what the reset brings back", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 6; i++) broker.store("orders", 0, String(i));
  const heard: string[] = [];
  const consumer = await consuming(w, (message) => void heard.push(message.text()));
  await w.until(() => heard.length === 6);
  await w.run(100);
  const header = { topic: "orders", group: "g", timestamp: 0, isForce: true };
  [...broker.clients.values()][0]!.peer.oneway({
    code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
    header: (sink) => resetOffsetRequestHeader.encode(header, sink),
    body: [encodeResetOffsetBody(new Map([[queue, 0]]))],
  });
  // The pull that waits at the broker is answered right behind the reset.
  broker.store("orders", 0, "6");
  await w.until(() => heard.length >= 13, 5_000);
  assert.deepEqual(heard.slice(6), [..."0123456"]);
  await w.settle(consumer.shutdown());
});

test("a consumer says how far it is, and only for its own group", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 3; i++) broker.store("orders", 0, String(i));
  const consumer = await consuming(w, () => {});
  await w.until(() => consumer.status().consumed === 3);
  const status = (group: string) =>
    ask(w, broker, RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, (sink) =>
      getConsumerStatusRequestHeader.encode({ topic: "orders", group }, sink),
    );
  const answer = await status("g");
  assert.deepEqual([...parseClientStatus(answer.body)], [[queue, 3]]);
  assert.equal((await status("other")).code, 1);
  await w.settle(consumer.shutdown());
});

test("a consumer says what it is doing, in RocketMQ's words", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 3; i++) broker.store("orders", 0, String(i));
  const consumer = consumerOf(w, { clientId: "c" });
  consumer.listenOrderly("orders", (message) =>
    message.text() === "1" ? "SUSPEND_CURRENT_QUEUE_A_MOMENT" : undefined,
  );
  const startedMs = w.host.clock.wallMs();
  await w.settle(consumer.start());
  await w.until(() => consumer.status().failed > 0);
  const failedMs = w.host.clock.wallMs();
  await w.run(500);
  const { code, body } = await ask(w, broker, RequestCode.GET_CONSUMER_RUNNING_INFO, (sink) =>
    getConsumerRunningInfoRequestHeader.encode({ consumerGroup: "g", clientId: "c" }, sink),
  );
  assert.equal(code, 0);
  const text = Buffer.from(body).toString();
  assert.match(text, /"PROP_CONSUMEORDERLY":"true"/);
  assert.match(text, /"PROP_CLIENT_VERSION":"V5_5_0"/);
  assert.match(text, /"mqTable":\{\{"brokerName":"broker-a","queueId":0,"topic":"orders"\}:\{/);
  assert.match(text, /"cachedMsgCount":2,"cachedMsgMaxOffset":2,"cachedMsgMinOffset":1/);
  assert.match(text, /"commitOffset":1,/);
  assert.match(text, /"locked":true/);
  assert.match(text, /"statusTable":\{"orders":\{/);
  const consumedMs = Number(/"lastConsumeTimestamp":(\d+)/.exec(text)?.[1]);
  assert.ok(consumedMs >= startedMs && consumedMs <= failedMs, `${consumedMs - startedMs} ms`);
  parseFastjson(body);
  await w.settle(consumer.shutdown());
});

test("a message is consumed directly at an administrator's wish, and no offset moves", async () => {
  const { w, broker } = stage();
  const heard: string[] = [];
  const answers: Record<string, unknown> = { later: "RECONSUME_LATER", odd: 42 };
  const consumer = await consuming(w, (async (message: { text(): string }) => {
    heard.push(message.text());
    if (message.text() === "throws") throw new Error("no");
    return answers[message.text()];
  }) as () => Promise<void>);
  await known(w, broker);
  const directly = async (body: string, topic = "orders", group = "g") => {
    const header = { consumerGroup: group, brokerName: "broker-a", clientId: "c", msgId: "m" };
    const stored = { ...broker.store("elsewhere", 0, body), topic };
    const { code, body: answer } = await ask(
      w,
      broker,
      RequestCode.CONSUME_MESSAGE_DIRECTLY,
      (sink) => consumeMessageDirectlyRequestHeader.encode(header, sink),
      [broker.record(stored)],
    );
    if (code !== 0) return code;
    const { consumeResult, remark, order, autoCommit } = JSON.parse(Buffer.from(answer).toString());
    return [consumeResult, remark, order, autoCommit];
  };
  assert.deepEqual(await directly("fine"), ["CR_SUCCESS", undefined, false, true]);
  assert.deepEqual(await directly("later"), ["CR_LATER", undefined, false, true]);
  assert.deepEqual(await directly("throws"), ["CR_THROW_EXCEPTION", "no", false, true]);
  assert.deepEqual(await directly("odd"), ["CR_RETURN_NULL", "the result is no consume result", false, true]);
  assert.equal(await directly("fine", "unheard-of"), 1);
  assert.equal(await directly("fine", "orders", "other"), 1);
  assert.deepEqual(heard, ["fine", "later", "throws", "odd"]);
  assert.deepEqual([consumer.status().consumed, broker.sentBack], [0, []]);
  await w.settle(consumer.shutdown());
});
