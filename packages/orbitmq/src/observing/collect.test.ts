import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Histogram, type MetricFamily } from "@orbitmq/host";
import { collect, type MetricSource } from "./collect.ts";
import { Deltas } from "./delta.ts";
import { prometheusText } from "./prometheus-text.ts";
import { parseExposition } from "./testing/prometheus-samples.ts";

const source = (families: () => Iterable<MetricFamily>): MetricSource => ({
  labels: { node_id: "n" },
  refresh: (done) => done(),
  families,
});
const numbered = (count: number, kind: MetricFamily["kind"] = "gauge"): MetricFamily => ({
  name: "many",
  kind,
  help: "Many",
  points: Array.from({ length: count }, (_, i) => ({ labels: { i: String(i) }, value: 1 })),
});
let pauses = 0;
const pause = async (): Promise<void> => {
  pauses++;
};

describe("a reading", () => {
  it("keeps the limit of points: counters beyond are added up, gauges beyond left out, and it says so", async () => {
    const kinds = (kind: MetricFamily["kind"]) => collect([source(() => [numbered(100, kind)])], 10, pause);
    const [counters, overflow] = await kinds("counter");
    assert.equal(counters?.points.length, 10);
    assert.deepEqual(counters?.points.at(-1), {
      labels: { node_id: "n", otel_metric_overflow: "true" },
      value: 91,
    });
    assert.equal(overflow?.points[0]?.value, 91);
    const [gauges] = await kinds("gauge");
    assert.equal(gauges?.points.length, 9);
  });

  it("adds up histograms beyond the limit", async () => {
    const points = Array.from({ length: 20 }, (_, i) => {
      const value = new Histogram([5]);
      value.record(i);
      return { labels: { i: String(i) }, value };
    });
    const family = { name: "h", kind: "histogram", help: "H", points } as const;
    const [read] = await collect([source(() => [family])], 10, pause);
    const { value } = read!.points.at(-1)!;
    assert.deepEqual(value, { bounds: [5], counts: [0, 11], sum: 154, count: 11 });
  });

  it("gives the event loop back while it goes on", async () => {
    pauses = 0;
    const families = await collect([source(() => [numbered(60_000)])], 50_000, pause);
    assert.ok(pauses > 0);
    pauses = 0;
    const text = await prometheusText(families, pause);
    assert.ok(pauses > 5, String(pauses));
    const { types, samples } = parseExposition(text);
    assert.equal(types.get("many"), "gauge");
    assert.equal(samples.filter(({ name }) => name === "many").length, 49_999);
  });

  it("is written down with units in names, labels escaped, and buckets cumulated", async () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1.5, 9]) histogram.record(value);
    const nasty = 'a"b\\c\nd';
    const families: MetricFamily[] = [
      {
        name: "took",
        kind: "histogram",
        help: "T",
        unit: "seconds",
        points: [{ labels: { nasty }, value: histogram }],
      },
    ];
    const text = await prometheusText(await collect([source(() => families)], 10, pause), pause);
    const { samples } = parseExposition(text);
    assert.deepEqual(
      samples
        .filter(({ name }) => name === "took_seconds_bucket")
        .map(({ labels, value }) => [labels["le"], value]),
      [
        ["1", 1],
        ["2", 2],
        ["+Inf", 3],
      ],
    );
    assert.equal(samples[0]?.labels["nasty"], 'a\\"b\\\\c\\nd');
  });

  it("is a copy: what is counted on does not change it", async () => {
    const histogram = new Histogram([1]);
    const family = {
      name: "h",
      kind: "histogram",
      help: "H",
      points: [{ labels: {}, value: histogram }],
    } as const;
    const [read] = await collect([source(() => [family])], 10, pause);
    histogram.record(1);
    assert.deepEqual(read?.points[0]?.value, { bounds: [1], counts: [0, 0], sum: 0, count: 0 });
  });
});

it("deltas are what counters and histograms grew since the reading before; gauges stay", async () => {
  const deltas = new Deltas();
  const family = (kind: MetricFamily["kind"], value: number | Histogram) => ({
    name: kind,
    kind,
    help: "",
    points: [{ labels: { a: "1" }, value }],
  });
  const grown = (count: number): Histogram => {
    const histogram = new Histogram([1]);
    histogram.record(1, count);
    return histogram;
  };
  const read = (n: number) =>
    deltas
      .since([family("counter", n), family("gauge", n), family("histogram", grown(n))])
      .map(({ points }) => points[0]?.value);
  assert.deepEqual(read(5).slice(0, 2), [5, 5]);
  assert.deepEqual(read(7), [2, 7, { bounds: [1], counts: [2, 0], sum: 2, count: 2 }]);
});
