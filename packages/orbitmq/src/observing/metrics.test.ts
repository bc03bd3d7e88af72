import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Producer } from "@orbitmq/client";
import { type OrbitMQ, start } from "../start.ts";
import { temporaryFolder } from "../testing/built-command.ts";
import { type Exposition, familyOf, parseExposition, type Sample } from "./testing/prometheus-samples.ts";
import { leftOut, rocketmqMetrics } from "./testing/rocketmq-metrics.ts";
import { CONSUMED, type Working, work, workload } from "./testing/workload.ts";

const COMMON = ["cluster", "node_id", "node_type", "otel_scope_name"];
const docs = join(import.meta.dirname, "../../../../docs");
const folder = temporaryFolder();
let mq: OrbitMQ;
let working: Working;
let read: Exposition;

async function scrape(): Promise<Exposition> {
  const response = await fetch(`http://${mq.metricsAddr}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return parseExposition(await response.text());
}

const of = (name: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] =>
  read.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );

/** Of the one sample there is. */
function value(name: string, labels: Readonly<Record<string, string>> = {}): number {
  const samples = of(name, labels);
  assert.equal(samples.length, 1, `${name} ${JSON.stringify(labels)}: ${samples.length} samples`);
  return samples[0]!.value;
}

before(async () => {
  mq = await start({
    home: join(folder.path, "store"),
    namesrvPort: 0,
    brokerPort: 0,
    vipPort: 0,
    metricsPort: 0,
  });
  working = await work(mq.namesrvAddr);
  // The pull that gave the last message may be the last that was counted: the next one says how far it has come.
  do read = await scrape();
  while (value("rocketmq_send_to_dlq_messages_total") < 1);
});

after(async () => {
  await working?.stop();
  await mq?.stop();
  folder.remove();
});

describe("the metrics of a server", () => {
  const { topic, group, poppers } = workload;

  it("count what was sent, by topic and kind of message", () => {
    const sent = (message_type: string, at: string = topic) =>
      value("rocketmq_messages_in_total", { topic: at, message_type });
    assert.equal(sent("normal"), workload.normal + workload.batch);
    assert.equal(sent("fifo"), workload.fifo);
    assert.equal(sent("delay", "SCHEDULE_TOPIC_XXXX"), workload.delayed);
    assert.equal(sent("delay", "rmq_sys_wheel_timer"), workload.timed);
    assert.equal(sent("transaction", "RMQ_SYS_TRANS_HALF_TOPIC"), workload.committed + workload.rolledBack);
    const sizes = { topic, message_type: "normal" };
    assert.equal(value("rocketmq_message_size_count", sizes), workload.normal + workload.batch);
    assert.equal(value("rocketmq_message_size_sum", sizes), value("rocketmq_throughput_in_total", sizes));
    assert.equal(
      value("rocketmq_message_size_bucket", { ...sizes, le: "1024" }),
      workload.normal + workload.batch,
    );
  });

  it("count what was given out, by topic and group", () => {
    for (const consumer_group of [group, poppers]) {
      assert.equal(value("rocketmq_messages_out_total", { topic, consumer_group }), CONSUMED);
      assert.ok(value("rocketmq_throughput_out_total", { topic, consumer_group }) > 100 * CONSUMED);
    }
    assert.equal(value("rocketmq_send_to_dlq_messages_total", { topic, consumer_group: group }), 1);
  });

  it("count transactions", () => {
    assert.equal(value("rocketmq_commit_messages_total", { topic }), workload.committed);
    assert.equal(value("rocketmq_rollback_messages_total", { topic }), workload.rolledBack);
    assert.equal(value("rocketmq_finish_message_latency_milliseconds_count", { topic }), workload.committed);
    assert.equal(value("rocketmq_half_messages", { topic }), 0);
  });

  it("count timed and popped messages", () => {
    assert.equal(value("rocketmq_timer_enqueue_total", { topic }), workload.timed);
    assert.equal(value("rocketmq_timing_messages"), workload.timed);
    const popped = { consumer_group: poppers, topic, revive_message_type: "ACK", put_status: "PUT_OK" };
    assert.equal(value("rocketmq_pop_revive_in_message_total", popped), CONSUMED);
    assert.equal(value("rocketmq_pop_checkpoint_buffer_size"), 0);
  });

  it("know who is online, and that nothing is left for them", () => {
    const ours = { language: "node_js", version: "v5_5_0", protocol_type: "remoting" };
    assert.equal(value("rocketmq_producer_connections", ours), 2);
    assert.equal(
      value("rocketmq_consumer_connections", { ...ours, consumer_group: group, consume_mode: "push" }),
      1,
    );
    assert.equal(
      value("rocketmq_consumer_connections", { ...ours, consumer_group: poppers, consume_mode: "pop" }),
      1,
    );
    assert.equal(value("rocketmq_consumer_ready_messages", { consumer_group: group, topic }), 0);
    for (const is_retry of ["true", "false"]) {
      assert.equal(value("rocketmq_consumer_lag_messages", { consumer_group: poppers, topic, is_retry }), 0);
    }
  });

  it("time requests by code, and syncs of the log", () => {
    const asked = { request_code: "send_message_v2", response_code: "success", result: "success" };
    const plain = workload.normal + workload.fifo + workload.delayed + workload.timed;
    const halves = workload.committed + workload.rolledBack;
    assert.equal(
      value("rocketmq_rpc_latency_milliseconds_count", { ...asked, is_long_polling: "false" }),
      plain + halves,
    );
    assert.ok(value("orbitmq_fsync_latency_milliseconds_count") > 0);
    assert.equal(value("orbitmq_store_writable"), 1);
    assert.equal(value("orbitmq_nameserver_brokers", { node_type: "nameserver" }), 1);
  });

  it("bear RocketMQ's names, kinds and labels", () => {
    for (const [name, kind, labels] of rocketmqMetrics) {
      assert.equal(read.types.get(name), kind, name);
      const wanted = [...COMMON, ...labels.split(" ")].filter(Boolean).sort();
      for (const sample of read.samples) {
        if (familyOf(read, sample.name) !== name) continue;
        const own = Object.keys(sample.labels).filter((label) => label !== "le");
        assert.deepEqual(own.sort(), wanted, sample.name);
      }
    }
    const known = new Set(rocketmqMetrics.map(([name]) => name));
    const strange = [...read.types.keys()].filter((name) => name.startsWith("rocketmq") && !known.has(name));
    assert.deepEqual(strange, []);
  });

  it("are all explained in docs/metrics.md, those of RocketMQ's that are left out, too", () => {
    const page = readFileSync(join(docs, "metrics.md"), "utf8");
    const names = [...read.types.keys(), ...rocketmqMetrics.map(([name]) => name), ...leftOut];
    const missing = [...new Set(names)].filter((name) => !page.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });

  it("are what the dashboard and the alert rules ask for", () => {
    const known = read.types;
    for (const file of ["grafana-dashboard.json", "prometheus-alerts.yml"]) {
      const text = readFileSync(join(docs, "monitoring", file), "utf8");
      const asked = new Set(text.match(/\b(?:rocketmq|orbitmq)_[a-z0-9_]+/g));
      assert.ok(asked.size > 5, file);
      const base = (name: string) => name.replace(/_(bucket|count|sum)$/, "");
      const unknown = [...asked].filter((name) => !known.has(name) && !known.has(base(name)));
      assert.deepEqual(unknown, [], file);
    }
  });

  it("go on counting from one reading to the next", async () => {
    await using producer = new Producer({ namesrv: mq.namesrvAddr });
    await producer.start();
    await producer.send({ topic, body: "one more" });
    read = await scrape();
    const sent = value("rocketmq_messages_in_total", { topic, message_type: "normal" });
    assert.equal(sent, workload.normal + workload.batch + 1);
  });
});

it("an embedded server opens no port for metrics unless asked for, and closes it when it stops", async () => {
  const quiet = await start({ store: "memory", namesrvPort: 0, brokerPort: 0, vipPort: 0 });
  assert.equal(quiet.metricsAddr, undefined);
  await quiet.stop();
  const served = await start({ store: "memory", namesrvPort: 0, brokerPort: 0, vipPort: 0, metricsPort: 0 });
  const url = `http://${served.metricsAddr}/health/live`;
  assert.equal((await fetch(url)).status, 200);
  await served.stop();
  await assert.rejects(fetch(url));
});

it("a port that is taken is a warning, and the server starts", async () => {
  const warnings: string[] = [];
  const note = (first: object | string, message?: string) =>
    void warnings.push(typeof first === "string" ? first : (message ?? ""));
  const quiet = () => undefined;
  const logger = { trace: quiet, debug: quiet, info: quiet, warn: note, error: note, fatal: note };
  const one = await start({ store: "memory", namesrvPort: 0, brokerPort: 0, vipPort: 0, metricsPort: 0 });
  const port = Number(one.metricsAddr?.split(":")[1]);
  const options = { store: "memory", namesrvPort: 0, brokerPort: 0, vipPort: 0, metricsPort: port } as const;
  const two = await start({ ...options, logger });
  assert.equal(two.metricsAddr, undefined);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /metrics and health are not served/);
  await two.stop();
  await one.stop();
});
