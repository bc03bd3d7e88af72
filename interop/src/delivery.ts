/**
 * What a consumer got, told in the same words whether it was a Java client or ours, and the checks that every test
 * makes of it: each message sent is there, once, with the contents it was sent with.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ReceivedMessage } from "@orbitmq/client";
import type { JsonLine } from "./program-lines.ts";

export interface Delivery {
  readonly topic: string;
  readonly key: string;
  readonly tag: string | undefined;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly msgId: string;
  readonly bodyBytes: number;
  readonly bodySha256: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly flag: number;
  /** `host:port`, for Java too, which puts a slash in front. */
  readonly bornHost: string;
  readonly storeHost: string;
  readonly reconsumeTimes: number;
}

/** The body that the Java programs give the message with this key: the key and the alphabet, over and over. */
export function bodyOf(key: string, size: number): Uint8Array {
  const unit = Buffer.from(`${key}|abcdefghijklmnopqrstuvwxyz|`);
  return Buffer.alloc(size, unit);
}

export const sha256 = (body: Uint8Array): string => createHash("sha256").update(body).digest("hex");

/** What the lines of a `consume` say was delivered and accepted. */
export function deliveriesIn(lines: readonly JsonLine[]): Delivery[] {
  return lines.filter((line) => line["accepted"] === true).map(javaDelivery);
}

function javaDelivery(line: JsonLine): Delivery {
  const tag = line["tags"] as string | null;
  return {
    topic: String(line["topic"]),
    key: String(line["keys"] ?? ""),
    tag: tag === null || tag === "" ? undefined : tag,
    queueId: Number(line["queueId"]),
    queueOffset: Number(line["queueOffset"]),
    msgId: String(line["msgId"]),
    bodyBytes: Number(line["bodyBytes"]),
    bodySha256: String(line["bodySha256"]),
    properties: line["properties"] as Record<string, string>,
    flag: Number(line["flag"]),
    bornHost: plainAddress(String(line["bornHost"])),
    storeHost: plainAddress(String(line["storeHost"])),
    reconsumeTimes: Number(line["reconsumeTimes"]),
  };
}

/** Without Java's slash and what it puts before it, and with IPv6 addresses as short as ours. */
function plainAddress(text: string): string {
  const address = text.replace(/^.*\//, "");
  return address.startsWith("[") ? new URL(`http://${address}`).host : address;
}

export function deliveryOf(message: ReceivedMessage<unknown>): Delivery {
  return {
    topic: message.topic,
    key: message.keys.join(" "),
    tag: message.tag,
    queueId: message.queue.queueId,
    queueOffset: message.queueOffset,
    msgId: message.msgId,
    bodyBytes: message.body.length,
    bodySha256: sha256(message.body),
    properties: message.properties,
    flag: message.flag,
    bornHost: message.bornHost,
    storeHost: message.storeHost,
    reconsumeTimes: message.reconsumeTimes,
  };
}

export interface Expected {
  /** Keys are prefix0, prefix1, … Default "key-". */
  readonly keys?: string;
  /** The first number, default 0. */
  readonly from?: number;
  readonly count: number;
  /** Bytes of every body. Default 64. */
  readonly size?: number;
  readonly tag?: string;
}

/** Exactly the expected messages, each once, in any order, with the contents they were sent with. */
export function assertDelivered(deliveries: readonly Delivery[], ...expected: readonly Expected[]): void {
  const wanted = new Map<string, { size: number; tag: string | undefined }>();
  for (const { keys = "key-", from = 0, count, size = 64, tag } of expected)
    for (let i = from; i < from + count; i++) wanted.set(`${keys}${i}`, { size, tag });
  assert.deepEqual(deliveries.map(({ key }) => key).sort(), [...wanted.keys()].sort());
  for (const { key, tag, bodyBytes, bodySha256 } of deliveries) {
    const message = wanted.get(key)!;
    assert.equal(bodyBytes, message.size, `body length of ${key}`);
    assert.equal(bodySha256, sha256(bodyOf(key, message.size)), `body of ${key}`);
    assert.equal(tag, message.tag, `tag of ${key}`);
  }
}

/** In every queue the offsets are 0, 1, 2 … without a gap: nothing else was stored there. */
export function assertQueuesWhole(deliveries: readonly Delivery[]): void {
  const queues = new Map<number, number[]>();
  for (const { queueId, queueOffset } of deliveries)
    queues.set(queueId, [...(queues.get(queueId) ?? []), queueOffset]);
  for (const [queueId, offsets] of queues)
    assert.deepEqual(
      offsets.sort((a, b) => a - b),
      offsets.map((_, i) => i),
      `offsets of queue ${queueId}`,
    );
}

/** Every message lies where its sender was told. `sent` are the lines of a `produce` in mode sync or async. */
export function assertWhereTold(deliveries: readonly Delivery[], sent: readonly JsonLine[]): void {
  const places = (key: string, queueId: unknown, queueOffset: unknown, msgId: unknown) =>
    `${key} queue ${queueId} offset ${queueOffset} ${msgId}`;
  assert.deepEqual(
    deliveries.map((one) => places(one.key, one.queueId, one.queueOffset, one.msgId)).sort(),
    sent
      .filter((line) => "queueOffset" in line)
      .map((line) => places(`key-${line["i"]}`, line["queueId"], line["queueOffset"], line["msgId"]))
      .sort(),
  );
}
