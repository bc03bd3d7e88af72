import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";
import { javaHash } from "../message/java-hash.ts";
import { WireError } from "../wire-error.ts";
import {
  matchesTag,
  matchesTagsCode,
  newSubscriptionData,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "./subscription-data.ts";

describe("javaHash", () => {
  it("is Java's String.hashCode", () => {
    for (const [text, hash] of [
      ["", 0],
      ["TagA", 2_598_919],
      ["grün", 3_185_949],
      ["😀 tag", 927_985_501],
      ["AaAaAa", 1_952_508_096],
      ["BBBBBB", 1_952_508_096],
    ] as const) {
      assert.equal(javaHash(text), hash, text);
    }
  });
});

describe("a subscription", () => {
  it("to nothing in particular takes everything", () => {
    for (const expression of [undefined, "", "*"]) {
      const data = newSubscriptionData("T", expression, 5);
      assert.equal(data.subString, "*");
      assert.equal(data.tagsSet.size, 0);
      assert.ok(matchesTagsCode(data, 0));
      assert.ok(matchesTag(data, undefined));
    }
  });

  it("to tags takes those, by code on the broker and by name on the client", () => {
    const data = newSubscriptionData("T", " TagA|| AaAaAa ||", 5);
    assert.deepEqual([...data.tagsSet], ["TagA", "AaAaAa"]);
    assert.deepEqual([...data.codeSet], [2_598_919, 1_952_508_096]);
    assert.ok(matchesTagsCode(data, javaHash("TagA")));
    assert.ok(!matchesTagsCode(data, javaHash("TagB")));
    assert.ok(!matchesTagsCode(data, 0));
    assert.ok(matchesTagsCode(data, javaHash("BBBBBB")), "hashes collide");
    assert.ok(!matchesTag(data, "BBBBBB"));
    assert.ok(matchesTag(data, "AaAaAa"));
    assert.ok(!matchesTag(data, undefined));
  });

  it("that names no tag is refused", () => {
    for (const expression of ["||", " || ", " "]) {
      assert.throws(() => newSubscriptionData("T", expression, 5), WireError, expression);
    }
  });

  it("by SQL keeps its expression as it is", () => {
    const data = newSubscriptionData("T", "a > 5 || b", 5, "SQL92");
    assert.deepEqual([data.subString, data.expressionType, data.tagsSet.size], ["a > 5 || b", "SQL92", 0]);
  });

  it("of Go's client has codes in quotes, and a version in nanoseconds", () => {
    const json = `{"classFilterMode":false,"codeSet":["65","66"],"expressionType":"TAG","subString":"A || B",
      "subVersion":1795289783465123456,"tagsSet":["A","B"],"topic":"T"}`;
    const data = subscriptionDataFromJson(parseJsonObject(json, "SubscriptionData"));
    assert.deepEqual([...data.codeSet], [65, 66]);
    assert.equal(data.subVersion, Number("1795289783465123456"));
    const wrong = parseJsonObject(json.replace('"66"', '"x"'), "SubscriptionData");
    assert.throws(() => subscriptionDataFromJson(wrong), WireError);
  });

  it("comes back from its JSON form", () => {
    const data = newSubscriptionData("T", "A || B", 1_700_000_000_000);
    const json = formatFastjson(subscriptionDataToJson(data));
    assert.deepEqual(subscriptionDataFromJson(parseJsonObject(json, "SubscriptionData")), data);
  });
});
