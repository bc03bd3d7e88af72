import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { MessageBody } from "./message-body.ts";
import { ITS_BODY, type MessageMetadata, plainMetadata, ReceivedMessage } from "./received-message.ts";

const metadata: MessageMetadata = {
  topic: "orders",
  queue: { topic: "orders", brokerName: "broker-a", queueId: 3 },
  queueOffset: 7,
  physicalOffset: 700,
  msgId: "0A",
  offsetMsgId: "0B",
  tag: "new",
  keys: ["k1", "k2"],
  properties: { TAGS: "new", KEYS: "k1 k2" },
  flag: 1,
  sysFlag: 2,
  bornTimestamp: 3,
  storeTimestamp: 4,
  bornHost: "10.0.0.1:5",
  storeHost: "10.0.0.2:6",
  reconsumeTimes: 5,
  storeSize: 6,
};

test("a received message says what its metadata say", () => {
  const message = new ReceivedMessage(metadata, { body: Buffer.from("x") }, "value");
  for (const name of Object.keys(metadata) as (keyof MessageMetadata)[]) {
    assert.equal(message[name], metadata[name], name);
  }
  assert.deepEqual(plainMetadata(message), metadata);
  assert.equal(message.value, "value");
});

test("nothing is read before somebody asks for it", () => {
  const nothing = new Proxy({} as never, { get: (_, name) => assert.fail(`${String(name)} was read`) });
  const message = new ReceivedMessage<Uint8Array>(nothing, nothing, ITS_BODY);
  assert.throws(() => message.msgId, /msgId was read/);
  assert.throws(() => message.value, /body was read/);
});

test("the body is made once, and is the value of a message without a codec", () => {
  const message = new ReceivedMessage<Uint8Array>(metadata, { body: Buffer.from('{"a":1}') }, ITS_BODY);
  assert.ok(message.body instanceof MessageBody);
  assert.equal(message.body, message.body);
  assert.equal(message.value, message.body);
  assert.deepEqual([message.text(), message.json()], ['{"a":1}', { a: 1 }]);
  const body = MessageBody.over(Buffer.from("made"));
  assert.equal(new ReceivedMessage(metadata, body, 1).body, body);
});

test("as JSON, and when it is printed, a message is all that it says", () => {
  const message = new ReceivedMessage(metadata, MessageBody.over(Buffer.from("b")), { cents: 9 });
  const { body, value, ...rest } = message.toJSON();
  assert.deepEqual([rest, body.text(), value], [metadata, "b", { cents: 9 }]);
  assert.deepEqual(JSON.parse(JSON.stringify(message)), {
    ...metadata,
    body: { 0: 98 },
    value: { cents: 9 },
  });
  assert.match(inspect(message), /^ReceivedMessage \{.*msgId: '0A'.*cents: 9/s);
});
