/** `orbitmq dlq …` against a server in memory and the dead letters of real consumers. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { type DeadLetterWorkResult, Producer, PushConsumer, Reader } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import { type OrbitMQ, start } from "../../start.ts";
import { processTerminal, type Terminal } from "../../terminal.ts";
import { listDeadLetters, showDeadLetters } from "./dlq.ts";
import { deleteLetters, redrive } from "./dlq-work.ts";

const terminal = processTerminal();
let mq: OrbitMQ;
let producer: Producer;

before(async () => {
  mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 });
  producer = new Producer({ ...mq.clientOptions });
  await producer.start();
});

after(async () => {
  await producer.shutdown();
  await mq.stop();
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function said(
  command: (terminal: Terminal) => Promise<number>,
  { answer, stop }: { readonly answer?: string; readonly stop?: boolean } = {},
): Promise<Said> {
  let [out, err] = ["", ""];
  const code = await command({
    ...terminal,
    env: { NAMESRV_ADDR: mq.namesrvAddr },
    isInteractive: false,
    stdinIsTerminal: answer !== undefined,
    async *readStdin() {
      yield Buffer.from(answer ?? "");
    },
    onStopSignal: (stopNow) => {
      if (stop === true) stopNow("SIGTERM");
    },
    out: async (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

/** Dead letters `0`, `1`, … of a group, of a topic of its own. */
async function dead(group: string, count: number): Promise<void> {
  const topic = `${group}-topic`;
  const failing = new PushConsumer({ ...mq.clientOptions, group, from: "first", maxReconsumeTimes: 0 });
  let heard = 0;
  const all = new Promise<void>((resolve) =>
    failing.listen(topic, (message) => {
      if (++heard === count) resolve();
      throw new Error(`no use for ${message.text()}`);
    }),
  );
  await failing.start();
  for (let i = 0; i < count; i++) {
    const message = { topic, body: String(i), keys: `k${i}`, tag: i % 2 === 0 ? "even" : "odd" };
    await producer.send(message, { selector: ([queue]) => queue });
  }
  await all;
  await failing.shutdown();
}

async function bodiesIn(topic: string): Promise<string[]> {
  const reader = new Reader({ ...mq.clientOptions });
  await reader.start();
  const bodies: string[] = [];
  for await (const message of reader.read(topic, { follow: false })) bodies.push(message.text());
  await reader.shutdown();
  return bodies.sort();
}

it("lists groups and shows their letters, for people and for programs", async () => {
  await dead("shown", 3);
  const list = await said((terminal) => listDeadLetters({}, terminal));
  assert.match(list.out, /^GROUP +DEAD +OLDEST +NEWEST +REDRIVEN +DELETED$/m);
  assert.match(list.out, /^shown +3 +2\d{3}-\S+Z +2\d{3}-\S+Z +0 +0$/m);
  const show = await said((terminal) => showDeadLetters("shown", { tag: ["even"], reason: "USE" }, terminal));
  assert.match(show.out, /^[0-9A-F]{32} +shown-topic +k0 +even +\S+Z +\S+Z +1 +0 +no use for 0$/m);
  assert.equal(show.out.split("\n").length, 4);
  const json = await said((terminal) => showDeadLetters("shown", { json: true, key: ["k1"] }, terminal));
  const letter = JSON.parse(json.out);
  assert.deepEqual(
    [letter.originTopic, letter.body, letter.reason, letter.properties.TAGS, letter.state],
    ["shown-topic", "1", "no use for 1", "odd", "dead"],
  );
  await assert.rejects(
    said((terminal) => showDeadLetters("shown", { from: "lunch" }, terminal)),
    (error) => error instanceof ServerError && /--from/.test(error.message),
  );
});

it("redrives the chosen letters, and tells of those that stay", async () => {
  await dead("back", 4);
  const dry = await said((terminal) => redrive("back", { dryRun: true, tag: ["odd"] }, terminal));
  assert.equal(dry.out, "back: 2 dead letters would be redriven\n");
  const odd = await said((terminal) => redrive("back", { tag: ["odd"], rate: 1_000 }, terminal));
  assert.deepEqual([odd.code, odd.out], [0, "back: 2 dead letters redriven\n"]);
  assert.deepEqual(await bodiesIn("back-topic"), ["0", "1", "1", "2", "3", "3"]);
  const nowhere = await said((terminal) => redrive("back", { to: "nowhere", max: 1 }, terminal));
  assert.deepEqual([nowhere.code, nowhere.out], [9, "back: 0 dead letters redriven\n"]);
  assert.match(nowhere.err, /^orbitmq: [0-9A-F]{32} stays: there is no topic nowhere/m);
  const stopped = await said((terminal) => redrive("back", { json: true }, terminal), { stop: true });
  const result = JSON.parse(stopped.out) as DeadLetterWorkResult;
  assert.deepEqual([stopped.code, result.complete, result.done], [9, false, 0]);
  assert.deepEqual((await said((terminal) => redrive("back", {}, terminal))).code, 0);
  assert.deepEqual(await bodiesIn("back-topic"), ["0", "0", "1", "1", "2", "2", "3", "3"]);
});

it("deletes only when it is told to, and then shows no more of them", async () => {
  await dead("gone", 3);
  const remove = (flags: object, answer?: string) =>
    said((terminal) => deleteLetters("gone", flags, terminal), answer === undefined ? {} : { answer });
  await assert.rejects(remove({}), /--yes/);
  assert.equal((await remove({ dryRun: true })).out, "gone: 3 dead letters would be deleted\n");
  const refused = await remove({}, "n\n");
  assert.deepEqual(
    [refused.code, refused.out, refused.err],
    [0, "", "delete 3 dead letters of gone? [y/N] "],
  );
  assert.equal((await remove({ key: ["k1"] }, "yes\n")).out, "gone: 1 dead letter deleted\n");
  assert.equal((await remove({ yes: true })).out, "gone: 2 dead letters deleted\n");
  assert.equal((await said((terminal) => showDeadLetters("gone", {}, terminal))).out, "");
  const all = await said((terminal) => showDeadLetters("gone", { all: true }, terminal));
  assert.equal(all.out.match(/ deleted$/gm)?.length, 3);
});
