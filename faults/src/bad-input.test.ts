import assert from "node:assert/strict";
import { test } from "node:test";
import { RawRequests } from "./raw-requests.ts";
import { startTestServer, temporaryHome } from "./test-server.ts";

const body = Buffer.from("hello");
const propertiesOf = (bytes: number) => `k\u0001${"v".repeat(bytes - 3)}\u0002`;

test("bad sends get RocketMQ's code and a clear remark, and the connection survives", {
  timeout: 60_000,
}, async (t) => {
  const home = temporaryHome(t);
  const server = await startTestServer(t, home);
  const raw = new RawRequests(server.brokerAddr);

  const cases: [what: string, answer: ReturnType<RawRequests["send"]>, code: number, remark: RegExp][] = [
    ["body over 4 MiB", raw.send({}, Buffer.alloc(4 * 1024 * 1024 + 1)), 13, /body|4194304/i],
    ["properties over 32,767 bytes", raw.send({ properties: propertiesOf(32_768) }, body), 13, /propert/i],
    ["a topic with a space", raw.send({ topic: "bad topic" }, body), 29, /topic/i],
    ["a topic with a slash", raw.send({ topic: "../etc" }, body), 29, /topic/i],
    ["an empty topic", raw.send({ topic: "" }, body), 29, /topic/i],
    ["a topic of 128 characters", raw.send({ topic: "t".repeat(128) }, body), 29, /topic|127/i],
    ["a system topic", raw.send({ topic: "SCHEDULE_TOPIC_XXXX" }, body), 16, /SCHEDULE_TOPIC_XXXX/],
    ["a queue id out of range", raw.send({ queueId: 99 }, body), 29, /queue/i],
    ["an unknown code", raw.request({ code: 9999 }), 3, /9999/],
    ["a send without its header", raw.request({ code: 310, body: [body] }), 1, /missing|SendMessage/i],
  ];
  for (const [what, pending, code, remark] of cases) {
    const answer = await pending;
    assert.equal(answer.code, code, `${what}: ${answer.code} ${answer.remark}`);
    assert.match(answer.remark, remark, what);
  }

  const exact = await raw.send({ properties: propertiesOf(30_000) }, Buffer.alloc(4 * 1024 * 1024));
  assert.equal(exact.code, 0, `a message at the limits is taken: ${exact.remark}`);
  assert.equal((await raw.send({}, body)).code, 0);
  assert.equal(raw.connections, 1, "one connection served all of it");
  raw.stop();
  assert.equal((await server.stop()).code, 0);
});
