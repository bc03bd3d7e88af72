/**
 * What groups and consumers may send that they should not, and more of it than is good: documented codes, bounded
 * memory, nothing lost, and whoever behaves is served all the while.
 */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import {
  newSubscriptionData,
  parseConsumerList,
  RequestCode,
  ResponseCode,
  readRecords,
} from "@orbitmq/wire";
import {
  consumerOf,
  everythingOf,
  InProcessStage,
  type RawClient,
  until,
} from "./testing/in-process-stage.ts";

let stage: InProcessStage;

async function started(...options: string[]): Promise<InProcessStage> {
  stage = new InProcessStage(options);
  await stage.start();
  return stage;
}

afterEach(() => stage.stop());

const bodiesOf = (body: Buffer): string[] =>
  body.length === 0 ? [] : readRecords(body).map((record) => Buffer.from(record.body).toString());

const codesOf = async (asked: readonly ReturnType<RawClient["ask"]>[]): Promise<number[]> =>
  (await Promise.all(asked)).map(({ code }) => code);

const offsetOf = (client: RawClient, consumerGroup: string, topic: string) =>
  client.ask(RequestCode.QUERY_CONSUMER_OFFSET, {
    consumerGroup,
    topic,
    queueId: 0,
    setZeroIfNotFound: false,
  });

const commit = (client: RawClient, consumerGroup: string, topic: string, commitOffset: number, queueId = 0) =>
  client.ask(RequestCode.UPDATE_CONSUMER_OFFSET, { consumerGroup, topic, queueId, commitOffset });

const membersOf = async (client: RawClient, consumerGroup: string): Promise<string[]> => {
  const { code, body } = await client.ask(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup });
  return code === ResponseCode.SUCCESS ? parseConsumerList(body) : [];
};

describe("heartbeats", () => {
  it("that are none are answered 1, change nothing, and cost no connection", async () => {
    const client = (await started()).client();
    await client.beat(consumerOf("g", everythingOf("t")));
    const bodies = [
      "",
      "{",
      "[]",
      "null",
      '"x"',
      '{"clientID":7}',
      '{"clientID":"c0","consumerDataSet":[null]}',
      '{"clientID":"c0","consumerDataSet":{"groupName":"g"}}',
      `{"clientID":"c0","consumerDataSet":[${"[".repeat(5_000)}`,
      `{"clientID":"${"x".repeat(100_000)}`,
    ];
    const codes = await codesOf(
      bodies.map((body) => client.ask(RequestCode.HEART_BEAT, {}, Buffer.from(body))),
    );
    assert.deepEqual(codes, Array(bodies.length).fill(ResponseCode.SYSTEM_ERROR));
    assert.deepEqual(await membersOf(client, "g"), [client.id]);
  });

  it("that were overtaken do not bring an older subscription back", async () => {
    const client = (await started()).client();
    await client.send("t", "a1", "TAGS\u0001a\u0002");
    await client.send("t", "b1", "TAGS\u0001b\u0002");
    await client.beat(consumerOf("g", newSubscriptionData("t", "b", 2)));
    await client.beat(consumerOf("g", newSubscriptionData("t", "a", 1)));
    const { code, body } = await client.pull("g", "t", { sysFlag: 0, subVersion: 2 });
    assert.deepEqual([code, bodiesOf(body)], [ResponseCode.SUCCESS, ["b1"]]);
  });
});

describe("groups nobody knows", () => {
  it("are answered with the code of their kind where groups are not created, and leave nothing behind", async () => {
    const client = (await started("autoCreateSubscriptionGroup=false")).client();
    await client.send("t", "x");
    const reset = { group: "ghost", topic: "t", timestamp: 0, isForce: true };
    const codes = await codesOf([
      client.pull("ghost", "t"),
      commit(client, "ghost", "t", 1),
      offsetOf(client, "ghost", "t"),
      client.ask(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: "ghost" }),
      client.ask(RequestCode.CONSUMER_SEND_MSG_BACK, {
        offset: 0,
        group: "ghost",
        delayLevel: 0,
        unitMode: false,
      }),
      client.ask(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, reset),
      client.ask(RequestCode.GET_CONSUMER_CONNECTION_LIST, { consumerGroup: "ghost" }),
      client.ask(RequestCode.GET_CONSUMER_RUNNING_INFO, { consumerGroup: "ghost", clientId: "c" }),
      client.ask(RequestCode.UNREGISTER_CLIENT, { clientID: "c", consumerGroup: "ghost" }),
      client.beat(consumerOf("ghost", everythingOf("t"))),
    ]);
    assert.deepEqual(codes, [26, 26, 22, 1, 26, 26, 206, 1, 0, 0]);
    assert.deepEqual(await membersOf(client, "ghost"), []);
    const { body } = await client.ask(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG);
    assert.doesNotMatch(body.toString(), /ghost/);
  });
});

describe("offsets from elsewhere", () => {
  it("beyond the end, below zero or of no queue are kept as what is possible, and no message is passed over", async () => {
    const client = (await started()).client();
    for (const text of ["a", "b", "c"]) await client.send("t", text);
    await client.beat(consumerOf("g", everythingOf("t")));
    await commit(client, "g", "t", 2);
    const codes = await codesOf([
      commit(client, "g", "t", -1),
      commit(client, "g", "t", Number.MIN_SAFE_INTEGER),
      commit(client, "g", "t", 0, -1),
      commit(client, "g", "t", 0, 99),
      client.ask(RequestCode.UPDATE_CONSUMER_OFFSET, {
        consumerGroup: "g",
        topic: "t",
        queueId: 0,
        commitOffset: "99999999999999999999",
      }),
    ]);
    assert.deepEqual(codes, [0, 0, 29, 29, 1]);
    assert.equal((await offsetOf(client, "g", "t")).ext.get("offset"), "2");
    assert.equal((await commit(client, "g", "t", Number.MAX_SAFE_INTEGER)).code, 0);
    assert.equal((await offsetOf(client, "g", "t")).ext.get("offset"), "3", "the end");
    await client.send("t", "d");
    assert.deepEqual(bodiesOf((await client.pull("g", "t", { queueOffset: 3 })).body), ["d"]);
  });

  it("in pulls are answered with where to go on", async () => {
    const client = (await started()).client();
    for (const text of ["a", "b", "c"]) await client.send("t", text);
    const answers = await Promise.all(
      [-5, 4, 1_000_000, Number.MAX_SAFE_INTEGER].map((queueOffset) =>
        client.pull("g", "t", { queueOffset }),
      ),
    );
    assert.deepEqual(
      answers.map(({ code, ext }) => [code, ext.get("nextBeginOffset")]),
      [
        [ResponseCode.PULL_OFFSET_MOVED, "0"],
        [ResponseCode.PULL_OFFSET_MOVED, "3"],
        [ResponseCode.PULL_OFFSET_MOVED, "3"],
        [ResponseCode.PULL_OFFSET_MOVED, "3"],
      ],
    );
  });
});

describe("subscriptions", () => {
  it("that do not parse are answered 23 wherever they come, and only those", async () => {
    const client = (await started()).client();
    await client.send("t", "x", "a\u00011\u0002");
    const sql = (subscription: string) => ({ subscription, expressionType: "SQL92" });
    const codes = await codesOf([
      client.pull("g", "t", { subscription: "||" }),
      client.pull("g", "t", sql("a >")),
      client.pull("g", "t", sql("")),
      client.pull("g", "t", sql("(".repeat(10_000))),
      client.pull("g", "t", sql(`a = '${"x".repeat(70_000)}'`)),
      client.pull("g", "t", { subscription: "x", expressionType: "XPATH" }),
      client.pull("g", "t", sql("a = 1")),
    ]);
    assert.deepEqual(codes, [23, 23, 23, 23, 23, 23, 0]);
    const check = Buffer.from(
      JSON.stringify({
        clientId: client.id,
        group: "g",
        namespace: "",
        subscriptionData: { topic: "t", subString: "a IN (", expressionType: "SQL92", subVersion: 1 },
      }),
    );
    assert.equal((await client.ask(RequestCode.CHECK_CLIENT_CONFIG, {}, check)).code, 23);
  });

  it("with slow filters hold nobody up: others are answered between their looks", async () => {
    const [slow, other] = [(await started()).client(), stage.client()];
    const property = `p\u0001${"ab".repeat(8_000)}\u0002`;
    await Promise.all(Array.from({ length: 100 }, (_, i) => slow.send("t", String(i), property)));
    const expression = Array.from({ length: 64 }, (_, i) => `p CONTAINS 'abba${i}'`).join(" OR ");
    let looks = 0;
    let next = 0;
    let othersMeanwhile = 0;
    while (next < 100) {
      const [answer, sent] = await Promise.all([
        slow.pull("g", "t", { queueOffset: next, subscription: expression, expressionType: "SQL92" }),
        other.send("others", "x"),
      ]);
      const before = next;
      next = Number(answer.ext.get("nextBeginOffset"));
      assert.ok(next > before, "it goes on");
      assert.deepEqual(bodiesOf(answer.body), []);
      looks++;
      othersMeanwhile += sent.code === 0 ? 1 : 0;
    }
    assert.ok(looks > 1, "one look at everything would have held all others up");
    assert.equal(othersMeanwhile, looks);
  });
});

describe("ten thousand pulls that wait", () => {
  it("are all woken by one message, and those whose connection closed cost nothing", async () => {
    const [staying, leaving] = [(await started()).client(), stage.client()];
    await staying.send("t", "first");
    const gone: unknown[] = [];
    for (let i = 0; i < 5_000; i++) leaving.wait("g", "t", 1).catch((error: unknown) => gone.push(error));
    const waiting = Array.from({ length: 5_000 }, () => staying.wait("g", "t", 1));
    // Answered behind them on the same connection: all of them wait by now.
    await Promise.all([staying.pull("g", "t"), leaving.pull("g", "t")]);
    leaving.close();
    await until(() => gone.length === 5_000);
    await staying.send("t", "second");
    const answers = await Promise.all(waiting);
    assert.ok(answers.every(({ code, body }) => code === 0 && bodiesOf(body).join() === "second"));
  });
});

describe("five thousand consumers in a group", () => {
  it("that come one by one all know each other in the end, and are not told of each one that came", async () => {
    stage = new InProcessStage([], "manual");
    await stage.start();
    const clients = Array.from({ length: 5_000 }, () => stage.client());
    const beat = consumerOf("g", everythingOf("t"));
    for (let i = 0; i < clients.length; i += 5)
      await Promise.all(clients.slice(i, i + 5).map((client) => client.beat(beat)));
    const [first, last] = [clients[0]!, clients.at(-1)!];
    assert.ok(first.told < 20, `told ${first.told} times although no time has passed`);
    assert.equal(last.told, 0);
    await stage.advance(1_000);
    assert.ok(first.told < 20 && last.told > 0, "and once more of all that came meanwhile");
    assert.equal((await membersOf(first, "g")).length, 5_000);
    for (const client of clients.slice(2_500)) client.close();
    const told = first.told;
    await stage.advance(1_000);
    assert.equal((await membersOf(first, "g")).length, 2_500);
    assert.ok(
      first.told > told && first.told < told + 5,
      `told ${first.told - told} times of 2,500 that left`,
    );
  });
});

describe("a client that connects again in a loop", () => {
  it("leaves nothing behind, and others are served", async () => {
    const steady = (await started()).client();
    await steady.send("t", "first");
    await steady.beat(consumerOf("g", everythingOf("t")));
    const waiting = steady.wait("g", "t", 1);
    for (let round = 0; round < 500; round++) {
      const client = stage.client();
      client.wait("looping", "t", 1).catch(() => "its connection closes");
      const codes = await codesOf([
        client.beat(consumerOf("looping", everythingOf("t"))),
        client.ask(RequestCode.LOCK_BATCH_MQ, {}, lockBody("looping", client.id)),
      ]);
      assert.deepEqual(codes, [0, 0]);
      client.close();
    }
    for (let asked = 0; (await membersOf(steady, "looping")).length > 0; asked++)
      assert.ok(asked < 1_000, "its members leave with their connections");
    await steady.send("t", "second");
    assert.deepEqual(bodiesOf((await waiting).body), ["second"]);
    assert.deepEqual(await membersOf(steady, "g"), [steady.id]);
  });
});

function lockBody(consumerGroup: string, clientId: string): Buffer {
  const mqSet = [{ topic: "t", brokerName: "broker-a", queueId: 0 }];
  return Buffer.from(JSON.stringify({ consumerGroup, clientId, mqSet }));
}
