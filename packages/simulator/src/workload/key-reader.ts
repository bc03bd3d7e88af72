/**
 * Asks a broker's store for messages by their keys, in any store time and then in exactly the one that was found.
 * Every message has a key of its own, so that an answer holds that message and nothing else.
 */
import type { SeededRandom } from "@orbitmq/host/sim";
import { type MessageRecord, readRecords } from "@orbitmq/wire";
import { brokerOf, type QueueKey, topicOf } from "../checker/history.ts";
import type { BrokerNode } from "../cluster/broker-node.ts";
import type { NodeContext } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";
import { recognise } from "./queue-reader.ts";

/** A message that was acknowledged there. */
export interface KnownMessage {
  readonly id: string;
  readonly queue: QueueKey;
}

const FOUND_MAX = 32;
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

export class KeyReader {
  readonly #context: NodeContext;
  readonly #factory: MessageFactory;
  readonly #brokers: readonly BrokerNode[];
  /** Questions without an answer yet; those to brokers that died stay for ever. */
  waiting = 0;

  constructor(context: NodeContext, factory: MessageFactory, brokers: readonly BrokerNode[]) {
    this.#context = context;
    this.#factory = factory;
    this.#brokers = brokers;
  }

  askRandom(random: SeededRandom): void {
    const { acknowledged } = this.#context.recorder;
    if (acknowledged.length > 0) this.ask(random.pick(acknowledged));
  }

  /** What comes back is recorded; nothing is when the broker does not serve. */
  ask({ id, queue }: KnownMessage): void {
    const broker = this.#brokers.find(({ name }) => name === brokerOf(queue));
    if (broker === undefined) return;
    this.#query(broker, id, queue, 0, FOR_EVER_MS, ([first]) => {
      if (first !== undefined) this.#query(broker, id, queue, first.storeTimestamp, first.storeTimestamp);
    });
  }

  #query(
    broker: BrokerNode,
    id: string,
    queue: QueueKey,
    beginMs: number,
    endMs: number,
    then?: (records: readonly MessageRecord[]) => void,
  ): void {
    const query = { topic: topicOf(queue), key: `k-${id}`, messagesMax: FOUND_MAX, beginMs, endMs };
    const sinceMs = this.#context.world.nowMs;
    const asked = broker.queryByKey(query, (result) => {
      this.waiting--;
      const bytes = Buffer.concat(result.slices);
      result.release();
      const records = readRecords(bytes, { checkCrc: true });
      const found = records.map((record) => recognise(this.#factory, record));
      this.#context.recorder.add({
        kind: "key-answer",
        broker: broker.name,
        id,
        sinceMs,
        found: found.map((message) => message.id),
        intact: found.every(({ intact }) => intact),
        complete: result.complete,
      });
      then?.(records);
    });
    if (asked) this.waiting++;
  }
}
