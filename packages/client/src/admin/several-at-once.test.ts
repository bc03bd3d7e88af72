/** Several topics and groups deleted at once: 5002 and 5003, and 215 and 207 where a broker does not know those. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deleteSubscriptionGroupRequestHeader,
  deleteTopicInBrokerRequestHeader,
  deleteTopicInNamesrvRequestHeader,
  parseDeleteSubscriptionGroupListBody,
  parseDeleteTopicListBody,
  type RemotingCommand,
  RequestCode,
} from "@orbitmq/wire";
import type { OrbitError } from "../errors/errors.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { TestWorld } from "../testing/test-world.ts";
import { Admin } from "./admin.ts";

/** What is asked, in words. */
const ASKED: Readonly<Record<number, (request: RemotingCommand) => string>> = {
  [RequestCode.DELETE_TOPIC_IN_BROKER]: ({ ext }) =>
    `topic ${deleteTopicInBrokerRequestHeader.decode(ext).topic}`,
  [RequestCode.DELETE_TOPIC_IN_BROKER_LIST]: ({ body }) => `topics ${parseDeleteTopicListBody(body)}`,
  [RequestCode.DELETE_SUBSCRIPTIONGROUP]: ({ ext }) => {
    const { groupName, cleanOffset, removeOffset } = deleteSubscriptionGroupRequestHeader.decode(ext);
    return `group ${groupName} ${cleanOffset} ${removeOffset}`;
  },
  [RequestCode.DELETE_SUBSCRIPTION_GROUP_LIST]: ({ body }) => {
    const { groupNameList, cleanOffset } = parseDeleteSubscriptionGroupListBody(body);
    return `groups ${groupNameList} ${cleanOffset}`;
  },
};
const LISTS: readonly number[] = [
  RequestCode.DELETE_TOPIC_IN_BROKER_LIST,
  RequestCode.DELETE_SUBSCRIPTION_GROUP_LIST,
];

/** A broker that obeys, unless a test scripts it otherwise; an `old` one does not know lists. */
function obeys(broker: FakeBroker, old: boolean): string[] {
  const asked: string[] = [];
  for (const [text, tell] of Object.entries(ASKED)) {
    const code = Number(text);
    if (old && LISTS.includes(code)) continue;
    broker.server.handle(code, (request, exchange) => {
      asked.push(tell(request));
      const answer = broker.script?.(request, exchange) ?? false;
      exchange.reply(typeof answer === "object" ? answer : { code: 0 });
    });
  }
  return asked;
}

async function stage() {
  const w = new TestWorld();
  const [a, b] = [w.addBroker("broker-a"), w.addBroker("broker-b")];
  const [byA, byB, byNames] = [obeys(a, false), obeys(b, true), [] as string[]];
  w.nameServer.setRoute("orders", [b, a], 2);
  w.nameServer.server.handle(RequestCode.DELETE_TOPIC_IN_NAMESRV, ({ ext }, exchange) => {
    const { topic, clusterName } = deleteTopicInNamesrvRequestHeader.decode(ext);
    byNames.push(`${topic} ${clusterName}`);
    exchange.reply({ code: 0 });
  });
  const admin = new Admin(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(admin.start());
  return { w, admin, a, b, byA, byB, byNames };
}

const BOTH = ["broker-a", "broker-b"];

test("several topics go by one request to each broker, one after the other where it is not known, then from NameServers", async () => {
  const { w, admin, byA, byB, byNames } = await stage();
  assert.deepEqual(await w.settle(admin.deleteTopics(["x", "y", "x"])), [
    { topic: "x", brokers: BOTH },
    { topic: "y", brokers: BOTH },
  ]);
  assert.deepEqual([byA, byB], [["topics x,y"], ["topic x", "topic y"]]);
  assert.deepEqual(byNames, ["x undefined", "y undefined"]);
  await w.settle(admin.deleteTopics(["z"], { cluster: "C" }));
  assert.deepEqual([byA.at(-1), byNames.at(-1)], ["topic z", "z C"]);
  await w.settle(admin.deleteTopics(["p", "q"], { broker: "broker-a" }));
  assert.deepEqual([byA.at(-1), byB.at(-1), byNames.at(-1)], ["topics p,q", "topic z", "z C"]);
  await w.settle(admin.shutdown());
});

test("several groups go by one request to each broker, one after the other where it is not known", async () => {
  const { w, admin, byA, byB } = await stage();
  assert.deepEqual(await w.settle(admin.deleteGroups(["g", "h"], { cleanOffsets: true })), BOTH);
  assert.deepEqual([byA, byB], [["groups g,h true"], ["group g true true", "group h true true"]]);
  await w.settle(admin.deleteGroups(["g", "h"], { broker: "broker-a" }));
  assert.equal(byA.at(-1), "groups g,h false");
  await w.settle(admin.deleteGroup("g"));
  assert.deepEqual([byA.at(-1), byB.at(-1)], ["group g false false", "group g false false"]);
  await w.settle(admin.shutdown());
});

test("what a broker refuses is not asked for again, and NameServers keep the topics", async () => {
  const { w, admin, a, byA, byNames } = await stage();
  a.script = () => ({ code: 29, remark: "a system topic" });
  const error = (await w.failure(admin.deleteTopics(["x", "y"]))) as OrbitError;
  assert.deepEqual([error.code, error.done], ["INVALID_PARAMETER", ["broker-b"]]);
  assert.deepEqual([byA, byNames], [["topics x,y"], []]);
  await w.settle(admin.shutdown());
});

test("one after the other ends at the first that is refused, and the error tells which were done", async () => {
  const { w, admin, b, byB } = await stage();
  b.script = ({ ext }) => (ext.get("topic") === "y" ? { code: 1, remark: "no" } : false);
  const error = (await w.failure(admin.deleteTopics(["w", "x", "y", "z"]))) as OrbitError;
  assert.deepEqual(byB, ["topic w", "topic x", "topic y"]);
  assert.deepEqual([error.code, error.responseCode, error.remark], ["SYSTEM_ERROR", 1, "no"]);
  assert.match(error.message, /broker-b: .* \(at y; done before it: w, x\); done on broker-a$/);
  const first = (await w.failure(admin.deleteTopics(["y", "z"], { broker: "broker-b" }))) as OrbitError;
  assert.match(first.message, /no \(at y; none before it\)$/);
  await w.settle(admin.shutdown());
});

test("no name at all, or a wrong one among them, is refused before anything is sent", async () => {
  const { w, admin, byA, byB } = await stage();
  const codeOf = async (promise: Promise<unknown>) => ((await w.failure(promise)) as OrbitError).code;
  for (const names of [[], ["fine", "not fine"]]) {
    assert.equal(await codeOf(admin.deleteTopics(names)), "INVALID_ARGUMENT");
    assert.equal(await codeOf(admin.deleteGroups(names)), "INVALID_ARGUMENT");
  }
  assert.deepEqual([byA, byB], [[], []]);
  await w.settle(admin.shutdown());
});
