/** A producer of transactions at a simulated broker: sends halves, ends them, hears of checks. */
import { encodeHeartbeatData, formatProperties, getProperty, RequestCode, readRecord } from "@orbitmq/wire";
import type { SimAnswer, SimBroker } from "./sim-broker.ts";

export const PRODUCERS = "producers";
export const TOPIC = "orders";
export const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
export const OP_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
export const PARKED_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";
export const COMMIT = 8;
export const ROLLBACK = 12;

export interface SentHalf {
  readonly queueOffset: number;
  readonly position: number;
  readonly uniqKey: string;
}

export interface Check extends SentHalf {
  readonly body: string;
  readonly topic: string;
  readonly checkTimes: number;
}

export class SimProducer {
  readonly checks: Check[] = [];
  readonly #sim: SimBroker;
  /** What the producer answers to a check; nothing by default. */
  onCheck: (check: Check) => number = () => 0;

  constructor(sim: SimBroker) {
    this.#sim = sim;
    sim.client.handle(RequestCode.CHECK_TRANSACTION_STATE, (request) => {
      const record = readRecord(Buffer.from(request.body), 0);
      const check = {
        queueOffset: Number(request.ext.get("tranStateTableOffset")),
        position: Number(request.ext.get("commitLogOffset")),
        uniqKey: request.ext.get("msgId") ?? "",
        body: Buffer.from(record.body).toString(),
        topic: record.topic,
        checkTimes: Number(getProperty(record.properties, "TRANSACTION_CHECK_TIMES")),
      };
      this.checks.push(check);
      const state = this.onCheck(check);
      if (state > 0) this.endOneway(check, state);
    });
  }

  /** Its group is known to the broker from here on. */
  async online(group = PRODUCERS): Promise<void> {
    const body = encodeHeartbeatData({
      clientID: "client",
      producerGroups: [group],
      consumerDataSet: [],
      heartbeatFingerprint: 0,
      withoutSub: false,
    });
    await this.#sim.ask(RequestCode.HEART_BEAT, {}, body);
  }

  async send(body: string, more: Readonly<Record<string, string>> = {}): Promise<SentHalf> {
    const properties = { TRAN_MSG: "true", PGROUP: PRODUCERS, UNIQ_KEY: `KEY-${body}`, ...more };
    const i = formatProperties(Object.entries(properties));
    const answer = await this.#sim.send(TOPIC, body, { f: 4, i });
    if (answer.code !== 0) throw new Error(`${answer.code} ${answer.remark}`);
    return {
      queueOffset: Number(answer.ext.get("queueOffset")),
      position: Number.parseInt(answer.ext.get("msgId")!.slice(-16), 16),
      uniqKey: answer.ext.get("transactionId")!,
    };
  }

  end(
    half: SentHalf,
    state: number,
    more: Readonly<Record<string, string | number>> = {},
  ): Promise<SimAnswer> {
    return this.#sim.ask(RequestCode.END_TRANSACTION, { ...fieldsOf(half, state, false), ...more });
  }

  endOneway(half: SentHalf, state: number): void {
    const header = Object.entries(fieldsOf(half, state, true));
    this.#sim.client.oneway("broker:10911", {
      code: RequestCode.END_TRANSACTION,
      header: (sink) => {
        for (const [name, value] of header) sink.put(name, String(value));
      },
    });
  }
}

function fieldsOf(half: SentHalf, state: number, fromTransactionCheck: boolean) {
  return {
    producerGroup: PRODUCERS,
    tranStateTableOffset: half.queueOffset,
    commitLogOffset: half.position,
    commitOrRollback: state,
    fromTransactionCheck,
    msgId: half.uniqKey,
    transactionId: half.uniqKey,
  };
}
