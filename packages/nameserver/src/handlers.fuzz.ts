/**
 * Every handler of the NameServer against random fields and bodies, mutated registrations among them: nothing but
 * a refusal or a WireError may be thrown, and whatever is not refused is answered. ORBITMQ_FUZZ_RUNS is the number
 * of requests.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import {
  type Exchange,
  encodeRegisterBrokerBody,
  newTopicConfig,
  type Peer,
  Refusal,
  type RemotingCommand,
  RequestCode,
  SERIALIZE_JSON,
  WireError,
} from "@orbitmq/wire";
import { KvConfig } from "./kv-config.ts";
import { nameServerDefaults } from "./nameserver-options.ts";
import { requestHandlers } from "./request-handlers.ts";
import { RouteTable } from "./route-table.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 20_000);

let state = 0x9e3779b9;
/** xorshift32: the same requests on every machine. */
function int(bound: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % bound;
}
const pick = <T>(items: readonly T[]): T => items[int(items.length)]!;

const NAMES = [
  "a",
  "b",
  "DefaultCluster",
  "10.0.0.1:1",
  "",
  "käse",
  "x".repeat(300),
  "constructor",
  "__proto__",
];
const INTEGERS = ["0", "0", "1", "-1", "9223372036854775807", "x", ""];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  brokerName: NAMES,
  brokerAddr: NAMES,
  clusterName: NAMES,
  haServerAddr: NAMES,
  brokerId: INTEGERS,
  heartbeatTimeoutMillis: INTEGERS,
  enableActingMaster: ["true", "false", "?"],
  compressed: ["true", "false"],
  bodyCrc32: ["0", "0", "0", "1"],
  topic: NAMES,
  acceptStandardJsonOnly: ["true", "false"],
  namespace: ["ORDER_TOPIC_CONFIG", ...NAMES],
  key: NAMES,
  value: NAMES,
  cluster: NAMES,
};

const bodies = [true, false].flatMap((compressed) =>
  [0, 1, 2, 9].map((count) => {
    const topics = Array.from({ length: count }, (_, i) =>
      newTopicConfig(pick(["a", "b", `t${i}`, "__proto__"])),
    );
    const wrapper = {
      topicConfigTable: new Map(topics.map((topic) => [topic.topicName, topic])),
      dataVersion: { counter: count, stateVersion: int(2), timestamp: 1 },
    };
    return encodeRegisterBrokerBody(
      { topicConfigSerializeWrapper: wrapper, filterServerList: [] },
      compressed,
    );
  }),
);

const OTHER_BODIES = [
  '{"counter":1}',
  '{"brokerDatas":[],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":1,"topicSysFlag":3,"writeQueueNums":1}]}',
].map((text) => Buffer.from(text));

function request(): RemotingCommand {
  const fields = new Map<string, string>();
  for (const [name, values] of Object.entries(FIELDS)) if (int(20) > 0) fields.set(name, pick(values));
  const body = Uint8Array.from(int(8) === 0 ? pick(OTHER_BODIES) : pick(bodies));
  if (body.length > 0 && int(3) === 0) body[int(body.length)] = int(256);
  return {
    code: 0,
    language: 0,
    version: pick([0, 399, 513]),
    opaque: 0,
    flag: 0,
    remark: undefined,
    ext: {
      get: (name) => fields.get(name),
      forEach: (visit) => {
        for (const [name, value] of fields) visit(name, value);
      },
    },
    body: int(10) === 0 ? new Uint8Array() : body,
    serializeType: SERIALIZE_JSON,
  };
}

describe("the NameServer's handlers", () => {
  it("answer or refuse every request, whatever it says", () => {
    const table = new RouteTable({ brokerChannelExpiredTime: 50, brokersMax: 20, topicsMax: 12 });
    let nowMs = 0;
    const options = { ...nameServerDefaults, orderMessageEnable: true, kvConfigCharactersMax: 2_000 };
    const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
    const kv = new KvConfig(undefined, options, silentLogger);
    const known = requestHandlers({ table, kv, options, logger: silentLogger, clock });
    const register = known.get(RequestCode.REGISTER_BROKER)!;
    const handlers = [register, register, register, register, register, ...known.values()];
    let answered = 0;
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const handler = pick(handlers);
      let replies = 0;
      const exchange: Exchange = {
        peer: { id: int(5) } as Peer,
        code: 0,
        opaque: 0,
        isOneway: false,
        reply: (response) => {
          replies++;
          response.header?.({ put: () => {} });
        },
      };
      try {
        handler(request(), exchange);
        assert.equal(replies, 1, "a request that was not refused is answered once");
        answered++;
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof WireError)) throw error;
        assert.equal(replies, 0, "a request is not both answered and refused");
        refused++;
      }
      if (int(50) === 0) table.connectionClosed(int(5));
      nowMs += int(2);
      if (int(50) === 0) table.expire(nowMs);
    }
    assert.ok(answered > RUNS / 5 && refused > RUNS / 20, `${answered} answered, ${refused} refused`);
  });
});
