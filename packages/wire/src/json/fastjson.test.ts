import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import { encodeFastjson, formatFastjson, ObjectKeyedMap, parseFastjson } from "./fastjson.ts";
import { parseJsonObject } from "./json-value.ts";

function isMalformed(error: unknown): boolean {
  return error instanceof WireError && error.code === "JSON_MALFORMED";
}

describe("parsing what fastjson writes", () => {
  it("takes standard JSON", () => {
    assert.deepEqual(parseFastjson(Buffer.from('{"a":[1,-2.5e3,"ü",null,true,{}]}')), {
      a: [1, -2500, "ü", null, true, {}],
    });
  });

  it("takes bare keys, integers as well as names", () => {
    assert.deepEqual(parseFastjson('{0:"a",-1:"b",name:1,$x_1:{2:[]}}'), {
      "0": "a",
      "-1": "b",
      name: 1,
      $x_1: { "2": [] },
    });
  });

  it("takes objects as keys", () => {
    const parsed = parseFastjson(
      '{"table":{{"queueId":0,"topic":"T"}:{"min":1}, {"queueId":1}:2 },"n":{}}',
    ) as {
      table: unknown;
    };
    assert.ok(parsed.table instanceof ObjectKeyedMap);
    assert.deepEqual(parsed.table.entries, [
      [{ queueId: 0, topic: "T" }, { min: 1 }],
      [{ queueId: 1 }, 2],
    ]);
  });

  it("takes single quotes, trailing commas, type suffixes and every escape", () => {
    assert.deepEqual(parseFastjson("{a:'it\\'s \\x41\\u00fc\\n\\\\',b:[1L,2.5D,3F,],}"), {
      a: "it's Aü\n\\",
      b: [1, 2.5, 3],
    });
  });

  it("keeps __proto__ an ordinary member", () => {
    const parsed = parseFastjson('{0:1,"__proto__":{"polluted":true}}') as Record<string, unknown>;
    assert.deepEqual(Object.keys(parsed), ["0", "__proto__"]);
    assert.equal(parsed["polluted"], undefined);
  });

  it("refuses what is cut off, has text behind it, or is nested beyond reason", () => {
    const cases = [
      "",
      "{0",
      "{0:",
      "{0:1",
      "{0:1}x",
      "{0 1}",
      "{0:1 1:2}",
      '{0:"',
      "{:1}",
      "[0:1]",
      "{0:nul}",
      "{{{}:1}:2}",
      "{0:'\\",
    ];
    for (const text of [...cases, `{0:${"[".repeat(65)}${"]".repeat(65)}}`, `{0:${"{a:".repeat(1e5)}`]) {
      assert.throws(() => parseFastjson(text), isMalformed, text.slice(0, 40));
    }
  });
});

describe("writing for fastjson", () => {
  it("sorts members, leaves out nulls, and keeps the order of maps", () => {
    const value = {
      b: 1,
      a: undefined,
      c: null,
      list: [null, new Set(["x"])],
      map: new Map([
        ["z", 1],
        ["y", 2],
      ]),
    };
    assert.equal(formatFastjson(value), '{"b":1,"list":[null,["x"]],"map":{"z":1,"y":2}}');
  });

  it("leaves integer keys bare unless told to quote them", () => {
    const value = {
      addrs: new Map([
        [0, "a"],
        [1, "b"],
      ]),
    };
    assert.equal(formatFastjson(value), '{"addrs":{0:"a",1:"b"}}');
    assert.equal(formatFastjson(value, { quoteIntegerKeys: true }), '{"addrs":{"0":"a","1":"b"}}');
  });

  it("writes objects as keys", () => {
    assert.equal(formatFastjson(new Map([[{ topic: "T", queueId: 0 }, 7]])), '{{"queueId":0,"topic":"T"}:7}');
  });

  it("escapes what is not ASCII when asked to, to text that parses back", () => {
    const text = formatFastjson({ ü: "😀\u007f\n" }, { asciiOnly: true });
    assert.equal(text, '{"\\u00FC":"\\uD83D\\uDE00\\u007F\\n"}');
    assert.deepEqual(JSON.parse(text), { ü: "😀\u007f\n" });
    assert.equal(Buffer.from(encodeFastjson({ ü: 1 })).toString(), '{"ü":1}');
  });
});

describe("typed reading", () => {
  const body = parseJsonObject(
    '{"s":"x","i":5,"is":"6","d":1.5,"b":true,"n":null,"list":["a"],"o":{"k":"v","gone":null},"ids":{0:"m",12:"n"},"objs":[{"a":1}],"empty":{}}',
    "Body",
  );

  it("gives members by kind, defaults for absent ones and nulls", () => {
    assert.equal(body.string("s"), "x");
    assert.equal(body.optionalString("n"), undefined);
    assert.equal(body.integer("i"), 5);
    assert.equal(body.integer("is"), 6);
    assert.equal(body.integer("absent", 9), 9);
    assert.equal(body.optionalNumber("d"), 1.5);
    assert.equal(body.boolean("b", false), true);
    assert.equal(body.boolean("absent", true), true);
    assert.deepEqual(body.strings("list"), ["a"]);
    assert.deepEqual(body.strings("absent"), []);
    assert.deepEqual([...body.stringMap("o")], [["k", "v"]]);
    assert.deepEqual(
      [...body.integerKeyedStrings("ids")],
      [
        [0, "m"],
        [12, "n"],
      ],
    );
    assert.equal(body.objectList("objs")[0]!.integer("a"), 1);
    assert.deepEqual(body.objectKeyedEntries("empty"), []);
    assert.equal(body.raw("toString"), undefined);
  });

  it("names body and member when a kind is wrong", () => {
    for (const read of [
      () => body.string("i"),
      () => body.string("absent"),
      () => body.integer("s"),
      () => body.integer("d"),
      () => body.boolean("s", false),
      () => body.strings("s"),
      () => body.strings("objs"),
      () => body.object("list"),
      () => body.objectList("list"),
      () => body.integerKeyedStrings("o"),
      () => body.objectKeyedEntries("o"),
    ]) {
      assert.throws(read, (error) => isMalformed(error) && /^Body/.test((error as Error).message));
    }
    assert.throws(() => parseJsonObject("[1]", "Body"), isMalformed);
    assert.throws(() => parseJsonObject("{{}:1}", "Body"), isMalformed);
  });
});
