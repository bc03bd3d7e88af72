/** What commands that look tell of servers that do not answer, once and while they watch. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { type OrbitMQ, start } from "../../start.ts";
import { FakeTerminal } from "../../testing/fake-terminal.ts";
import { report } from "./report.ts";

let mq: OrbitMQ;
const failures = [
  { server: "broker-b", address: "b:10911", code: "CONNECT_FAILED", message: "b:10911: refused" },
];

before(async () => {
  mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 });
});

after(() => mq.stop());

const terminal = (onPause?: (count: number, stop: () => void) => void): FakeTerminal =>
  new FakeTerminal({
    env: { NAMESRV_ADDR: mq.namesrvAddr },
    ...(onPause === undefined ? {} : { onPause }),
  });

it("prints what the others said, names who failed, and ends with the code of a failed request", async () => {
  const person = terminal();
  const text = { look: async () => ({ seen: 1, failures }), text: () => "one\n" };
  assert.equal(await report({}, person, text), 9);
  assert.deepEqual([person.stdout, person.stderr], ["one\n", "orbitmq: broker-b: b:10911: refused\n"]);
  const program = terminal();
  assert.equal(await report({ json: true }, program, text), 9);
  assert.deepEqual(JSON.parse(program.stdout), { seen: 1, failures });
});

it("goes on watching when a look fails, and ends with 0 at the signal", async () => {
  let looks = 0;
  const look = async () => {
    looks += 1;
    if (looks === 2)
      throw Object.assign(new Error("away"), {
        name: "OrbitError",
        code: "TIMEOUT",
        outcome: "refused",
        attempts: 0,
        hint: "wait",
      });
    return { looks };
  };
  const watching = terminal((count, stop) => void (count === 3 && stop()));
  const code = await report({ watch: 1_000, json: true }, watching, { look, text: () => "" });
  assert.deepEqual([code, watching.stdout, watching.pauses.length], [0, '{"looks":1}\n{"looks":3}\n', 3]);
  assert.match(watching.stderr, /^orbitmq: away \(TIMEOUT\)/);
});
