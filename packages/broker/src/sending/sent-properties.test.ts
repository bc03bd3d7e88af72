import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseProperties } from "@orbitmq/wire";
import { brokersOwnProperties, SentProperties } from "./sent-properties.ts";

function text(...entries: [string, string][]): string {
  return entries.map(([name, value]) => `${name}\u0001${value}\u0002`).join("");
}

function scanned(properties: string): SentProperties {
  const sent = new SentProperties();
  sent.scan(properties);
  return sent;
}

const ending = brokersOwnProperties("DefaultRegion", true, "DefaultCluster");

function stored(properties: string, newUniqKey?: string): Record<string, string> {
  return Object.fromEntries(parseProperties(scanned(properties).storedText(properties, newUniqKey, ending)));
}

const own = { MSG_REGION: "DefaultRegion", TRACE_ON: "true", CLUSTER: "DefaultCluster" };

describe("SentProperties", () => {
  it("finds the unique key wherever it stands", () => {
    assert.equal(scanned(text(["TAGS", "a"], ["UNIQ_KEY", "ABC"], ["KEYS", "k"])).uniqKey, "ABC");
    assert.equal(scanned("UNIQ_KEY\u0001ABC").uniqKey, "ABC");
    assert.equal(scanned(text(["MY_UNIQ_KEY", "ABC"], ["UNIQ_KEYS", "x"])).uniqKey, undefined);
    assert.equal(scanned(text(["k", "UNIQ_KEY\u0001ABC"])).uniqKey, undefined);
    assert.equal(scanned("").uniqKey, undefined);
  });

  it("waits for the disk unless WAIT says false", () => {
    assert.equal(scanned(text(["WAIT", "true"])).waitsForStore, true);
    assert.equal(scanned(text(["WAIT", "TRUE"])).waitsForStore, true);
    assert.equal(scanned(text(["WAIT", "false"])).waitsForStore, false);
    assert.equal(scanned(text(["WAIT", ""])).waitsForStore, true);
    assert.equal(scanned(text(["AWAIT", "false"])).waitsForStore, true);
  });

  it("names what cannot be done yet", () => {
    for (const [name, value] of [
      ["DELAY", "3x"],
      ["INNER_NUM", "2"],
    ] as const) {
      assert.match(scanned(text(["TAGS", "a"], [name, value])).unsupported ?? "", new RegExp(name));
    }
  });

  it("lets pass what asks for nothing", () => {
    for (const [name, value] of [
      ["DELAY", "0"],
      ["DELAY", "-1"],
      ["DELAY", "3"],
      ["DELAYED", "3"],
      ["TRAN_MSG", "false"],
      ["TIMER_OUT_MS", "1"],
      ["TIMER", "1"],
    ] as const) {
      assert.equal(scanned(text([name, value])).unsupported, undefined, `${name}=${value}`);
    }
  });

  it("finds what asks for a time", () => {
    for (const name of ["TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"]) {
      assert.match(scanned(text(["TAGS", "a"], [name, "1"])).timer ?? "", new RegExp(name));
    }
    assert.equal(scanned(text(["TIMER_OUT_MS", "1"])).timer, undefined);
  });

  it("knows a half of a transaction", () => {
    assert.equal(scanned(text(["TRAN_MSG", "true"])).isHalf, true);
    assert.equal(scanned(text(["TRAN_MSG", "True"], ["TAGS", "a"])).isHalf, true);
    assert.equal(scanned(text(["TRAN_MSG", "false"])).isHalf, false);
    const sent = scanned(text(["TRAN_MSG", "true"]));
    sent.scan("");
    assert.equal(sent.isHalf, false);
  });

  it("finds the delay level, which counts more than a timer", () => {
    const level = (...entries: [string, string][]) => {
      const { delayLevel, timer } = scanned(text(...entries));
      return [delayLevel, timer];
    };
    assert.deepEqual(level(["TAGS", "a"], ["DELAY", "3"]), [3, undefined]);
    assert.deepEqual(level(["TIMER_DELAY_SEC", "5"], ["DELAY", "99"]), [99, undefined]);
    assert.deepEqual(level(["DELAY", "2"], ["DELAY", "4"]), [4, undefined]);
    assert.deepEqual(level(["DELAY", "0"]), [0, undefined]);
    assert.deepEqual(level(["DELAY", "-1"]), [0, undefined]);
    assert.deepEqual(level(["MY_DELAY", "3"]), [0, undefined]);
  });

  it("keeps nothing from the message before", () => {
    const sent = new SentProperties();
    sent.scan(text(["UNIQ_KEY", "A"], ["WAIT", "false"], ["DELAY", "1"], ["CLUSTER", "x"]));
    sent.scan("");
    assert.deepEqual([sent.uniqKey, sent.waitsForStore, sent.unsupported], [undefined, true, undefined]);
    assert.equal(sent.delayLevel, 0);
    assert.equal(sent.storedText("", undefined, ""), "");
  });

  it("stores the client's properties and its own", () => {
    assert.deepEqual(stored(text(["TAGS", "a"], ["UNIQ_KEY", "K"])), { TAGS: "a", UNIQ_KEY: "K", ...own });
    assert.deepEqual(stored("TAGS\u0001a"), { TAGS: "a", ...own });
    assert.deepEqual(stored("", "NEW"), { UNIQ_KEY: "NEW", ...own });
  });

  it("replaces its own properties of a message that is sent again", () => {
    const again = text(
      ["CLUSTER", "other"],
      ["MSG_REGION", "other"],
      ["TRACE_ON", "false"],
      ["POP_CK", "1 2"],
      ["KEYS", "k"],
    );
    assert.deepEqual(stored(again), { KEYS: "k", ...own });
  });

  it("survives what is no list of properties", () => {
    for (const bad of [
      "\u0002\u0002",
      "\u0001",
      "a",
      "\u0001\u0002",
      "a\u0001b\u0001c\u0002",
      "abc\u0002TAGS\u0001t",
    ]) {
      assert.equal(stored(bad)["CLUSTER"], "DefaultCluster");
    }
    assert.equal(stored("abc\u0002TAGS\u0001t")["TAGS"], "t");
  });
});
