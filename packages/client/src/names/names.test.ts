import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitError } from "../errors/errors.ts";
import { checkGroup, checkTopic, checkTopicToSend } from "./names.ts";

const code = (fn: () => void) => {
  try {
    fn();
    return "fine";
  } catch (error) {
    assert.ok(error instanceof OrbitError);
    return error.code;
  }
};

test("topic names follow RocketMQ's rules", () => {
  for (const name of ["orders", "a-b_C9", "%DLQ%g", "a|b", "x".repeat(127), `%RETRY%${"x".repeat(200)}`]) {
    assert.equal(
      code(() => checkTopic(name)),
      "fine",
      name,
    );
  }
  for (const name of ["", "a b", "ä", "a/b", "x".repeat(128), undefined, 7]) {
    assert.equal(
      code(() => checkTopic(name)),
      "INVALID_ARGUMENT",
      String(name),
    );
  }
});

test("the broker's own topics cannot be sent to", () => {
  assert.equal(
    code(() => checkTopicToSend("SCHEDULE_TOPIC_XXXX")),
    "MESSAGE_INVALID",
  );
  assert.equal(
    code(() => checkTopicToSend("RMQ_SYS_TRANS_HALF_TOPIC")),
    "MESSAGE_INVALID",
  );
  assert.equal(
    code(() => checkTopicToSend("orders")),
    "fine",
  );
});

test("group names follow RocketMQ's rules and are not the reserved ones", () => {
  assert.equal(
    code(() => checkGroup("x".repeat(120))),
    "fine",
  );
  for (const name of ["", "x".repeat(121), "a.b", "DEFAULT_PRODUCER", "DEFAULT_CONSUMER"]) {
    assert.equal(
      code(() => checkGroup(name)),
      "INVALID_ARGUMENT",
      name,
    );
  }
});
