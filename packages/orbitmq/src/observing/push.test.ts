import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import type { Logger } from "@orbitmq/host";
import type { MetricSource } from "./collect.ts";
import type { PushSettings } from "./observing-settings.ts";
import { MetricsPush } from "./push.ts";

const sources = (): MetricSource[] => [
  {
    labels: { node_id: "n" },
    refresh: (done) => done(),
    *families() {
      yield {
        name: "rocketmq_topic_number",
        kind: "gauge",
        help: "Topics",
        points: [{ labels: {}, value: 7 }],
      };
    },
  },
];
const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function push(settings: Partial<PushSettings>): Promise<string[]> {
  const lines: string[] = [];
  const note = (first: object | string, message = "") =>
    void lines.push(`${message} ${JSON.stringify(first)}`);
  const logger: Logger = { trace: note, debug: note, info: note, warn: note, error: note, fatal: note };
  const all = { target: "", headers: {}, timeoutMs: 5_000, intervalMs: 10, isDelta: false, pointsMax: 100 };
  const exporter = new MetricsPush({ type: "LOG", ...all, ...settings } as PushSettings, {
    sources,
    logger,
    pause: () => Promise.resolve(),
    wallMs: () => 1_700_000_000_000,
  });
  await exporter.start();
  ends.push(() => exporter.stop());
  return lines;
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("metrics are sent", () => {
  it("to a collector by OTLP over HTTP, with its headers", async () => {
    const bodies: Buffer[] = [];
    const tokens = new Set<unknown>();
    const collector = createHttp((request, response) => {
      tokens.add(request.headers["token"]);
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        bodies.push(Buffer.concat(parts));
        response.writeHead(200, { "Content-Type": "application/x-protobuf" }).end();
      });
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    ends.push(() => collector.close());
    const { port } = collector.address() as AddressInfo;
    await push({ type: "OTLP_HTTP", target: `http://127.0.0.1:${port}/v1/metrics`, headers: { token: "t" } });
    while (bodies.length === 0) await soon();
    assert.match(bodies[0]!.toString("latin1"), /rocketmq_topic_number/);
    assert.deepEqual([...tokens], ["t"]);
  });

  it("to a collector by OTLP over gRPC, with its headers", async () => {
    let seen: { path: unknown; token: unknown; body: string } | undefined;
    const collector = createHttp2();
    collector.on("stream", (stream, headers) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        seen ??= {
          path: headers[":path"],
          token: headers["token"],
          body: Buffer.concat(parts).toString("latin1"),
        };
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.alloc(5));
      });
    });
    collector.listen(0, "127.0.0.1");
    await once(collector, "listening");
    ends.push(() => collector.close());
    const { port } = collector.address() as AddressInfo;
    await push({ type: "OTLP_GRPC", target: `http://127.0.0.1:${port}`, headers: { token: "t" } });
    while (seen === undefined) await soon();
    assert.equal(seen.path, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
    assert.equal(seen.token, "t");
    assert.match(seen.body, /rocketmq_topic_number/);
  });

  it("to the log, a line for each", async () => {
    const lines = await push({ type: "LOG" });
    while (lines.length < 2) await soon();
    assert.match(lines[0]!, /^metrics: .*"metric":"rocketmq_topic_number".*"asDouble":7/);
  });

  it("in vain when nobody takes them: said once", async () => {
    const refusing = createHttp((_request, response) => response.writeHead(400).end()).listen(0, "127.0.0.1");
    await once(refusing, "listening");
    ends.push(() => refusing.close());
    let asked = 0;
    refusing.on("request", () => void asked++);
    const { port } = refusing.address() as AddressInfo;
    const lines = await push({ type: "OTLP_HTTP", target: `http://127.0.0.1:${port}/v1/metrics` });
    while (asked < 4) await soon();
    assert.equal(lines.filter((line) => line.startsWith("metrics do not reach")).length, 1);
  });
});
