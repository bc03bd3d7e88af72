import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { StateFile } from "@orbitmq/store";
import { HOME, StoreDriver } from "@orbitmq/store/testing";
import { newSubscriptionData } from "@orbitmq/wire";
import { brokerDefaults } from "../broker-options.ts";
import { bloomFilterData } from "./bloom-positions.ts";
import { type ConsumerFilter, ConsumerFilters, parseConsumerFilters } from "./consumer-filters.ts";
import { FilterCompiler } from "./filter-compiler.ts";
import { FilterRegistry } from "./filter-registry.ts";

/** As ConsumerFilterManager of RocketMQ 5.5.0 writes it, with the bits of a broker's defaults. */
const JAVA = `{
	"filterDataByTopic":{
		"orders":{
			"groupFilterData":{
				"group":{
					"bloomFilterData":{
						"bitNum":112,
						"bitPos":[
							99,
							9,
							31
						]
					},
					"bornTime":1795284050440,
					"clientVersion":7,
					"consumerGroup":"group",
					"dead":true,
					"deadTime":1795284050440,
					"expression":"a > 5 AND b = 'x'",
					"expressionType":"SQL92",
					"topic":"orders"
				}
			},
			"topic":"orders"
		}
	}
}`;

const sql = (topic: string, text: string, version: number) =>
  newSubscriptionData(topic, text, version, "SQL92");

function table(filtersMax = 10): ConsumerFilters {
  const compiler = new FilterCompiler(brokerDefaults, silentLogger);
  return new ConsumerFilters((type, text) => compiler.compile(type, text), filtersMax);
}

describe("the filters of consumer groups", () => {
  it("come with a heartbeat and change with a newer one", () => {
    const filters = table();
    const expression = () => filters.get("t", "g")?.expression;
    assert.equal(filters.register("g", [sql("t", "a > 1", 5)], 100), true);
    assert.equal(filters.register("g", [sql("t", "a > 1", 5)], 101), false);
    assert.deepEqual([expression(), filters.get("t", "g")?.bornTime], ["a > 1", 100]);
    assert.equal(filters.register("g", [sql("t", "a > 2", 5)], 102), false, "the same version");
    assert.equal(filters.register("g", [sql("t", "a > 2", 4)], 103), false, "an older version");
    assert.equal(filters.register("g", [sql("t", "a > 1", 6)], 104), true, "the same, newer");
    assert.deepEqual([filters.get("t", "g")?.clientVersion, filters.get("t", "g")?.bornTime], [6, 100]);
    filters.register("g", [sql("t", "a > 3", 7)], 105);
    assert.deepEqual([expression(), filters.get("t", "g")?.bornTime], ["a > 3", 105]);
    filters.register("g", [sql("t", "a >", 8)], 106);
    assert.equal(expression(), undefined, "an illegal one removes the old one");
    filters.register("g", [newSubscriptionData("t", "a > 1", 9, "XPATH"), sql("u", "", 9)], 107);
    assert.equal(filters.size, 0);
  });

  it("die when the group leaves or drops the topic, and wake again", () => {
    const filters = table();
    const dead = (topic: string) => {
      const { deadTime, bornTime } = filters.get(topic, "g") as ConsumerFilter;
      return deadTime >= bornTime;
    };
    filters.register("g", [sql("t", "a > 1", 5), sql("u", "b", 5)], 100);
    assert.equal(filters.register("g", [sql("t", "a > 1", 5)], 200), true);
    assert.deepEqual([dead("t"), dead("u")], [false, true]);
    assert.equal(filters.unregister("g", 50), true, "also when the clock has gone back");
    assert.deepEqual([dead("t"), filters.unregister("g", 300)], [true, false]);
    filters.register("g", [sql("t", "a > 1", 5)], 400);
    assert.deepEqual([dead("t"), filters.get("t", "g")?.bornTime], [false, 100]);
    filters.clean(1_199, 1_000);
    assert.equal(filters.size, 2);
    filters.clean(1_200, 1_000);
    assert.equal(filters.get("u", "g"), undefined);
    assert.equal(filters.size, 1);
  });

  it("are at most so many", () => {
    const filters = table(1);
    filters.register("g", [sql("t", "a", 1), sql("u", "a", 1)], 0);
    assert.deepEqual([filters.size, filters.get("u", "g")], [1, undefined]);
  });

  it("have the bits a Java broker gives them", () => {
    const bits = (group: string, topic: string) => bloomFilterData(group, topic).bitPos;
    assert.deepEqual(bits("group", "orders"), [99, 9, 31]);
    assert.deepEqual(bits("g", "t"), [22, 87, 58]);
    assert.deepEqual(bits("GID_1", "a topic of more than sixteen bytes"), [88, 13, 93]);
    assert.deepEqual(bits("é", "ü"), [25, 14, 108]);
    assert.deepEqual(bits("CID_abc", "TopicTest"), [103, 61, 29]);
  });
});

describe("consumerFilter.json", () => {
  it("is read and written as a Java broker writes it", () => {
    const filters = table();
    assert.deepEqual(filters.restore(parseConsumerFilters(JAVA), 1_795_284_060_000), []);
    assert.equal(filters.format(), JAVA);
  });

  it("takes consumers that were alive for dead, and drops what is illegal", () => {
    const filters = table();
    const entry = (expression: string, bornTime: number) => ({
      expression,
      expressionType: "SQL92",
      bornTime,
    });
    const groups = { g: entry("a > 1", 10), h: entry("a >", 10), i: entry("a", 99_000) };
    const text = JSON.stringify({ filterDataByTopic: { t: { topic: "t", groupFilterData: groups } } });
    const illegal = filters.restore(parseConsumerFilters(text), 100_000);
    assert.deepEqual(
      illegal.map(({ consumerGroup }) => consumerGroup),
      ["h"],
    );
    assert.deepEqual([filters.get("t", "g")?.deadTime, filters.get("t", "i")?.deadTime], [70_000, 99_000]);
    assert.throws(() => parseConsumerFilters("[]"), { code: "JSON_MALFORMED" });
  });

  it("keeps filters over a restart, and forgets them a day after their group has gone", async () => {
    const { host } = await StoreDriver.open();
    host.files.makeFolderSync(`${HOME}/config`);
    const open = () => {
      const file = new StateFile(host, `${HOME}/config/consumerFilter.json`, silentLogger);
      const { clock, timers } = host;
      const registry = new FilterRegistry({
        clock,
        timers,
        logger: silentLogger,
        file,
        options: brokerDefaults,
      });
      registry.load();
      return registry;
    };
    const first = open();
    first.register("g", [sql("t", "a > 1", 5)]);
    host.advance(brokerDefaults.flushConsumerFilterInterval);
    host.settle();
    const killed = open();
    assert.equal(killed.get("t", "g")?.expression, "a > 1");
    killed.register("h", [sql("t", "b", 5)]);
    killed.stop();
    host.advance(brokerDefaults.filterDataCleanTimeSpan);
    const later = open();
    assert.equal(later.filters.size, 2);
    later.register("h", [sql("t", "b", 5)]);
    later.stop();
    assert.deepEqual([open().get("t", "g"), open().get("t", "h")?.expression], [undefined, "b"]);
  });
});
