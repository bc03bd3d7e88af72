import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import { encodeHostBytes } from "./host-address.ts";
import {
  decodeOffsetMessageId,
  encodeOffsetMessageId,
  encodeOffsetMessageIds,
  UniqueIdGenerator,
} from "./message-id.ts";

// Both ids are what RocketMQ 5.5.0's MessageDecoder.createMessageId gives for these hosts and this offset.
const ids = [
  ["192.0.2.1", "C000020100002A9F0000000100000002"],
  ["2001:db8::1", "20010DB800000000000000000000000100002A9F0000000100000002"],
] as const;

describe("an offset message id", () => {
  for (const [host, id] of ids) {
    it(`of ${host} is Java's, and tells host and offset`, () => {
      const storeHost = encodeHostBytes({ host, port: 10_911 });
      assert.equal(encodeOffsetMessageId(storeHost, 4_294_967_298), id);
      const decoded = decodeOffsetMessageId(id.toLowerCase());
      assert.deepEqual(Buffer.from(decoded.storeHost), storeHost);
      assert.equal(decoded.physicalOffset, 4_294_967_298);
    });
  }

  for (const [host] of ids) {
    it(`of ${host} is the same among several, joined by commas`, () => {
      const storeHost = encodeHostBytes({ host, port: 10_911 });
      const hex = Buffer.from(storeHost).toString("hex").toUpperCase();
      const offsets = [0, 4_294_967_298, 77];
      const each = offsets.map((offset) => encodeOffsetMessageId(storeHost, offset));
      assert.equal(encodeOffsetMessageIds(hex, offsets), each.join(","));
      assert.equal(encodeOffsetMessageIds(hex, [77]), each[2]);
      assert.equal(encodeOffsetMessageIds(hex, []), "");
    });
  }

  it("is refused when it is anything else", () => {
    for (const id of [
      "",
      "xyz",
      ids[0][1].slice(1),
      `${ids[0][1]}00`,
      `Z${ids[0][1].slice(1)}`,
      "F".repeat(32),
    ]) {
      if (id === "F".repeat(32)) assert.equal(decodeOffsetMessageId(id).physicalOffset, -1);
      else assert.throws(() => decodeOffsetMessageId(id), WireError, id);
    }
    assert.throws(() => decodeOffsetMessageId(`${"0".repeat(16)}7FFFFFFFFFFFFFFF`), WireError);
  });
});

describe("a unique id", () => {
  function generator(nowMs: () => number, address = [127, 0, 0, 1]): UniqueIdGenerator {
    return new UniqueIdGenerator({
      address: Uint8Array.from(address),
      pid: 0x12345,
      instance: -2,
      counterStart: 0xfffe,
      nowMs,
    });
  }

  it("holds address, pid, instance, time of the month and a counter that wraps", () => {
    const monthStart = 1_761_955_200_000; // 2025-11-01T00:00:00Z
    const ids = generator(() => monthStart + 0x01020304);
    assert.equal(ids.next(), "7F0000012345FFFFFFFE01020304FFFF");
    assert.equal(ids.next(), "7F0000012345FFFFFFFE010203040000");
    assert.equal(ids.next(), "7F0000012345FFFFFFFE010203040001");
  });

  it("has 56 characters with an IPv6 address", () => {
    assert.equal(generator(() => 0, new Array(16).fill(1)).next().length, 56);
  });

  it("counts time from the start of every month, leap years included", () => {
    let now = 0;
    const ids = generator(() => now);
    const timeOf = (iso: string): number => {
      now = Date.parse(iso);
      return Number.parseInt(ids.next().slice(20, 28), 16);
    };
    const day = 86_400_000;
    assert.equal(timeOf("2024-02-29T00:00:00Z"), 28 * day);
    assert.equal(timeOf("2024-02-29T23:59:59.999Z"), 29 * day - 1);
    assert.equal(timeOf("2024-03-01T00:00:00Z"), 0);
    assert.equal(timeOf("2024-12-31T00:00:00Z"), 30 * day);
    assert.equal(timeOf("2025-01-01T00:00:00.005Z"), 5);
    assert.equal(timeOf("2100-02-28T00:00:00Z"), 27 * day);
    assert.equal(timeOf("2100-03-01T00:00:00Z"), 0);
    assert.equal(timeOf("1970-01-01T00:00:00Z"), 0);
    for (let month = 0; month < 2400; month++) {
      const start = Date.UTC(1970, month, 1);
      assert.equal(timeOf(new Date(start).toISOString()), 0);
      assert.equal(timeOf(new Date(start - 1 + 20 * day).toISOString()), 20 * day - 1);
    }
  });

  it("stays unique while the clock steps back", () => {
    const times = [1000, 1000, 900, 1000, 950, 900];
    let at = 0;
    const ids = generator(() => Date.UTC(2025, 5, 10) + times[at++]!);
    assert.equal(new Set(times.map(() => ids.next())).size, times.length);
  });

  it("takes a small step back over the start of a month as no time at all", () => {
    let now = Date.UTC(2025, 5, 1);
    const ids = generator(() => now);
    ids.next();
    now -= 50;
    assert.equal(ids.next().slice(20, 28), "00000000");
  });
});
