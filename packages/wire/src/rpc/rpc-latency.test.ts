import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestCode } from "../tables/request-code.ts";
import { OTHER_CODE, RpcLatency } from "./rpc-latency.ts";

const seen = (latency: RpcLatency) =>
  [...latency.outcomes()].map(
    ({ requestCode, responseCode, isLongPolling, result, latency: { count, sum } }) => [
      requestCode,
      responseCode,
      isLongPolling,
      result,
      count,
      sum,
    ],
  );

describe("rpc latency", () => {
  it("is counted by request, response, whether it waited, and result", () => {
    const latency = new RpcLatency();
    latency.record(310, 0, false, "success", 0, 16);
    latency.record(310, 0, false, "success", 16, 64);
    latency.record(310, 13, false, "success", 0, 8);
    latency.record(11, 0, true, "success", 0, 1_600);
    latency.record(11, 0, false, "write_channel_failed", 0, 0);
    assert.deepEqual(seen(latency), [
      [11, 0, true, "success", 1, 100],
      [11, 0, false, "write_channel_failed", 1, 0],
      [310, 0, false, "success", 2, 4],
      [310, 13, false, "success", 1, 0.5],
    ]);
  });

  it("is right across the wrap of its ticks, and never negative", () => {
    const latency = new RpcLatency();
    latency.record(34, 0, false, "success", 0x7fffffff, -0x80000000 + 15);
    latency.record(34, 0, false, "success", 20, 4);
    assert.deepEqual(seen(latency), [[34, 0, false, "success", 2, 1]]);
  });

  it("of RocketMQ's codes is told apart, however high they are", () => {
    const latency = new RpcLatency();
    for (const code of [RequestCode.POP_MESSAGE, RequestCode.ACK_MESSAGE, RequestCode.POP_MESSAGE, 200_000]) {
      latency.record(code, 0, false, "success", 0, 16);
    }
    assert.deepEqual(seen(latency), [
      [200_050, 0, false, "success", 2, 2],
      [200_051, 0, false, "success", 1, 1],
      [OTHER_CODE, 0, false, "success", 1, 1],
    ]);
  });

  it("of codes that nobody has is counted together, however many there are", () => {
    const latency = new RpcLatency();
    for (let code = 0; code < 5_000; code++) latency.record(100_000 + code, 3, false, "success", 0, 16);
    for (let code = 0; code < 5_000; code++) latency.record(34, code + 1, false, "success", 0, 16);
    const outcomes = seen(latency);
    assert.deepEqual(outcomes.at(-1), [OTHER_CODE, 3, false, "success", 5_000, 5_000]);
    assert.ok(outcomes.length < 300, String(outcomes.length));
  });
});
