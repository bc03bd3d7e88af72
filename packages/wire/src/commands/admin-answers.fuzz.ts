/**
 * The answers administrators read, against bodies that are cut, bent and made of odd pieces: what is not valid ends in
 * a WireError. Seeds are fixed; ORBITMQ_FUZZ_RUNS is the number of inputs.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { newSubscriptionData } from "../bodies/subscription-data.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { fuzzRuns, SeededRandom } from "../testing/random.ts";
import { WireError } from "../wire-error.ts";
import { parseConsumeMessageDirectlyResult } from "./consume-message-directly.ts";
import { encodeBrokerConsumeStats, parseBrokerConsumeStats } from "./get-broker-consume-stats.ts";
import { parseConsumerRunningInfo } from "./get-consumer-running-info.ts";
import { encodeConsumerStatus, parseConsumerStatus } from "./invoke-broker-to-get-consumer-status.ts";
import { encodeConsumeTimeSpans, parseConsumeTimeSpans } from "./query-consume-time-span.ts";
import { encodeConsumerSubscription, parseConsumerSubscription } from "./query-subscription-by-consumer.ts";
import { encodeGroupForbidden, parseGroupReadable } from "./update-and-get-group-forbidden.ts";
import { encodeBrokerStatsData, parseBrokerStatsData } from "./view-broker-stats-data.ts";

const queue = { topic: "T", brokerName: "b", queueId: 1 };
const item = { sum: 1, tps: 0.5, avgpt: 1 };
const offsets = [{ queue, brokerOffset: 2, consumerOffset: 1, pullOffset: 1, lastTimestamp: 1 }];

const answers: readonly (readonly [parse: (bytes: Uint8Array) => unknown, body: Uint8Array])[] = [
  [parseBrokerStatsData, encodeBrokerStatsData({ statsMinute: item, statsHour: item, statsDay: item })],
  [
    parseBrokerConsumeStats,
    encodeBrokerConsumeStats({
      brokerAddr: "b:1",
      groups: new Map([["g", [{ consumeTps: 1, offsets }]]]),
      totalDiff: 1,
      totalInflightDiff: 0,
    }),
  ],
  [
    parseConsumeTimeSpans,
    encodeConsumeTimeSpans([
      { messageQueue: queue, minTimeStamp: 1, maxTimeStamp: 2, consumeTimeStamp: 1, delayTime: 1 },
    ]),
  ],
  [parseConsumerSubscription, encodeConsumerSubscription("g", "T", newSubscriptionData("T", "a", 1))],
  [parseConsumerStatus, encodeConsumerStatus(new Map([["one", new Map([[queue, 7]])]]))],
  [parseGroupReadable, encodeGroupForbidden("g", "T", true)],
  [
    parseConsumeMessageDirectlyResult,
    encodeFastjson({ consumeResult: "CR_LATER", order: true, remark: "no" }),
  ],
  [
    parseConsumerRunningInfo,
    encodeFastjson({
      properties: { a: 1 },
      statusTable: { T: { pullRT: 1 } },
      mqTable: new Map([[queue, { commitOffset: 3 }]]),
      subscriptionSet: [newSubscriptionData("T", "a", 1)],
    }),
  ],
];

it("answers to administrators are read or refused, whatever they are made of", () => {
  const random = new SeededRandom(11);
  let read = 0;
  const runs = fuzzRuns(8_000);
  for (let run = 0; run < runs; run++) {
    const [parse, body] = random.pick(answers);
    // Also another one's body: members of the wrong kind.
    const input =
      run % 4 === 0
        ? random.pick(answers)[1]
        : random.mutated(Buffer.from(body.buffer, body.byteOffset, body.length));
    try {
      parse(input);
      read++;
    } catch (error) {
      if (!(error instanceof WireError))
        throw new Error(`${parse.name} broke on ${Buffer.from(input).toString("hex")}`, { cause: error });
    }
  }
  assert.ok(read > runs / 10, `${read} of ${runs} were read`);
});
