import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveConfiguration } from "../config/configuration.ts";
import { observingSettings } from "./observing-settings.ts";

const settings = (...options: string[]) =>
  observingSettings(resolveConfiguration({ role: "broker", options }));

describe("the settings of metrics", () => {
  it("serve them on RocketMQ's port of the loopback address unless told otherwise", () => {
    const { listen, servesMetrics, push } = settings();
    assert.deepEqual(
      { listen, servesMetrics, push },
      {
        listen: { host: "127.0.0.1", port: 5557 },
        servesMetrics: true,
        push: undefined,
      },
    );
    assert.equal(settings("metricsExporterType=DISABLE").listen, undefined);
  });

  it("send them to a collector; without a scheme it speaks TLS, as RocketMQ has it", () => {
    const of = (...options: string[]) => settings("metricsExporterType=OTLP_GRPC", ...options);
    const { listen, servesMetrics, push } = of(
      "metricsGrpcExporterTarget=collector:4317",
      "metricsGrpcExporterHeader=authorization:Bearer a:b,tenant:one",
      "metricsInDelta=true",
    );
    assert.equal(push?.target, "https://collector:4317");
    assert.deepEqual(push?.headers, { authorization: "Bearer a:b", tenant: "one" });
    assert.equal(push?.intervalMs, 60_000);
    assert.equal(push?.isDelta, true);
    assert.equal(servesMetrics, false);
    assert.ok(listen, "health is served all the same");
    assert.equal(of("metricsGrpcExporterTarget=http://c:4317").push?.target, "http://c:4317");
  });

  it("refuse by name what cannot be done", () => {
    for (const [key, ...options] of [
      ["metricsGrpcExporterTarget", "metricsExporterType=OTLP_GRPC"],
      ["metricsGrpcExporterTarget", "metricsExporterType=OTLP_HTTP", "metricsGrpcExporterTarget=https://"],
      ["metricsInDelta", "metricsInDelta=true"],
      ["metricsLabel", "metricsLabel=no-such:label"],
      ["metricsLabel", "metricsLabel=alone"],
      ["metricsExporterType", "metricsExporterType=prometheus"],
    ] as const) {
      assert.throws(() => settings(...options), new RegExp(key), options.join(" "));
    }
  });
});
