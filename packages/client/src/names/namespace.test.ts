import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitError } from "../errors/errors.ts";
import { Namespace } from "./namespace.ts";

const space = new Namespace("MQ_INST_1");

test("a namespace stands before a name, behind the prefix of a retry or dead letter topic, and once", () => {
  for (const [name, wrapped] of [
    ["orders", "MQ_INST_1%orders"],
    ["%RETRY%g", "%RETRY%MQ_INST_1%g"],
    ["%DLQ%g", "%DLQ%MQ_INST_1%g"],
  ] as const) {
    assert.equal(space.wrap(name), wrapped);
    assert.equal(space.wrap(wrapped), wrapped);
    assert.equal(space.unwrap(wrapped), name);
  }
});

test("names of the system's own, and those of other namespaces, stay as they are", () => {
  for (const name of ["TBW102", "SCHEDULE_TOPIC_XXXX", "rmq_sys_wheel_timer", "CID_RMQ_SYS_TRANS"]) {
    assert.equal(space.wrap(name), name);
  }
  assert.equal(space.unwrap("MQ_INST_2%orders"), "MQ_INST_2%orders");
});

test("without a namespace nothing changes", () => {
  const none = new Namespace();
  const queue = { topic: "a%b", brokerName: "b", queueId: 1 };
  assert.equal(none.wrap("a%b"), "a%b");
  assert.equal(none.unwrap("a%b"), "a%b");
  assert.equal(none.wrapQueue(queue), queue);
});

test("a namespace is of letters, digits, _ and -", () => {
  for (const name of ["a%b", "a b", "ü"]) {
    const invalid = (error: unknown) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT";
    assert.throws(() => new Namespace(name), invalid, name);
  }
});
