/**
 * Traces of OpenTelemetry between the official client under its Java agent and ours: each goes on in what the other
 * began. The agent writes its spans to stderr, as OTLP in JSON.
 */
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import * as api from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Producer, PushConsumer } from "@orbitmq/client";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { javaAgent } from "./java-classpath.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("telemetry");
const exporter = new InMemorySpanExporter();

/** Of a span that the agent told of; ids in hex. */
interface AgentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

class AgentSpans {
  readonly #spans: AgentSpan[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(clients: JavaClients) {
    const { stderr } = clients.jvm.child;
    assert.ok(stderr !== null);
    createInterface({ input: stderr }).on("line", (line) => {
      const at = line.indexOf('{"resource"');
      if (at < 0) return;
      const { scopeSpans } = JSON.parse(line.slice(at)) as { scopeSpans: { spans: AgentSpan[] }[] };
      this.#spans.push(...scopeSpans.flatMap(({ spans }) => spans));
      for (const wake of this.#waiting) wake();
    });
  }

  /** The first span that `accepts`, told of already or later. */
  span(accepts: (span: AgentSpan) => boolean): Promise<AgentSpan> {
    return new Promise((resolve) => {
      const wake = () => {
        const found = this.#spans.find(accepts);
        if (found === undefined) return;
        this.#waiting.delete(wake);
        resolve(found);
      };
      this.#waiting.add(wake);
      wake();
    });
  }
}

describe("a trace of OpenTelemetry", () => {
  let server: ServerProcess;
  let clients: JavaClients;
  let agent: AgentSpans;
  before(async () => {
    api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const processor = new SimpleSpanProcessor(exporter);
    api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }));
    server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
    const started = await startJavaClients({
      home: workshop.folder,
      flags: [`-javaagent:${await javaAgent()}`],
      systemProperties: {
        "otel.traces.exporter": "logging-otlp",
        "otel.metrics.exporter": "none",
        "otel.logs.exporter": "none",
        "otel.bsp.schedule.delay": "100",
        "otel.instrumentation.common.default-enabled": "false",
        "otel.instrumentation.rocketmq-client.enabled": "true",
        "otel.service.name": "interop",
      },
    });
    clients = workshop.ends(started, (it) => it.stop());
    agent = new AgentSpans(clients);
  });
  after(() => {
    for (const part of [api.trace, api.context, api.propagation]) part.disable();
  });

  test("goes on from a Java producer to our consumer", { timeout }, async () => {
    const { namesrvAddr: namesrv } = server;
    const topic = "from-java";
    await clients.run("produce", { namesrv, topic });
    const consumer = new PushConsumer({ namesrv, group: "ours", from: "first" });
    const inside = await new Promise<string | undefined>((resolve, reject) => {
      consumer.listen(topic, () => resolve(api.trace.getActiveSpan()?.spanContext().traceId));
      consumer.start().catch(reject);
    });
    await consumer.shutdown();
    const [span] = exporter.getFinishedSpans().filter(({ name }) => name === `process ${topic}`);
    const sent = await agent.span(({ spanId }) => spanId === span?.parentSpanContext?.spanId);
    assert.match(sent.name, new RegExp(topic));
    assert.deepEqual([sent.traceId, sent.traceId], [span?.spanContext().traceId, inside]);
  });

  test("goes on from our producer to a Java consumer", { timeout }, async () => {
    const { namesrvAddr: namesrv } = server;
    const topic = "from-ours";
    const producer = new Producer({ namesrv });
    await producer.start();
    await producer.send({ topic, body: "hello" });
    await producer.shutdown();
    await clients.run("consume", { namesrv, topic, group: "java", count: 1, body: "base64" });
    const [span] = exporter.getFinishedSpans().filter(({ name }) => name === `send ${topic}`);
    const { traceId, spanId } = span!.spanContext();
    const received = await agent.span((it) => it.parentSpanId === spanId);
    assert.deepEqual([received.traceId, received.name], [traceId, `${topic} process`]);
  });
});
