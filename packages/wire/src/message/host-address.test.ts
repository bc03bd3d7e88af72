import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import {
  decodeHostBytes,
  encodeHostBytes,
  formatAddress,
  formatHostBytes,
  parseAddress,
  parseV6,
} from "./host-address.ts";

function isInvalid(error: unknown): boolean {
  return error instanceof WireError && error.code === "ADDRESS_INVALID";
}

describe("an address as text", () => {
  it("is host:port, with IPv6 in brackets or, as Java writes it, without", () => {
    assert.deepEqual(parseAddress("127.0.0.1:9876"), { host: "127.0.0.1", port: 9876 });
    assert.deepEqual(parseAddress("broker.local:0"), { host: "broker.local", port: 0 });
    assert.deepEqual(parseAddress("[::1]:9876"), { host: "::1", port: 9876 });
    assert.deepEqual(parseAddress("2001:db8::1:10911"), { host: "2001:db8::1", port: 10_911 });
    for (const text of ["127.0.0.1:9876", "[::1]:9876", "broker.local:80"]) {
      assert.equal(formatAddress(parseAddress(text)), text);
    }
  });

  it("is refused without a host or with a bad port", () => {
    for (const text of [
      "",
      ":",
      "host",
      "host:",
      ":80",
      "host:65536",
      "host:-1",
      "host:8o",
      "[]:80",
      "host:123456",
    ]) {
      assert.throws(() => parseAddress(text), isInvalid, text);
    }
  });
});

describe("an address as bytes", () => {
  it("is 8 bytes for IPv4 and 20 for IPv6, and comes back in its shortest form", () => {
    for (const [host, hex, shown] of [
      ["192.0.2.1", "c0000201", "192.0.2.1"],
      ["::ffff:192.0.2.1", "c0000201", "192.0.2.1"],
      ["::", "00".repeat(16), "::"],
      ["::1", `${"00".repeat(15)}01`, "::1"],
      ["1::", `0001${"00".repeat(14)}`, "1::"],
      ["2001:DB8:0:0:1:0:0:1", "20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
      ["1:0:2:3:4:5:6:7", "00010000000200030004000500060007", "1:0:2:3:4:5:6:7"],
      ["fe80::1%eth0", `fe80${"00".repeat(13)}01`, "fe80::1"],
      ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221", "64:ff9b::c000:221"],
    ] as const) {
      const bytes = encodeHostBytes({ host, port: 10_911 });
      assert.equal(bytes.toString("hex"), `${hex}00002a9f`, host);
      assert.deepEqual(decodeHostBytes(bytes), { host: shown, port: 10_911 });
      assert.equal(formatHostBytes(bytes), formatAddress({ host: shown, port: 10_911 }));
    }
  });

  it("is refused for a name, for what only looks like an address, and for other lengths", () => {
    for (const host of [
      "localhost",
      "1.2.3",
      "1.2.3.256",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "::1::",
      "12345::",
      ":::",
      "",
    ]) {
      assert.throws(() => encodeHostBytes({ host, port: 1 }), isInvalid, host);
    }
    assert.equal(parseV6("1:2:3:4:5:6:7::8"), undefined);
    for (const length of [0, 4, 7, 16, 21]) {
      assert.throws(() => decodeHostBytes(Buffer.alloc(length)), isInvalid);
      assert.throws(() => formatHostBytes(Buffer.alloc(length)), isInvalid);
    }
  });
});
