/**
 * What telemetry costs a send: CPU per acknowledged send of one process, which is client and answering server, in turns
 * so that a machine that gets slower does so for all. `unused` is what everybody has without an OpenTelemetry SDK.
 * Run: node --conditions=orbitmq-source --import tsx packages/client/src/telemetry/telemetry.bench.ts
 */
import * as otel from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { nodeHost } from "@orbitmq/host/node";
import { RequestCode, sendMessageResponseHeader } from "@orbitmq/wire";
import { Producer } from "../producer/producer.ts";
import type { ProducerOptions } from "../producer/producer-options.ts";
import { FakeBroker } from "../testing/fake-broker.ts";
import { FakeNameServer } from "../testing/fake-name-server.ts";

const ROUNDS = 7;
const COUNT = 20_000;
const IN_FLIGHT = 64;
const body = Buffer.alloc(128, "x");
const sdk = new BasicTracerProvider();

const host = nodeHost();
const nameServer = new FakeNameServer(host);
await nameServer.listen("127.0.0.1", 0);
const broker = new FakeBroker(host, "127.0.0.1", "broker-a", 0);
await broker.listen();
nameServer.setRoute("orders", [broker]);
const header = { msgId: "0A010101000000009F00000000000001", queueId: 0, queueOffset: 1, durability: "disk" };
broker.script = (request) =>
  request.code === RequestCode.SEND_MESSAGE_V2
    ? { code: 0, header: (sink) => sendMessageResponseHeader.encode(header, sink) }
    : false;

const variants: Readonly<Record<string, ProducerOptions["telemetry"]>> = {
  "telemetry: false": false,
  unused: undefined,
  "API without SDK": true,
  "SDK, spans dropped at their end": {
    api: otel,
    tracer: sdk.getTracer("bench"),
    propagator: new W3CTraceContextPropagator(),
  },
};

const producers = new Map<string, Producer>();
for (const [name, telemetry] of Object.entries(variants)) {
  const producer = new Producer(host, { namesrv: nameServer.address, telemetry });
  await producer.start();
  producers.set(name, producer);
}
otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

async function run(producer: Producer): Promise<number> {
  const before = process.cpuUsage();
  let begun = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (begun++ < COUNT) await producer.send({ topic: "orders", body, tag: "t", keys: "k" });
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / COUNT;
}

const costs = new Map<string, number[]>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, producer] of producers) {
    const micros = await run(producer);
    // The first round warms up.
    if (round > 0) costs.set(name, [...(costs.get(name) ?? []), micros]);
  }
}
const base = median(costs.get("telemetry: false")!);
for (const [name, micros] of costs) {
  const mine = median(micros);
  console.log(`${name}: ${mine.toFixed(1)} µs of CPU per send, ${((mine / base) * 100).toFixed(0)} %`);
}
for (const producer of producers.values()) await producer.shutdown();
await new Promise((resolve) => broker.server.stop(1_000, resolve));
await new Promise((resolve) => nameServer.server.stop(1_000, resolve));

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
