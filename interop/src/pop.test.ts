/**
 * The official push consumer 5.5.0 in POP mode against OrbitMQ, which says who pops what (mqadmin setConsumeMode):
 * consumed and acknowledged, refused and popped again, dead letters, a consumer and a broker that are killed,
 * the original broker on our store.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import type { JsonLine } from "./program-lines.ts";
import { storeWithJava, storeWithOurs } from "./store-owners.ts";
import { Workshop } from "./workshop.ts";

const timeout = 120_000;
const workshop = new Workshop("pop");
const home = workshop.place("data");
let server: ServerProcess;
let namesrv: string;
let clients: JavaClients;
before(async () => {
  server = workshop.ends(await startServerProcess({ home }), (it) => it.stop());
  ({ namesrvAddr: namesrv } = server);
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

async function admin(command: string): Promise<string> {
  const [printed] = await clients.run("admin", { line: `${command} -n ${namesrv}` });
  assert.doesNotMatch(String(printed?.["stderr"]), /SubCommandException|^Caused by/m, command);
  return String(printed?.["stdout"]);
}

/** A topic with a group that pops it. */
async function popped(name: string, settings = ""): Promise<{ topic: string; group: string }> {
  const names = { topic: `pop-${name}`, group: `g-pop-${name}` };
  await admin(`updateTopic -c DefaultCluster -t ${names.topic} -r 4 -w 4`);
  await admin(`updateSubGroup -c DefaultCluster -g ${names.group} ${settings}`);
  await admin(`setConsumeMode -c DefaultCluster -t ${names.topic} -g ${names.group} -m POP -q 0`);
  return names;
}

const refused = (line: JsonLine): boolean => line["accepted"] === false;

describe("the Java push consumer 5.5.0 in POP mode", () => {
  test("pops every message once, two members together", { timeout }, async () => {
    const names = { namesrv, ...(await popped("shared")), "pop-invisible-ms": 60_000 };
    const members = ["one", "two"].map((instance) =>
      clients.start("consume", { ...names, instance: `${instance}-shared` }),
    );
    await Promise.all(members.map((member) => member.line((line) => line["ready"] === true)));
    await clients.run("produce", { namesrv, topic: names.topic, count: 200, mode: "async" });
    const all = () => members.flatMap(({ lines }) => deliveriesIn(lines));
    await Promise.race(members.map((member) => member.until(() => (all().length >= 200 ? true : undefined))));
    await Promise.all(members.map((member) => member.stop()));
    assertDelivered(all(), { count: 200 });
    assert.ok(all().every(({ properties }) => / 0 broker-a \d \d+$/.test(properties["POP_CK"] ?? "")));
    const again = await clients.run("consume", { ...names, "idle-ms": 3_000 });
    assert.equal(deliveriesIn(again).length, 0, "what was acknowledged does not come again");
  });

  test("pops again what it refused, after the pause it asked for", { timeout }, async () => {
    const names = { namesrv, ...(await popped("refused")), "pop-invisible-ms": 60_000 };
    await clients.run("produce", { namesrv, topic: names.topic, count: 20, tag: "A" });
    const lines = await clients.run("consume", { ...names, tag: "A", count: 20, refuse: 1 });
    assertDelivered(deliveriesIn(lines), { count: 20, tag: "A" });
    assert.equal(lines.filter(refused).length, 20);
    for (const { topic, reconsumeTimes, properties } of deliveriesIn(lines)) {
      assert.equal(topic, names.topic);
      assert.equal(reconsumeTimes, 1);
      assert.match(properties["POP_CK"] ?? "", / 1 broker-a 0 \d+$/);
      assert.match(properties["1ST_POP_TIME"] ?? "", /^\d{13}$/);
    }
  });

  test("finds in the dead letters what the group may not try again", { timeout }, async () => {
    const names = { namesrv, ...(await popped("dead", "-r 0")), "pop-invisible-ms": 60_000 };
    await clients.run("produce", { namesrv, topic: names.topic, count: 5 });
    const consumer = clients.start("consume", { ...names, refuse: 9 });
    const dead = await clients.run("consume", {
      ...{ namesrv, topic: `%DLQ%${names.group}`, group: "d-pop-dead", count: 5 },
      "idle-ms": 60_000,
    });
    await consumer.stop();
    assert.equal(consumer.lines.filter(refused).length, 5);
    assertDelivered(deliveriesIn(dead), { count: 5 });
    assert.ok(deliveriesIn(dead).every(({ properties }) => properties["RETRY_TOPIC"] === names.topic));
  });

  test("gets what a member that was killed had popped, and what a killed broker knew", {
    timeout,
  }, async () => {
    const names = { namesrv, ...(await popped("killed")), "pop-invisible-ms": 8_000 };
    await clients.run("produce", { namesrv, topic: names.topic, count: 30 });
    const doomed = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
    const victim = doomed.start("consume", { ...names, refuse: 99, instance: "victim" });
    await victim.line(refused);
    await doomed.kill();
    await server.kill();
    server = workshop.ends(await startServerProcess({ home, options: portsOf(server) }), (it) => it.stop());
    const heir = clients.start("consume", { ...names, instance: "heir" });
    const keys = () => new Set(deliveriesIn(heir.lines).map(({ key }) => key));
    // Some may come twice: the broker was killed before it had written how far they were popped.
    await heir.until(() => (keys().size === 30 ? true : undefined));
    await heir.stop();
  });
});

test("a Java broker that takes the store over brings back what was popped and not acknowledged", {
  timeout: 240_000,
}, async () => {
  const nameServer = await startServerProcess({ role: "namesrv", home: "" });
  workshop.ends(nameServer, (it) => it.stop());
  const directory = workshop.place("taken-over");
  const opening = { workshop, namesrv: nameServer.namesrvAddr };
  const ours = await storeWithOurs(opening, join(directory, "store"), {}, { flags: [] });
  namesrv = nameServer.namesrvAddr;
  const names = { namesrv, ...(await popped("taken")), "pop-invisible-ms": 10_000 };
  const { topic } = names;
  await clients.run("produce", { namesrv, topic, count: 10, keys: "done-" });
  assertDelivered(deliveriesIn(await clients.run("consume", { ...names, count: 10 })), {
    keys: "done-",
    count: 10,
  });
  await clients.run("produce", { namesrv, topic, count: 20, keys: "open-" });
  const doomed = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
  const victim = doomed.start("consume", { ...names, refuse: 99, instance: "victim" });
  await victim.until(() => (victim.lines.filter(refused).length >= 20 ? true : undefined));
  await doomed.kill();
  await ours.stop();
  await storeWithJava(opening, directory, {});
  const heir = clients.start("consume", { ...names, instance: "heir", "idle-ms": 120_000 });
  const keys = () => new Set(deliveriesIn(heir.lines).map(({ key }) => key));
  await heir.until(() => (keys().size >= 20 ? true : undefined));
  await heir.stop();
  assert.deepEqual([...keys()].sort(), Array.from({ length: 20 }, (_, i) => `open-${i}`).sort());
});

/** The same ports again. */
function portsOf({ namesrvAddr, brokerAddr }: ServerProcess): string[] {
  const port = (address: string): string => address.slice(address.lastIndexOf(":") + 1);
  return ["--namesrv-port", port(namesrvAddr), "--broker-port", port(brokerAddr)];
}
