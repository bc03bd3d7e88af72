/** Raw END_TRANSACTION, as a client sends it again that has no answer, or as one that has no right to. */
import type { SimHost } from "@orbitmq/host/sim";
import { type ExtSink, endTransactionRequestHeader, RequestCode, RpcClient } from "@orbitmq/wire";
import type { BrokerAt } from "../pop-client.ts";
import { TRANSACTION_PRODUCERS } from "./transaction-plan.ts";

export interface SentHalf {
  readonly broker: string;
  readonly physicalOffset: number;
  /** In the half queue. */
  readonly queueOffset: number;
  readonly msgId: string;
  /** Default: the group of all producers of transactions. */
  readonly group?: string;
}

const TIMEOUT_MS = 3_000;

export class EndSender {
  readonly #rpc: RpcClient;
  readonly #brokers: readonly BrokerAt[];

  constructor(host: SimHost, brokers: readonly BrokerAt[]) {
    this.#rpc = new RpcClient(host);
    this.#brokers = brokers;
  }

  /** `done` gets the answer's code; `undefined`: there was none. */
  send(half: SentHalf, commitOrRollback: number, done: (code: number | undefined) => void): void {
    const { broker, physicalOffset, queueOffset, msgId, group = TRANSACTION_PRODUCERS } = half;
    const address = this.#brokers.find(({ name }) => name === broker)?.address;
    if (address === undefined) throw new Error(`there is no ${broker}`);
    const header = (sink: ExtSink) =>
      endTransactionRequestHeader.encode(
        {
          topic: "",
          producerGroup: group,
          tranStateTableOffset: queueOffset,
          commitLogOffset: physicalOffset,
          commitOrRollback,
          fromTransactionCheck: false,
          msgId,
          transactionId: msgId,
        },
        sink,
      );
    const request = { code: RequestCode.END_TRANSACTION, header };
    this.#rpc.request(address, request, TIMEOUT_MS, (_error, response) => done(response?.code));
  }

  ask(half: SentHalf, commitOrRollback: number): Promise<number | undefined> {
    return new Promise((resolve) => this.send(half, commitOrRollback, resolve));
  }
}
