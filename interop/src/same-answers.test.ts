/** The same questions asked of OrbitMQ and of the original: mqadmin's tables, sends, pulls, refusals. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { deliveriesIn } from "./delivery.ts";
import { javaVersions } from "./java-classpath.ts";
import { type JavaClients, runAdmin, startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("same-answers");

interface Cluster {
  readonly namesrv: string;
  readonly broker: string;
}
let ours: Cluster;
let theirs: Cluster;
let server: ServerProcess;

before(async () => {
  const [process, java] = await Promise.all([
    startServerProcess({ home: workshop.place("data") }),
    startJavaServer({ directory: workshop.place("java") }),
  ]);
  server = workshop.ends(process, (it) => it.stop());
  workshop.ends(java, (it) => it.kill());
  ours = { namesrv: server.namesrvAddr, broker: server.brokerAddr };
  theirs = { namesrv: java.namesrv, broker: java.broker };
});

/** What differs between any two clusters and runs: addresses, times, rates. Width of columns does not. */
function plain(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, "ADDRESS")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}/g, "TIME")
    .replaceAll(/\d+\.\d\d\((\d+,\d+ms(\|\d+,\d+ms)?)\)/g, "RATE")
    .replaceAll(/TPS: \d+\.\d+/g, "TPS: RATE")
    .replaceAll(/(\d+)-\d+\(0\.0w, 0\.0, 0\.0\)/g, "TIMER")
    .replaceAll(/ 0\.\d\d +0\.\d{4}/g, " HOURS RATIO")
    .replaceAll(/(broker-a +0 +0 +\d+) +\d+/g, "$1 PULLED");
}

/** The reason a command was refused, without the stack that says where in the client. */
const reason = (stderr: string): string => /^Caused by: .*$/m.exec(stderr)?.[0] ?? "";

for (const version of javaVersions) {
  describe(`the client and mqadmin ${version}`, () => {
    let clients: JavaClients;
    const topic = `T${version.replaceAll(".", "")}`;
    before(async () => {
      const started = await startJavaClients({ home: workshop.folder, version });
      clients = workshop.ends(started, (it) => it.stop());
    });

    async function admin(command: string, { namesrv, broker }: Cluster) {
      const line = `${command.replace("BROKER", broker).replace("TOPIC", topic)} -n ${namesrv}`;
      const [printed] = await clients.run("admin", { line });
      return { stdout: String(printed?.["stdout"]), stderr: String(printed?.["stderr"]) };
    }

    /** The same command prints the same for both; returns what. */
    async function same(command: string, pattern: RegExp): Promise<void> {
      const [expected, actual] = [await admin(command, theirs), await admin(command, ours)];
      assert.equal(plain(actual.stdout), plain(expected.stdout), command);
      assert.equal(plain(reason(actual.stderr)), plain(reason(expected.stderr)), command);
      assert.match(actual.stdout || reason(actual.stderr), pattern);
    }

    test("updateTopic creates, changes and refuses as on the original", { timeout }, async () => {
      await same("updateTopic -b BROKER -t TOPIC -r 4 -w 4 -p 4", /readQueueNums=4, .*perm=R--/);
      await same("updateTopic -b BROKER -t TOPIC -r 3 -w 3 -p 6", /readQueueNums=3, .*perm=RW-/);
      await same(`updateTopic -c DefaultCluster -t TOPIC-2`, /readQueueNums=8/);
      await same("updateTopic -b BROKER -t BenchmarkTest", /CODE: 29 .*conflict with system topic/);
      await same("updateTopic -b BROKER -t wrong/name", /CODE: 29 .*illegal characters/);
    });

    test("topicRoute shows where the queues are", { timeout }, async () => {
      await same("topicRoute -t TOPIC", /"brokerName":"broker-a",\s+"perm":6,\s+"readQueueNums":3/);
      await same("topicRoute -l -t TOPIC", /broker-a +\{0=127\.0\.0\.1:\d+\} +3 +3 +6/);
      await same("topicClusterList -t TOPIC", /^DefaultCluster\n/);
      await same("topicRoute -t NoSuchTopic", /CODE: 17 {2}DESC: No topic route info/);
    });

    test("topicStatus shows offsets and times", { timeout }, async () => {
      for (const { namesrv } of [ours, theirs])
        await clients.run("produce", { namesrv, topic, count: 6, queue: 1 });
      // The original's ConsumeQueue follows an acknowledgement by a moment.
      while (!(await admin("topicStatus -t TOPIC", theirs)).stdout.match(/1 +0 +6 /));
      await same("topicStatus -t TOPIC", /broker-a +0 +0 +0 *\nbroker-a +1 +0 +6 +2\d{3}-/);
      await same("topicStatus -t NoSuchTopic", /CODE: 17 /);
    });

    test("clusterList shows the broker and its rates", { timeout }, async () => {
      await same("clusterList -m", /DefaultCluster +broker-a +0 +0 +\d+ +\d+/);
      const { stdout, stderr } = await admin("clusterList", ours);
      assert.doesNotMatch(stderr, /NullPointer/);
      const original = (await admin("clusterList", theirs)).stdout;
      assert.equal(plain(stdout), plain(original));
      assert.match(stdout, /DefaultCluster +broker-a +0 +127\.0\.0\.1:\d+ +V5_5_0 /);
    });

    test("topicList names the same topics, but for the original's RocksDB ones", { timeout }, async () => {
      const names = async (cluster: Cluster) =>
        (await admin("topicList", cluster)).stdout.split("\n").filter(Boolean).sort();
      const original = (await names(theirs)).filter((name) => !name.includes("ROCKSDB"));
      assert.deepEqual(await names(ours), original);
      assert.ok(original.includes(topic));
    });

    test("brokerStatus names whatever the original names", { timeout }, async () => {
      const names = async (cluster: Cluster) =>
        (await admin("brokerStatus -b BROKER", cluster)).stdout
          .split("\n")
          .map((line) => line.split(":")[0]?.trim() ?? "")
          .filter((name) => name !== "" && !name.startsWith("commitLogDiskRatio_"))
          .sort();
      const told = new Set(await names(ours));
      const missing = (await names(theirs)).filter((name) => !told.has(name));
      assert.deepEqual(missing, []);
    });

    test("NameServers keep KV configuration and take write permission alike", { timeout }, async () => {
      await same("updateKvConfig -s NS -k key -v value", /create or update kv config to namespace success/);
      await same("deleteKvConfig -s NS -k key", /delete kv config from namespace success/);
      await same("updateOrderConf -t TOPIC -m put -v broker-a:3", /update orderConf success.*broker-a:3/);
      await same("updateOrderConf -t TOPIC -m get", /get orderConf success.*broker-a:3/);
      await same("updateOrderConf -t TOPIC -m delete", /delete orderConf success/);
      await same("updateOrderConf -t TOPIC -m get", /CODE: 22 .*No config item/);
      const wiped = async (cluster: Cluster) =>
        (await admin("wipeWritePerm -b broker-a", cluster)).stdout.replace(/\d+\n*$/, "COUNT");
      assert.equal(plain(await wiped(ours)), plain(await wiped(theirs)));
      await same("topicRoute -l -t TOPIC", /broker-a +\{0=127\.0\.0\.1:\d+\} +3 +3 +4/);
      for (const cluster of [ours, theirs]) await admin("addWritePerm -b broker-a", cluster);
      await same("topicRoute -l -t TOPIC", /broker-a +\{0=127\.0\.0\.1:\d+\} +3 +3 +6/);
    });

    test("topics are deleted, and configuration is changed, as on the original", { timeout }, async () => {
      await same("updateTopic -b BROKER -t TOPIC-gone -r 2 -w 2", /readQueueNums=2/);
      await same(
        "deleteTopic -c DefaultCluster -t TOPIC-gone",
        /delete topic \[\S+-gone\] from (cluster|Name)/,
      );
      await same("topicRoute -t TOPIC-gone", /CODE: 17 /);
      await same("updateBrokerConfig -b BROKER -k deleteWhen -v 03", /update broker config success/);
      await same("updateBrokerConfig -b BROKER -k brokerConfigPath -v /x", /CODE: 16 .*black list/);
      for (const cluster of [ours, theirs]) {
        const { stdout } = await admin("getBrokerConfig -b BROKER", cluster);
        assert.match(stdout, /^deleteWhen +=? *03/m);
      }
    });

    test("sends and pulls get the same answers, refusals included", { timeout }, async () => {
      const tour = async ({ namesrv, broker }: Cluster) => {
        const options = { namesrv, broker, topic: `${topic}-tour`, suffix: version.replaceAll(".", "") };
        await clients.run("admin", {
          line: `updateTopic -n ${namesrv} -b ${broker} -t ${topic}-tour -r 1 -w 1`,
        });
        const lines = [
          ...(await clients.run("tour", { ...options, part: "send" })),
          ...(await clients.run("tour", { ...options, part: "pull" })),
        ];
        return (
          lines
            // Of a client of 5.x a oneway request may be overtaken by the next, whoever the server is.
            .filter(({ step }) => step !== undefined && step !== "query offset, stored")
            .map(({ step, result, refused }) => `${step}: ${plain(String(result ?? refused))}`)
            .map((line) => line.replace(/^(send batch: SEND_OK queue 0) .*/, "$1"))
            .map((line) => line.replace(/(SEND_OK), msgId=.*|(queueId\[99\] is illegal).*/s, "$1$2"))
        );
      };
      const [expected, actual] = [await tour(theirs), await tour(ours)];
      assert.deepEqual(actual, expected);
      assert.ok(expected.some((line) => line.includes("FOUND next 2 min 0 max 6 found 2")));
    });

    test("a new group that starts last begins where the original lets it begin", { timeout }, async () => {
      const begun = async ({ namesrv }: Cluster) => {
        const options = { namesrv, topic, group: `last-${topic}`, from: "last", "idle-ms": 1_500 };
        return deliveriesIn(await clients.run("consume", options))
          .map(({ key }) => key)
          .sort();
      };
      assert.deepEqual(await begun(ours), await begun(theirs));
    });

    test("mqadmin as its distribution starts it prints the same", { timeout }, async () => {
      const options = { home: workshop.folder, version };
      const { status, stdout } = await runAdmin(["topicStatus", "-n", ours.namesrv, "-t", topic], options);
      assert.equal(status, 0);
      assert.match(stdout, /broker-a +1 +0 +6 +2\d{3}-/);
    });
  });
}
