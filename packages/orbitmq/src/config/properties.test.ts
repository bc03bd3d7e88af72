import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeJavaProperties } from "@orbitmq/wire";
import { ServerError } from "../server-error.ts";
import { parseProperties } from "./properties.ts";

const parse = (text: string) => parseProperties(text, "broker.conf").map(({ key, value }) => [key, value]);

describe("properties file", () => {
  it("separates key and value by =, : or white space, with white space around", () => {
    assert.deepEqual(parse("a=1\nb : 2\nc 3\n\td\t=\t4\ne\nf=\ng==x\nh = = x"), [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
      ["d", "4"],
      ["e", ""],
      ["f", ""],
      ["g", "=x"],
      ["h", "= x"],
    ]);
  });

  it("skips comments and blank lines, also indented ones, and keeps # and ! inside values", () => {
    assert.deepEqual(parse("# one\n  ! two\n\n \t \na=1 # not a comment\nb=!x"), [
      ["a", "1 # not a comment"],
      ["b", "!x"],
    ]);
  });

  it("joins lines that end in an odd number of backslashes and drops the next line's indentation", () => {
    assert.deepEqual(parse("a=1,\\\n    2,\\\n\t3\nb=x\\\\\nc=y"), [
      ["a", "1,2,3"],
      ["b", "x\\"],
      ["c", "y"],
    ]);
  });

  it("does not treat a comment sign at the start of a continued line as a comment", () => {
    assert.deepEqual(parse("a=1\\\n# 2"), [["a", "1# 2"]]);
  });

  it("does not continue a comment", () => {
    assert.deepEqual(parse("# note \\\na=1"), [["a", "1"]]);
  });

  it("resolves escapes in keys and values", () => {
    assert.deepEqual(parse("a\\ b\\=c=t\\tn\\nr\\rf\\f\\z\\u4e2d\\\\"), [["a b=c", "t\tn\nr\rf\fz中\\"]]);
  });

  it("ends lines at LF, CR and CRLF", () => {
    assert.deepEqual(parse("a=1\r\nb=2\rc=3\n"), [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ]);
  });

  it("drops white space at the end of a value, which Java keeps, unless it is escaped", () => {
    assert.deepEqual(parse("a=1 \t\nb=1\\ "), [
      ["a", "1"],
      ["b", "1 "],
    ]);
  });

  it("counts the line an entry begins in", () => {
    const entries = parseProperties("# x\n\na=1\\\n2\nb=3", "f");
    assert.deepEqual(
      entries.map(({ key, line }) => [key, line]),
      [
        ["a", 3],
        ["b", 5],
      ],
    );
  });

  it("names file and line of a broken unicode escape", () => {
    assert.throws(
      () => parseProperties("a=1\nb=\\u12g4", "broker.conf"),
      (error) => error instanceof ServerError && /^broker\.conf:2: /.test(error.message),
    );
  });

  it("ends an open continuation at the end of the file", () => {
    assert.deepEqual(parse("a=1\\"), [["a", "1"]]);
  });

  it("reads bytes as UTF-8, and as ISO-8859-1 when they are not", () => {
    assert.equal(decodeJavaProperties(Buffer.from("a=中", "utf8")), "a=中");
    assert.equal(decodeJavaProperties(Buffer.from("a=é", "latin1")), "a=é");
  });
});
