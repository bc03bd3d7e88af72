/** `orbitmq group …` against a server in memory and real members. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { type GroupStatus, Producer, PushConsumer, sql } from "@orbitmq/client";
import { type ManualOrbitMQ, start } from "../../start.ts";
import { processTerminal } from "../../terminal.ts";
import { resetOffsets } from "../offset/offset.ts";
import { groupStatus } from "./group.ts";

let mq: ManualOrbitMQ;
let producer: Producer;

before(async () => {
  mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  producer = new Producer({ ...mq.clientOptions });
  await producer.start();
});

after(async () => {
  await producer.shutdown();
  await mq.stop();
});

async function said(
  command: (terminal: ReturnType<typeof processTerminal>) => Promise<number>,
): Promise<string> {
  let text = "";
  const terminal = { ...processTerminal(), env: { NAMESRV_ADDR: mq.namesrvAddr } };
  const code = await command({
    ...terminal,
    out: async (more) => {
      text += more;
    },
  });
  assert.equal(code, 0);
  return text;
}

const statusOf = async (group: string): Promise<GroupStatus> =>
  JSON.parse(await said((terminal) => groupStatus(group, { json: true }, terminal)));

it("shows members, their subscriptions, offsets, lag and what is in flight", async () => {
  const consumer = new PushConsumer({ ...mq.clientOptions, group: "g", clientId: "one", from: "first" });
  consumer.listen("orders", () => new Promise(() => {}), { tags: "b || a" });
  await consumer.start();
  for (const tag of ["a", "b", "c"])
    await producer.send({ topic: "orders", body: "x", tag }, { selector: ([queue]) => queue });
  await mq.advance(5_000);
  const status = await statusOf("g");
  assert.deepEqual(
    [status.online, status.consumeType, status.messageModel, status.lag, status.differences],
    [true, "CONSUME_PASSIVELY", "CLUSTERING", 3, []],
  );
  const [member] = status.members;
  assert.deepEqual([member?.clientId, member?.language, member?.version], ["one", "NODE_JS", "V5_5_0"]);
  assert.deepEqual(member?.subscriptions, [{ topic: "orders", expressionType: "TAG", expression: "a || b" }]);
  const busy = status.queues.filter(({ lag }) => lag > 0);
  assert.deepEqual(
    busy.map(({ queue, consumerOffset, brokerOffset, members, inFlight }) => [
      queue.topic,
      consumerOffset,
      brokerOffset,
      members,
      inFlight,
    ]),
    [["orders", 0, 3, ["one"], 2]],
  );
  const text = await said((terminal) => groupStatus("g", {}, terminal));
  assert.match(text, /^g: 1 member, CLUSTERING, CONSUME_PASSIVELY, lag 3$/m);
  assert.match(text, /^one +127\.0\.0\.1:\d+ +NODE_JS +V5_5_0 +\d+ +orders a \|\| b$/m);
  assert.match(text, /^orders +broker-a +0 +0 +3 +3 +2 +never +one$/m);
  assert.doesNotMatch(text, /INCONSISTENT/);
  const stopping = consumer.shutdown();
  await mq.advance(20_000);
  await stopping;
  const offline = await said((terminal) => groupStatus("g", {}, terminal));
  assert.match(offline, /^g: nobody is online, lag 3$/m);
});

it("names the members of one group that subscribe to different things", async () => {
  const members = ["one", "two", "three"].map(
    (clientId) => new PushConsumer({ ...mq.clientOptions, group: "mixed", clientId, from: "first" }),
  );
  members[0]!.listen("orders", () => {}, { tags: "a || b" });
  members[1]!.listen("orders", () => {}, { tags: "b || a" });
  members[2]!.subscribe("orders", sql("price > 5"), () => {});
  for (const member of members) await member.start();
  await mq.advance(0);
  assert.deepEqual((await statusOf("mixed")).differences, [
    { subscriptions: "orders TAG a || b", members: ["one", "two"] },
    { subscriptions: "orders SQL92 price > 5", members: ["three"] },
  ]);
  const text = await said((terminal) => groupStatus("mixed", {}, terminal));
  assert.match(text, /^INCONSISTENT: /m);
  assert.match(text, /^ {2}orders TAG a \|\| b: one, two$/m);
  for (const member of members) await member.shutdown();
});

it("knows nothing of a group nobody knows", async () => {
  assert.equal(
    await said((terminal) => groupStatus("nobody", {}, terminal)),
    "nobody: nobody is online, lag 0\n",
  );
});

it("lets a group consume again from a time, and members go on there at once", async () => {
  const heard: string[] = [];
  const consumer = new PushConsumer({ ...mq.clientOptions, group: "rewound", from: "first" });
  consumer.listen("times", (message) => void heard.push(message.text()));
  await consumer.start();
  const at: number[] = [];
  for (const body of ["one", "two", "three"]) {
    at.push(mq.nowMs());
    await producer.send({ topic: "times", body }, { selector: ([queue]) => queue });
    await mq.advance(60_000);
  }
  assert.deepEqual(heard, ["one", "two", "three"]);
  const text = await said((terminal) =>
    resetOffsets("rewound", "times", { to: String(at[1]), yes: true }, terminal),
  );
  assert.match(text, /^broker-a +0 +3 +1 +-2$/m);
  await mq.advance(0);
  assert.deepEqual(heard.slice(3), ["two", "three"]);
  await assert.rejects(
    said((terminal) => resetOffsets("rewound", "times", { to: "lunch", yes: true }, terminal)),
    /--to/,
  );
  await consumer.shutdown();
});
