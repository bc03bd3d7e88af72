/** The commands that look at and change topics, groups, brokers, offsets and NameServers, against a server in memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Producer, PushConsumer } from "@orbitmq/client";
import { type ManualOrbitMQ, start } from "../start.ts";
import type { FakeTerminalOptions } from "../testing/fake-terminal.ts";
import { type InProcessRun, runInProcess } from "../testing/run-in-process.ts";

let mq: ManualOrbitMQ;
let producer: Producer;

before(async () => {
  mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  producer = new Producer({ ...mq.clientOptions, group: "makers", clientId: "maker" });
  await producer.start();
  await mq.advance(0);
});

after(async () => {
  await producer.shutdown();
  await mq.stop();
});

const orbitmq = (line: string, options: FakeTerminalOptions = {}): Promise<InProcessRun> =>
  runInProcess(line.split(" "), { env: { NAMESRV_ADDR: mq.namesrvAddr }, ...options });

async function ok(line: string, options: FakeTerminalOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await orbitmq(line, options);
  assert.equal(code, 0, `${line}: ${stderr}`);
  return stdout;
}

const json = async (line: string): Promise<Record<string, unknown>> => JSON.parse(await ok(`${line} --json`));

async function send(topic: string, count: number, queueId = 0): Promise<void> {
  for (let at = 0; at < count; at++)
    await producer.send(
      { topic, body: `m${at}`, keys: [`k${at}`] },
      { selector: (queues) => queues.find((queue) => queue.queueId === queueId) ?? queues[0] },
    );
}

describe("orbitmq cluster", () => {
  it("lists brokers and shows what flows", async () => {
    assert.match(await ok("cluster list"), /^DefaultCluster +broker-a +0 +127\.0\.0\.1:\d+$/m);
    const status = await json("cluster status");
    const [row] = status["brokers"] as Record<string, unknown>[];
    assert.deepEqual(
      [row?.["brokerName"], row?.["cluster"], row?.["version"]],
      ["broker-a", "DefaultCluster", "V5_5_0"],
    );
    assert.match(await ok("cluster status"), /^CLUSTER +BROKER .*IN\/S +OUT\/S/);
    assert.equal((await orbitmq("cluster status nowhere")).code, 2);
  });

  it("looks again each turn with --watch, drawing over a terminal and in JSON lines otherwise, until SIGINT", async () => {
    const twice = { onPause: (count: number, stop: () => void) => void (count === 2 && stop()) };
    const drawn = await orbitmq("cluster status --watch 5", { ...twice, person: true });
    assert.deepEqual([drawn.code, drawn.terminal.pauses], [0, [5_000, 5_000]]);
    assert.equal(drawn.stdout.split("\u001b[H\u001b[J").length - 1, 2);
    const lines = await orbitmq("cluster status --watch --json", twice);
    assert.deepEqual([lines.code, lines.terminal.pauses], [0, [2_000, 2_000]]);
    assert.equal(
      lines.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)).length,
      2,
    );
    const piped = await orbitmq("cluster status -w 1", twice);
    assert.equal(piped.stdout.split("\n\n").length, 2);
  });
});

describe("orbitmq topic", () => {
  it("is created, shown, and changed in what is given", async () => {
    assert.match(
      await ok("topic create t1 --queues 4 --attribute message.type=FIFO"),
      /^t1: 4 queues, rw, on broker-a$/m,
    );
    assert.match(await ok("topic update t1 --queues 6 --perm r"), /^t1: changed on broker-a$/m);
    const { brokers } = await json("topic show t1");
    assert.deepEqual(brokers, [
      {
        topic: "t1",
        brokerName: "broker-a",
        readQueueNums: 6,
        writeQueueNums: 6,
        perm: 4,
        order: false,
        attributes: { "message.type": "FIFO" },
      },
    ]);
    assert.match(await ok("topic update t1 --attribute message.type="), /changed/);
    assert.match(await ok("topic show t1"), /^broker-a +6 +6 +r +no +none$/m);
    assert.equal((await orbitmq("topic update t1")).code, 2);
  });

  it("is deleted after asking", async () => {
    await ok("topic create t1");
    const unasked = await orbitmq("topic delete t1");
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /^orbitmq: .*delete the topic t1.*say --yes\n$/);
    const no = await orbitmq("topic delete t1", { person: true, stdin: "n\n" });
    assert.deepEqual([no.code, no.stdout], [2, ""]);
    assert.match(no.stderr, /Go on\? \[y\/N\] orbitmq: nothing was done\n$/);
    assert.match(await ok("topic delete t1", { person: true, stdin: "y\n" }), /^t1: deleted on broker-a$/m);
    await mq.advance(0);
    const { topics } = await json("topic list");
    assert.equal((topics as string[]).includes("t1"), false);
    assert.equal((await orbitmq("topic show t1")).code, 9);
  });

  it("is deleted with others at once, asked about and told one by one", async () => {
    for (const name of ["d1", "d2", "d3"]) await ok(`topic create ${name}`);
    const unasked = await orbitmq("topic delete d1 d2 d3 d1");
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /delete the topics d1, d2 and d3 with all their messages; nobody/);
    assert.equal(
      await ok("topic delete d1 d2 d1 --yes"),
      "d1: deleted on broker-a\nd2: deleted on broker-a\n",
    );
    assert.equal(await ok("topic delete d3 -y --json"), '{"topic":"d3","brokers":["broker-a"]}\n');
    await mq.advance(0);
    const { topics } = await json("topic list");
    assert.deepEqual(
      (topics as string[]).filter((name) => /^d\d$/.test(name)),
      [],
    );
  });

  it("shows what flows in and out", async () => {
    await ok("topic create flow --queues 1");
    await send("flow", 30);
    const consumer = new PushConsumer({ ...mq.clientOptions, group: "readers", from: "first" });
    consumer.listen("flow", () => {});
    await consumer.start();
    await mq.advance(60_000);
    const stats = await json("topic stats flow");
    assert.equal((stats["in"] as Record<string, number>)["lastHour"], 30);
    assert.deepEqual(
      (stats["groups"] as Record<string, unknown>[]).map(({ group, lag }) => [group, lag]),
      [["readers", 0]],
    );
    assert.match(await ok("topic stats flow"), /^to readers +[\d.]+ +30 +30 +0$/m);
    assert.match(await ok("topic groups flow"), /^readers$/m);
    await consumer.shutdown();
  });
});

describe("orbitmq group", () => {
  it("is created and changed setting by setting, and deleted after asking", async () => {
    assert.match(await ok("group set g1 --retries 3 --timeout 20m"), /^g1: set on broker-a$/m);
    await ok("group set g1 --consume no");
    const { brokers } = await json("group show g1");
    const [settings] = brokers as Record<string, unknown>[];
    assert.deepEqual(
      [settings?.["retryMaxTimes"], settings?.["consumeTimeoutMinute"], settings?.["consumeEnable"]],
      [3, 20, false],
    );
    assert.match(await ok("group list"), /^g1 +no +3 +none +broker-a$/m);
    await ok("topic create secret");
    assert.match(await ok("group forbid g1 secret --yes"), /^g1 may not read secret on broker-a$/m);
    assert.match(await ok("group list"), /^g1 +no +3 +secret +broker-a$/m);
    assert.match(await ok("group forbid g1 secret --off"), /^g1 may read secret on broker-a$/m);
    assert.match(await ok("group mode g1 secret pop --share 2"), /^g1: POP for secret on broker-a$/m);
    assert.equal((await orbitmq("group mode g1 secret fetch")).code, 2);
    assert.equal((await orbitmq("group set g1 --timeout 90s")).code, 2);
    assert.equal((await orbitmq("group delete g1")).code, 2);
    assert.match(await ok("group delete g1 --clean-offsets -y"), /^g1: deleted on broker-a$/m);
    assert.equal((await orbitmq("group show g1")).code, 9);
  });

  it("is deleted with others at once, asked about and told one by one", async () => {
    for (const name of ["g2", "g3"]) await ok(`group set ${name}`);
    const unasked = await orbitmq("group delete g2 g3 --clean-offsets");
    assert.equal(unasked.code, 2);
    assert.match(
      unasked.stderr,
      /settings of the groups g2 and g3 and where they are in their topics; nobody/,
    );
    const lines = '{"group":"g2","brokers":["broker-a"]}\n{"group":"g3","brokers":["broker-a"]}\n';
    assert.equal(await ok("group delete g2 g3 g2 --yes --json"), lines);
    assert.doesNotMatch(await ok("group list"), /^g[23] /m);
  });
});

describe("orbitmq offset", () => {
  before(async () => {
    await ok("topic create moved --queues 2");
    await send("moved", 5);
    await ok("group set mover");
  });

  const offsetOf = async (group: string): Promise<unknown> => {
    const { queues } = await json(`offset show ${group} moved`);
    return (queues as Record<string, unknown>[]).map(({ consumerOffset }) => consumerOffset);
  };

  it("only tells with --dry-run, moves with --yes, and one queue when it is named", async () => {
    const plan = await ok("offset reset mover moved --to end --dry-run");
    assert.match(plan, /^broker-a +0 +nowhere +5 *$/m);
    assert.deepEqual(await offsetOf("mover"), [undefined, undefined]);
    await ok("offset reset mover moved --to end --yes");
    assert.deepEqual(await offsetOf("mover"), [5, 0]);
    await ok("offset reset mover moved --to begin --yes");
    assert.deepEqual(await offsetOf("mover"), [0, 0]);
    const moved = await ok("offset reset mover moved --to @3 --broker broker-a --queue 0 --yes");
    assert.match(moved, /^broker-a +0 +0 +3 +3$/m);
    assert.deepEqual(await offsetOf("mover"), [3, 0]);
    await ok("offset skip mover moved --yes");
    assert.deepEqual(await offsetOf("mover"), [5, 0]);
  });

  it("asks with what it would do before it", async () => {
    const no = await orbitmq("offset reset mover moved --to begin", { person: true, stdin: "\n" });
    assert.match(no.stderr, /This would let mover consume 5 messages of moved again and leave 0 out/);
    assert.deepEqual([no.code, await offsetOf("mover")], [2, [5, 0]]);
  });

  it("refuses what is no place", async () => {
    for (const [flags, about] of [
      ["--to lunch", /--to takes a time, begin, end or @offset/],
      ["--to @3", /--broker and --queue/],
      ["--to end --queue 0", /--broker and --queue/],
      ["--to end --broker broker-a --queue 7", /2 queues/],
    ] as const) {
      const { code, stderr } = await orbitmq(`offset reset mover moved ${flags} --yes`);
      assert.equal(code, 2, stderr);
      assert.match(stderr, about);
    }
  });

  it("lets one group go on where another is", async () => {
    await ok("group set follower");
    assert.match(await ok("offset clone mover follower moved --yes"), /^follower goes on where mover is/m);
    assert.deepEqual(await offsetOf("follower"), [5, 0]);
  });
});

describe("orbitmq consumer and producer", () => {
  it("show who is online and what a member does, and have one consume a message by hand", async () => {
    await ok("topic create watched --queues 1");
    await send("watched", 1);
    const heard: string[] = [];
    const consumer = new PushConsumer({
      ...mq.clientOptions,
      group: "watchers",
      clientId: "one",
      from: "first",
    });
    consumer.listen("watched", (message) => void heard.push(message.text()), { tags: "*" });
    await consumer.start();
    await mq.advance(5_000);
    const list = await ok("consumer list watchers");
    assert.match(list, /^watchers: CLUSTERING, CONSUME_PASSIVELY, CONSUME_FROM_FIRST_OFFSET$/m);
    assert.match(list, /^one +127\.0\.0\.1:\d+ +NODE_JS +V5_5_0 +broker-a$/m);
    const status = await json("consumer status watchers one");
    assert.deepEqual(
      (status["queues"] as Record<string, unknown>[])
        .map(({ queue, commitOffset }) => [(queue as Record<string, unknown>)["topic"], commitOffset])
        .filter(([topic]) => topic === "watched"),
      [["watched", 1]],
    );
    assert.match(await ok("consumer status watchers one"), /^TOPIC +PULLED\/S/m);
    const stack = await orbitmq("consumer stack watchers one");
    assert.equal(stack.code, 9);
    assert.match(stack.stderr, /a Node process does not/);
    const nobody = await orbitmq("consumer status watchers two");
    assert.equal(nobody.code, 9);
    const { offsetMsgId } = await json("message at watched broker-a 0 0");
    const by = await ok(`consumer consume watchers watched ${offsetMsgId}`);
    assert.match(by, /^one: CR_SUCCESS after \d+ ms$/m);
    assert.deepEqual(heard, ["m0", "m0"]);
    await consumer.shutdown();
    assert.match(await ok("consumer list watchers"), /^watchers: nobody is online$/m);
  });

  it("list producers by group", async () => {
    await mq.advance(30_000);
    assert.match(
      await ok("producer list"),
      /^makers +maker +127\.0\.0\.1:\d+ +NODE_JS +V5_5_0 +broker-a +20/m,
    );
    assert.match(await ok("producer list makers"), /^maker +127\.0\.0\.1:\d+ +NODE_JS/m);
    assert.match(await ok("producer list nobody"), /^nobody: nobody is online$/m);
  });
});

describe("orbitmq broker", () => {
  it("says what a broker says of itself, by name and by address", async () => {
    const text = await ok("broker status broker-a");
    assert.match(text, /^version +V5_5_0$/m);
    assert.match(text, /^msgPutTotalTodayNow +\d+$/m);
    const { brokerName } = await json(`broker status ${mq.brokerAddr}`);
    assert.equal(brokerName, "broker-a");
    assert.equal((await orbitmq("broker status nobody")).code, 9);
    assert.match(await ok("broker list"), /broker-a/);
  });

  it("shows a counter, or nothing where nothing was counted", async () => {
    await ok("topic create counted --queues 1");
    await send("counted", 2);
    assert.match(await ok("broker stats TOPIC_PUT_NUMS counted"), /^broker-a +day +2 /m);
    assert.deepEqual((await json("broker stats TOPIC_PUT_NUMS nothing"))["brokers"], []);
  });

  it("cleans up, asking before messages go", async () => {
    assert.match(await ok("broker clean-expired"), /on broker-a$/m);
    assert.equal((await orbitmq("broker delete-expired-log")).code, 2);
    assert.match(await ok("broker delete-expired-log --yes"), /on broker-a$/m);
    assert.match(await ok("topic clean-unused --yes"), /on broker-a$/m);
    assert.match(await ok("broker ha broker-a"), /^broker-a: master, log ends at \d+, 0 slaves in sync$/m);
  });

  it("takes producers away from a broker and lets them come back", async () => {
    await ok("topic create steered --queues 1");
    assert.match(await ok("broker writable broker-a --off --yes"), /: \d+ topics not writable$/m);
    assert.match(await ok("topic route steered"), / r$/m);
    assert.match(await ok("broker writable broker-a"), /: \d+ topics writable$/m);
    assert.match(await ok("topic route steered"), / rw$/m);
  });

  it("still runs a broker when no such word follows", async () => {
    assert.equal((await orbitmq("broker stauts")).code, 2);
    const early = await orbitmq("broker --json list");
    assert.deepEqual([early.code, early.stdout], [2, ""]);
    assert.match(early.stderr, /--json stands before list/);
    assert.match(await ok("broker --help"), /--broker-port <n>.*\bstatus\b/s);
  });
});

describe("orbitmq config of NameServers", () => {
  it("keeps, shows and deletes values", async () => {
    assert.match(await ok("config kv put ns a 1"), /^ns a: kept/);
    assert.match(await ok("config kv get ns a"), /:\d+ +1$/m);
    assert.match(await ok("config kv list ns"), /:\d+ +a +1$/m);
    assert.equal((await orbitmq("config kv delete ns a")).code, 2);
    await ok("config kv delete ns a --yes");
    const { servers } = await json("config kv get ns a");
    assert.deepEqual(Object.values(servers as object), [null]);
  });
});

describe("orbitmq message", () => {
  it("prints the message at an offset, and says where the queue ends when there is none", async () => {
    await ok("topic create placed --queues 1");
    await send("placed", 2);
    assert.match(await ok("message at placed broker-a 0 1"), /^m1$/m);
    const { code, stderr } = await orbitmq("message at placed broker-a 0 9");
    assert.equal(code, 9);
    assert.match(stderr, /no offset 9; it has 0 to 1/);
    assert.equal((await orbitmq("message at placed broker-a x 9")).code, 2);
    const units = await ok("message units placed broker-a 0 --from 1");
    assert.match(units, /^offsets 0 to \d+\n\nOFFSET +LOG OFFSET +BYTES +TAGS CODE\n +1 +\d+ +\d+ +0\n$/);
  });
});

it("every command that talks to servers ends with 9 and one sentence when there is no NameServer", async () => {
  const { code, stderr } = await runInProcess(["topic", "list", "-n", "127.0.0.1:1x"]);
  assert.equal(code, 2);
  assert.match(stderr, /^orbitmq: namesrv: .*host:port/);
});
