import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import {
  appendProperty,
  formatProperties,
  getProperty,
  MessageConst,
  parseProperties,
  propertiesObject,
} from "./message-properties.ts";

describe("properties", () => {
  it("come back as they were written", () => {
    const text = formatProperties([
      ["KEYS", "a b"],
      ["gone", undefined],
      ["grün", "ü"],
      ["empty", ""],
    ]);
    assert.equal(text, "KEYS\u0001a b\u0002grün\u0001ü\u0002empty\u0001\u0002");
    assert.deepEqual(
      [...parseProperties(text)],
      [
        ["KEYS", "a b"],
        ["grün", "ü"],
        ["empty", ""],
      ],
    );
  });

  it("are read without the last separator, with repeated names, and with nonsense between", () => {
    assert.deepEqual([...parseProperties("a\u0001b")], [["a", "b"]]);
    assert.deepEqual([...parseProperties("a\u00011\u0002a\u00012\u0002")], [["a", "2"]]);
    assert.deepEqual(
      [...parseProperties("nonsense\u0002\u0002\u0001b\u0002a\u0001b\u0001c\u0002")],
      [["a", "b\u0001c"]],
    );
    assert.deepEqual([...parseProperties("")], []);
    assert.deepEqual([...parseProperties("nonsense")], []);
  });

  it("make an object without the one that is left out, whatever their names", () => {
    const text =
      "a\u00011\u0002skipped\u00012\u0002__proto__\u0001x\u0002a\u00013\u0002constructor\u0001y\u0002";
    const object = propertiesObject(text, "skipped");
    const entries = [
      ["a", "3"],
      ["__proto__", "x"],
      ["constructor", "y"],
    ];
    assert.deepEqual(Object.entries(object), entries);
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    assert.deepEqual([...parseProperties(text)].length, entries.length + 1);
  });

  it("are read in time that grows with their length only", () => {
    assert.equal(parseProperties("\u0002".repeat(4_000_000)).size, 0);
    assert.equal(parseProperties(`${"\u0002".repeat(4_000_000)}a\u0001b`).get("a"), "b");
  });

  it("can be read one by one, the last of a name winning", () => {
    const text = "TAGS\u0001A\u0002XTAGS\u0001B\u0002KEYS\u0001TAGS\u0001C\u0002TAGS\u0001D";
    assert.equal(getProperty(text, "TAGS"), "D");
    assert.equal(getProperty(text, "XTAGS"), "B");
    assert.equal(getProperty(text, "KEYS"), "TAGS\u0001C");
    assert.equal(getProperty("XTAGS\u0001B\u0002", MessageConst.TAGS), undefined);
    assert.equal(getProperty("", "TAGS"), undefined);
  });

  it("can be appended to text with and without its last separator", () => {
    assert.equal(appendProperty("", "a", "b"), "a\u0001b\u0002");
    assert.equal(appendProperty("x\u0001y\u0002", "a", "b"), "x\u0001y\u0002a\u0001b\u0002");
    assert.equal(appendProperty("x\u0001y", "a", "b"), "x\u0001y\u0002a\u0001b\u0002");
  });

  it("are refused when they would break their neighbours", () => {
    for (const [name, value] of [
      ["", "v"],
      ["a\u0001", "v"],
      ["a\u0002", "v"],
      ["a", "v\u0001"],
      ["a", "\u0002v"],
    ] as const) {
      assert.throws(
        () => formatProperties([[name, value]]),
        (error) => error instanceof WireError && error.code === "PROPERTIES_MALFORMED",
      );
    }
  });
});
