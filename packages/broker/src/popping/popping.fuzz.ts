/** What popping reads from disk, against random and damaged text: read, or refused with a WireError. */
import { describe, it } from "node:test";
import { WireError } from "@orbitmq/wire";
import { OrderInfo } from "./order-info.ts";
import { formatOrderInfos, parseOrderInfos } from "./order-infos.ts";
import { formatAck, formatCheckPoint, parseAck, parseCheckPoint } from "./revive-records.ts";

const CK = {
  ...{ group: "billing", topic: "orders", queueId: 2, startOffset: 7, popTime: 1_700_000_000_123 },
  ...{ brokerName: "broker-a", invisibleTime: 60_000, offsets: [7, 9], ackedBits: 1, rePutTimes: 1 },
};
const ORDERS = `{"table":{"orders@billing":{0:{"a":"x","cm":2,"i":60000,"l":1,"o":[40,1,4],"oc":{40:2},
  "ot":{44:1700000090000},"popTime":1700000000000}}}}`;

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 10_000);

/** Bounded below; the same numbers on every machine. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

describe("fuzz: files and records of popping", () => {
  it("are read or refused", () => {
    const int = numbers(31);
    const readers: [text: string, read: (bytes: Buffer) => unknown][] = [
      [formatCheckPoint(CK), parseCheckPoint],
      [formatAck(CK, [7]), parseAck],
      [formatAck(CK, [7, 9]), parseAck],
      [
        ORDERS,
        (bytes) => {
          const table = parseOrderInfos(bytes.toString());
          for (const queues of table.values()) {
            for (const info of queues.values()) new OrderInfo(info, { wallMs: 5, monotonicMs: 5 }, 1_000);
          }
          parseOrderInfos(formatOrderInfos(table));
        },
      ],
    ];
    const pieces = ["", "-", "9", "99999999999", '"', "{", "}", "[", ",", ":", "null", "1e9", "0.5"];
    for (let run = RUNS; run > 0; run--) {
      const [text, read] = readers[int(readers.length)]!;
      let damaged = text;
      for (let changes = 1 + int(3); changes > 0; changes--) {
        const at = int(damaged.length);
        damaged = damaged.slice(0, at) + pieces[int(pieces.length)] + damaged.slice(at + int(4));
      }
      const bytes = Buffer.from(damaged);
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof WireError)) throw new Error(`broke on ${bytes}`, { cause: error });
      }
    }
  });
});
