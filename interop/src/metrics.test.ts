/**
 * The metrics of OrbitMQ's broker and of the original's, after Java clients have done the same with both: the same names,
 * kinds and labels, and the same values wherever the data determines them, but for what metrics-differences.ts explains.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startServerProcess } from "orbitmq/testing";
import { freePort } from "./free-port.ts";
import { startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { explainedDifferences, extraLabels, notCompared } from "./metrics-differences.ts";
import { linesOf } from "./metrics-lines.ts";
import { MetricsSide, work } from "./metrics-side.ts";
import { until } from "./until.ts";
import { Workshop } from "./workshop.ts";

const timeout = 240_000;
/** A heartbeat that was on its way when its producer ended brings it back, until it was silent for two minutes. */
const PATIENCE_MS = 180_000;
const workshop = new Workshop("metrics");
let ours: MetricsSide;
let theirs: MetricsSide;

before(
  async () => {
    const host = "127.0.0.1";
    const port = await freePort();
    // A transaction that nobody decides is not asked after.
    const transactionTimeOut = "3600000";
    const [server, java, clients] = await Promise.all([
      startServerProcess({
        home: workshop.place("data"),
        options: ["-o", `transactionTimeOut=${transactionTimeOut}`],
      }),
      startJavaServer({
        directory: workshop.place("java"),
        brokerProperties: {
          metricsExporterType: "PROM",
          metricsPromExporterHost: host,
          metricsPromExporterPort: String(port),
          transactionTimeOut,
          // The same bytes in the log; and what is sent back on a busy machine is taken.
          enabledAppendPropCRC: "true",
          waitTimeMillsInSendQueue: "60000",
        },
      }),
      startJavaClients({ home: workshop.folder }),
    ]);
    workshop.ends(server, (it) => it.stop());
    workshop.ends(java, (it) => it.kill());
    workshop.ends(clients, (it) => it.stop());
    const served = await server.logged(/metrics and health are served/);
    ours = new MetricsSide(clients, server.namesrvAddr, `${host}:${/\bport=(\d+)/.exec(served)?.[1]}`);
    theirs = new MetricsSide(clients, java.namesrv, `${host}:${port}`);
    for (const side of [ours, theirs]) workshop.ends(side, (it) => it.stop());
    await Promise.all([ours.prepare(), theirs.prepare()]);
    await Promise.all([ours.work(), theirs.work()]);
  },
  { timeout },
);

const used = new Set<unknown>();
let mine: readonly string[] = [];
let original: readonly string[] = [];

/** Our line without labels that the original has on some samples only. */
function withoutExtraLabels(line: string): string {
  const entry = extraLabels.find(([samples]) => samples.test(line));
  if (entry === undefined) return line;
  used.add(entry[0]);
  return line.replace(entry[1], "");
}

/** Lines that only one of them has and that nobody explains. */
function unexplained(side: "ours" | "theirs", lines: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return lines.filter((line) => {
    if (known.has(line)) return false;
    const pattern = explainedDifferences.find((one) => one[side]?.test(line) === true)?.[side];
    used.add(pattern);
    return pattern === undefined;
  });
}

/** Scrapes both. */
async function differences(): Promise<string[]> {
  const [own, other] = await Promise.all([ours.scrape(), theirs.scrape()]);
  used.clear();
  mine = linesOf(own).map(withoutExtraLabels);
  original = linesOf(other);
  return [
    ...unexplained("ours", mine, original).map((line) => `ours   ${line}`),
    ...unexplained("theirs", original, mine).map((line) => `theirs ${line}`),
  ];
}

describe("the metrics of OrbitMQ and of the original", () => {
  test("are the same but for what is explained", { timeout }, async () => {
    let found: string[] = [];
    // Offsets are committed every 5 s, and a checkpoint of the original is done with in its own time.
    const isSame = async () => {
      found = await differences();
      return found.length === 0;
    };
    const same = until("both tell the same", isSame, PATIENCE_MS);
    await same.catch((cause: unknown) => {
      throw new Error(["they do not tell the same", ...found].join("\n"), { cause });
    });
    const patterns = [
      ...explainedDifferences.flatMap((entry) => [entry.ours, entry.theirs]),
      ...extraLabels.map(([samples]) => samples),
    ];
    const idle = patterns.filter((pattern) => pattern !== undefined && !used.has(pattern));
    assert.deepEqual(idle.map(String), [], "explained, and does not differ any more");
    const absent = notCompared.filter(([samples]) => !original.some((line) => samples.test(line)));
    assert.deepEqual(absent.map(String), [], "not compared, and not there either");
  });

  test("tell what was done", () => {
    const told = (start: string, ...labels: readonly string[]): number => {
      const found = original.filter(
        (line) => line.startsWith(`${start}{`) && labels.every((label) => line.includes(label)),
      );
      assert.equal(found.length, 1, `${start} ${labels}: ${found.join("\n")}`);
      assert.ok(mine.includes(found[0]!), found[0]);
      return Number(found[0]!.split("} ")[1]);
    };
    const lag = (what: string) => told(`rocketmq_consumer_${what}_messages`, 'consumer_group="behind"');
    const sent = (topic: string, type: string) =>
      told("rocketmq_messages_in_total", `topic="${topic}"`, `message_type="${type}"`);
    const got = (group: string, ...labels: readonly string[]) =>
      told("rocketmq_messages_out_total", `consumer_group="${group}"`, ...labels);
    const first = work.first + work.fifo;
    // A piece of each queue is there before the consumer finds that it has enough, and another on its way.
    const pulled = 2 * 2 * work.piece;
    assert.deepEqual(
      [lag("lag"), lag("inflight"), lag("ready")],
      [2 * work.later, pulled, 2 * work.later - pulled],
    );
    assert.deepEqual([got("behind"), got("upToDate")], [first + pulled, first + 2 * work.later]);
    assert.deepEqual(
      [sent("counted", "normal"), sent("counted", "fifo")],
      [work.first + 2 * work.later, work.fifo],
    );
    assert.equal(sent("batches", "normal"), work.batches * work.batchSize);
    assert.equal(sent("SCHEDULE_TOPIC_XXXX", "delay"), work.delayed + work.delivered);
    assert.equal(told("rocketmq_send_to_dlq_messages_total", 'consumer_group="failing"'), work.dead);
    assert.equal(told("rocketmq_commit_messages_total", 'topic="decided"'), work.committed);
    assert.equal(told("rocketmq_rollback_messages_total", 'topic="decided"'), work.rolledBack);
    assert.equal(told("rocketmq_half_messages", 'topic="decided"'), work.undecided);
    assert.equal(got("poppers", 'is_retry="false"'), work.popped);
    assert.equal(got("refusers", 'is_retry="true"'), work.poppedTwice);
    assert.equal(told("rocketmq_pop_revive_retry_messages_total"), work.poppedTwice);
  });
});
