import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeJavaProperties, formatJavaProperties, parseJavaProperties } from "./java-properties.ts";

const read = (text: string) => parseJavaProperties(text, "body").map(({ key, value }) => [key, value]);

describe("texts of java.util.Properties", () => {
  it("are read as Java reads them", () => {
    assert.deepEqual(read("a=1\n# no\n b : two \nc\\=d e\nlong=x\\\n  y\n"), [
      ["a", "1"],
      ["b", "two"],
      ["c=d", "e"],
      ["long", "xy"],
    ]);
    assert.throws(() => read("a=\\u00"), /body:1: \\u must be followed/);
  });

  it("come back as they were written", () => {
    const entries: [string, string][] = [
      ["plain", "1s 5s 10s"],
      ["path", "C:\\store\\"],
      ["blank", " x "],
      ["space", " "],
      ["lines", "a\nb\r"],
      ["odd key=:#", "=:#!"],
      ["empty", ""],
    ];
    assert.deepEqual(read(formatJavaProperties(entries)), entries);
  });

  it("are UTF-8, or else ISO-8859-1", () => {
    assert.equal(decodeJavaProperties(Buffer.from("ä")), "ä");
    assert.equal(decodeJavaProperties(Uint8Array.of(0xe4)), "ä");
  });
});
