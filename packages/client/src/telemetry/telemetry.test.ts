/** Spans, metrics and contexts of clients, seen by the OpenTelemetry SDK; through the real broker and store. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import * as otel from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { LitePullConsumer } from "../consumer/lite-pull-consumer.ts";
import { PushConsumer } from "../consumer/push-consumer.ts";
import { SimpleConsumer } from "../consumer/simple-consumer.ts";
import { Producer } from "../producer/producer.ts";
import { TransactionProducer } from "../producer/transactions/transaction-producer.ts";
import { RealCluster } from "../testing/real-cluster.ts";
import { TestWorld } from "../testing/test-world.ts";
import { loadTelemetry, wantsTelemetry } from "./load-telemetry.ts";
import type { TelemetryMeter, TelemetryTracer } from "./telemetry-api.ts";

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** An import takes turns of the real event loop, of which virtual time knows nothing. */
const telemetry = { api: otel };

const exporter = new InMemorySpanExporter();
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const reader = new Reader();
const meters = new MeterProvider({ readers: [reader] });

async function points(name: string) {
  const { resourceMetrics } = await reader.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return metrics
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => [...dataPoints]);
}

const spans = (name?: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => name === undefined || span.name === name);

async function cluster() {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a");
  return { c, namesrv: c.namesrv };
}

describe("with an OpenTelemetry SDK registered", () => {
  before(() => {
    otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    otel.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    otel.trace.setGlobalTracerProvider(tracers);
    otel.metrics.setGlobalMeterProvider(meters);
  });
  beforeEach(() => exporter.reset());
  after(() => {
    for (const api of [otel.trace, otel.metrics, otel.context, otel.propagation]) api.disable();
  });

  it("a send and its processing are spans of one trace, which goes on within the listener", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { telemetry, namesrv, group: "p", clientId: "me" });
    await c.settle(producer.start());
    const request = otel.trace.getTracer("test").startSpan("request");
    const inRequest = otel.trace.setSpan(otel.context.active(), request);
    const { msgId, queue } = await c.settle(
      otel.context.with(inRequest, () =>
        producer.send({ topic: "orders", body: "hello", tag: "red", keys: ["k1", "k2"] }),
      ),
    );
    request.end();
    const inside: (string | undefined)[] = [];
    const consumer = new PushConsumer(c.host, { telemetry, namesrv, group: "g", from: "first" });
    consumer.listen("orders", async () => {
      await Promise.resolve();
      inside.push(otel.trace.getActiveSpan()?.spanContext().spanId);
    });
    await c.settle(consumer.start());
    await c.until(() => inside.length === 1);
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));

    const [send] = spans("send orders");
    const [process] = spans("process orders");
    assert.ok(send !== undefined && process !== undefined);
    assert.equal(send.parentSpanContext?.spanId, request.spanContext().spanId);
    assert.equal(process.parentSpanContext?.spanId, send.spanContext().spanId);
    assert.equal(process.spanContext().traceId, request.spanContext().traceId);
    assert.deepEqual(inside, [process.spanContext().spanId]);
    assert.deepEqual([send.kind, process.kind], [otel.SpanKind.PRODUCER, otel.SpanKind.CONSUMER]);
    assert.deepEqual(send.attributes, {
      "messaging.system": "rocketmq",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": "orders",
      "messaging.client.id": "me",
      "messaging.message.id": msgId,
      "messaging.message.body.size": 5,
      "messaging.destination.partition.id": String(queue.queueId),
      "messaging.rocketmq.message.type": "normal",
      "messaging.rocketmq.message.tag": "red",
      "messaging.rocketmq.message.keys": ["k1", "k2"],
      "orbitmq.producer.group": "p",
      "orbitmq.broker.name": "broker-a",
    });
    const { "messaging.client.id": _, ...attributes } = process.attributes;
    assert.deepEqual(attributes, {
      "messaging.system": "rocketmq",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": "orders",
      "messaging.consumer.group.name": "g",
      "messaging.message.id": msgId,
      "messaging.message.body.size": 5,
      "messaging.destination.partition.id": String(queue.queueId),
      "messaging.rocketmq.consumption_model": "clustering",
      "messaging.rocketmq.message.tag": "red",
      "messaging.rocketmq.message.keys": ["k1", "k2"],
      "orbitmq.message.reconsume_times": 0,
      "orbitmq.broker.name": "broker-a",
    });
  });

  it("a listener's failure is an error of its span, and a retry another span of the same trace", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { telemetry, namesrv });
    await c.settle(producer.start());
    await c.settle(producer.send({ topic: "orders", body: "hello" }));
    let calls = 0;
    const consumer = new PushConsumer(c.host, { telemetry, namesrv, group: "failing", from: "first" });
    consumer.listen("orders", (_, context) => {
      context.delayLevel = 1;
      if (++calls === 1) throw new Error("not yet");
    });
    await c.settle(consumer.start());
    await c.until(() => calls === 2);
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
    const [first, second] = spans("process orders");
    const [send] = spans("send orders");
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(
      [first.status.code, first.attributes["error.type"], second.status.code],
      [otel.SpanStatusCode.ERROR, "LISTENER_FAILED", otel.SpanStatusCode.UNSET],
    );
    assert.match(first.status.message ?? "", /not yet/);
    assert.equal(second.attributes["orbitmq.message.reconsume_times"], 1);
    for (const each of [first, second]) {
      assert.equal(each.parentSpanContext?.spanId, send?.spanContext().spanId);
    }
    const durations = await points("messaging.process.duration");
    const mine = durations.filter(
      ({ attributes }) => attributes["messaging.consumer.group.name"] === "failing",
    );
    assert.deepEqual(mine.map(({ attributes }) => attributes["error.type"]).sort(), [
      "LISTENER_FAILED",
      undefined,
    ]);
  });

  it("a batch is one span, that of a batch listener has links to what its messages were made in", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { telemetry, namesrv });
    await c.settle(producer.start());
    await c.settle(producer.send([1, 2, 3].map((n) => ({ topic: "orders", body: `${n}` }))));
    const sizes: number[] = [];
    const consumer = new PushConsumer(c.host, { telemetry, namesrv, group: "g", from: "first" });
    consumer.listenBatch("orders", (messages) => void sizes.push(messages.length));
    await c.settle(consumer.start());
    await c.until(() => sizes.length === 1);
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
    const [send] = spans("send orders");
    const [process] = spans("process orders");
    assert.deepEqual(
      [
        send?.attributes["messaging.batch.message_count"],
        process?.attributes["messaging.batch.message_count"],
      ],
      [3, 3],
    );
    assert.equal(process?.parentSpanContext, undefined);
    assert.deepEqual(
      process?.links.map(({ context }) => context.spanId),
      Array(3).fill(send?.spanContext().spanId),
    );
  });

  it("a context the application gave a message stays, and the send is linked to it", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { telemetry, namesrv });
    await c.settle(producer.start());
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await c.settle(producer.send({ topic: "orders", body: "x", properties: { traceparent } }));
    const lite = new LitePullConsumer(c.host, { telemetry, namesrv, group: "g", from: "first" });
    lite.subscribe("orders");
    await c.settle(lite.start());
    const [message] = await c.settle(lite.poll());
    await c.settle(Promise.all([producer.shutdown(), lite.shutdown()]));
    assert.equal(message?.properties["traceparent"], traceparent);
    const ids = (span: ReadableSpan | undefined) => span?.links.map(({ context }) => context.spanId);
    assert.deepEqual(ids(spans("send orders")[0]), ["b7ad6b7169203331"]);
    assert.deepEqual(ids(spans("poll orders")[0]), ["b7ad6b7169203331"]);
    assert.equal(spans("poll orders")[0]?.kind, otel.SpanKind.CLIENT);
  });

  it("a simple consumer's receive is a span when it brings something", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { telemetry, namesrv });
    await c.settle(producer.start());
    await c.settle(producer.send({ topic: "orders", body: "x" }));
    const consumer = new SimpleConsumer(c.host, { telemetry, namesrv, group: "g", from: "first" });
    consumer.subscribe("orders");
    await c.settle(consumer.start());
    let count = 0;
    while (count === 0) count = (await c.settle(consumer.receive({ awaitMs: 1_000 }))).length;
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
    assert.deepEqual(
      spans("receive orders").map(({ links }) => links.length),
      [1],
    );
  });

  it("halves are of the type transaction; a send that is refused at once has a span as well", async () => {
    const { c, namesrv } = await cluster();
    const producer = new TransactionProducer(c.host, {
      telemetry,
      namesrv,
      group: "tellers",
      executeLocalTransaction: () => "COMMIT_MESSAGE",
      checkLocalTransaction: () => "COMMIT_MESSAGE",
    });
    await c.settle(producer.start());
    await c.settle(producer.sendInTransaction({ topic: "orders", body: "x" }));
    await assert.rejects(producer.sendInTransaction({ topic: "orders", body: "x", delayLevel: 3 }));
    await assert.rejects(c.settle(producer.send({ topic: "orders", body: "" })));
    await c.settle(producer.shutdown());
    const told = spans("send orders").map(({ attributes, status }) => [
      attributes["messaging.rocketmq.message.type"],
      status.code,
      attributes["error.type"],
    ]);
    assert.deepEqual(told, [
      ["transaction", otel.SpanStatusCode.UNSET, undefined],
      ["transaction", otel.SpanStatusCode.ERROR, "MESSAGE_INVALID"],
      ["normal", otel.SpanStatusCode.ERROR, "MESSAGE_INVALID"],
    ]);
  });

  it("send latencies by outcome, counts, retries, sends in flight and reconnects are metrics", async () => {
    const w = new TestWorld();
    const broker = w.addBroker("broker-a");
    w.nameServer.setRoute("orders", [broker], 1);
    const producer = new Producer(w.host, {
      telemetry,
      namesrv: w.namesrv,
      logger: w.logger,
      group: "metered",
    });
    await w.settle(producer.start());
    const mine = async (name: string) =>
      (await points(name)).filter(({ attributes }) => attributes["orbitmq.producer.group"] === "metered");
    await w.settle(producer.send({ topic: "orders", body: "x" }));
    broker.script = (request) => request.code === 310 && { code: 14, remark: "busy" };
    await w.failure(producer.send({ topic: "orders", body: "x" }));
    broker.script = (request) => request.code === 310;
    const open = w.failure(producer.send({ topic: "orders", body: "x" }));
    assert.equal((await mine("orbitmq.client.sends.in_flight"))[0]?.value, 1);
    await open;
    broker.script = undefined;
    w.killBroker(broker);
    await w.failure(producer.send({ topic: "orders", body: "x" }));
    const durations = await mine("messaging.client.operation.duration");
    const outcomes = durations.map(({ attributes, value }) => [
      attributes["orbitmq.outcome"],
      attributes["error.type"],
      (value as { count: number }).count,
    ]);
    assert.deepEqual(outcomes[0], ["acknowledged", undefined, 1]);
    assert.deepEqual(outcomes[1]?.[0], "refused");
    assert.ok(outcomes.some(([outcome]) => outcome === "unknown"));
    const sent = await mine("messaging.client.sent.messages");
    assert.equal(
      sent.reduce((sum, { value }) => sum + (value as number), 0),
      4,
    );
    assert.ok(((await mine("orbitmq.client.send.retries"))[0]?.value as number) >= 2);
    w.startBroker("broker-a");
    await w.run(5_000);
    await w.settle(producer.send({ topic: "orders", body: "x" }));
    assert.ok(((await mine("orbitmq.client.reconnects"))[0]?.value as number) >= 1);
    await w.settle(producer.shutdown());
  });

  it("gauges are looked at until the client ends", async () => {
    const looked = new Set<unknown>();
    const gauge = {
      addCallback: (callback: unknown) => void looked.add(callback),
      removeCallback: (callback: unknown) => void looked.delete(callback),
    };
    const inner = otel.metrics.getMeter("test");
    const meter: TelemetryMeter = {
      createHistogram: (...of) => inner.createHistogram(...of),
      createCounter: (...of) => inner.createCounter(...of),
      createObservableGauge: () => gauge,
    };
    const w = new TestWorld();
    w.nameServer.setRoute("orders", [w.addBroker("broker-a")], 1);
    const options = { namesrv: w.namesrv, telemetry: { api: otel, meter } };
    const clients = [
      new Producer(w.host, options),
      new PushConsumer(w.host, { ...options, group: "g" }),
      new LitePullConsumer(w.host, { ...options, group: "g" }),
    ];
    for (const client of clients) await w.settle(client.start());
    assert.equal(looked.size, 4);
    for (const client of clients) await w.settle<unknown>(client.shutdown());
    assert.equal(looked.size, 0);
  });

  it("the lag of a consumer is a metric by queue", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { telemetry, namesrv, defaultTopicQueueNums: 1 });
    await c.settle(producer.start());
    for (let i = 0; i < 3; i++) await c.settle(producer.send({ topic: "orders", body: "x" }));
    let running = 0;
    let end: () => void = () => {};
    const consumer = new PushConsumer(c.host, {
      telemetry,
      namesrv,
      group: "lagging",
      from: "first",
      concurrency: 1,
    });
    consumer.listen("orders", () => {
      running++;
      return new Promise((resolve) => {
        end = () => resolve();
      });
    });
    await c.settle(consumer.start());
    await c.until(() => running === 1);
    const mine = async (name: string) =>
      (await points(name))
        .filter(({ attributes }) => attributes["messaging.consumer.group.name"] === "lagging")
        .map(({ value, attributes }) => [attributes["messaging.destination.name"], value]);
    assert.deepEqual(
      (await mine("orbitmq.client.consumer.lag")).filter(([topic]) => topic === "orders"),
      [["orders", 3]],
    );
    assert.deepEqual(await mine("orbitmq.client.listeners.running"), [[undefined, 1]]);
    end();
    await c.until(() => running === 2);
    end();
    await c.until(() => running === 3);
    end();
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
  });

  it("a client that says nothing of telemetry imports the API and uses what is registered", async () => {
    const w = new TestWorld();
    assert.equal(wantsTelemetry(undefined), true);
    const loaded = await loadTelemetry(undefined, w.logger);
    assert.equal(loaded?.api.trace, otel.trace);
    assert.deepEqual(w.log, []);
  });

  it("telemetry: false is none, and one that throws changes nothing but a line in the log", async () => {
    const w = new TestWorld();
    w.nameServer.setRoute("orders", [w.addBroker("broker-a")], 1);
    const tracer: TelemetryTracer = {
      startSpan: () => {
        throw new Error("no spans today");
      },
    };
    for (const [told, lines] of [
      [false, 0],
      [{ api: otel, tracer }, 1],
    ] as const) {
      const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger, telemetry: told });
      await w.settle(producer.start());
      for (let i = 0; i < 3; i++) await w.settle(producer.send({ topic: "orders", body: "x" }));
      await w.settle(producer.shutdown());
      assert.equal(w.log.filter(({ message }) => message.includes("no spans today")).length, lines);
    }
    assert.deepEqual(spans(), []);
  });
});

it("without a registered SDK a client has no telemetry and messages carry nothing of it", async () => {
  assert.equal(wantsTelemetry(undefined), false);
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("orders", [broker], 1);
  const producer = new Producer(w.host, { namesrv: w.namesrv });
  await w.settle(producer.start());
  await w.settle(producer.send({ topic: "orders", body: "x" }));
  await w.settle(producer.shutdown());
  assert.equal(broker.messages("orders")[0]?.properties.includes("traceparent"), false);
  assert.deepEqual(spans(), []);
});
