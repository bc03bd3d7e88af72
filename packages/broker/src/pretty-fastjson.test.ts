import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPrettyFastjson } from "./pretty-fastjson.ts";

describe("formatPrettyFastjson", () => {
  it("writes what a Java broker writes", () => {
    // Printed by RemotingSerializable.toJson(value, true) of RocketMQ 5.5.0.
    const java = `{
	"dataVersion":{
		"counter":0,
		"stateVersion":0,
		"timestamp":1795268102259
	},
	"empty":[],
	"groupTopicMap":{
		"G":[
			"T",
			"U"
		]
	},
	"offsetTable":{
		"T@G":{
			0:5,
			1:7
		}
	},
	"table":{
		"T":{
			"attributes":{},
			"order":false
		}
	}
}`;
    const value = {
      table: { T: { order: false, attributes: {}, absent: undefined } },
      offsetTable: new Map([
        [
          "T@G",
          new Map([
            [0, 5],
            [1, 7],
          ]),
        ],
      ]),
      empty: [],
      groupTopicMap: new Map([["G", new Set(["T", "U"])]]),
      dataVersion: { timestamp: 1795268102259, counter: 0, stateVersion: 0 },
    };
    assert.equal(formatPrettyFastjson(value), java);
  });

  it("escapes what JSON escapes", () => {
    assert.equal(formatPrettyFastjson({ a: 'q"\n' }), '{\n\t"a":"q\\"\\n"\n}');
  });
});
