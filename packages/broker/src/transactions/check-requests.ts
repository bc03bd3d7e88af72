/**
 * Asks a producer what has become of a transaction: CHECK_TRANSACTION_STATE to one of those of its group that are
 * online, each in its turn (RocketMQ: AbstractTransactionalMessageCheckListener, ProducerManager.getAvailableChannel).
 */
import {
  checkTransactionStateRequestHeader,
  encodeOffsetMessageId,
  type MessageRecord,
  type Peer,
  RequestCode,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import { HALF_TOPIC } from "../names.ts";
import { restoredHalf } from "./half-records.ts";
import type { Half } from "./halves.ts";

export class CheckRequests {
  readonly #producers: Pick<ProducerGroups, "members">;
  readonly #brokerName: string;
  #turn = 0;

  constructor(producers: Pick<ProducerGroups, "members">, brokerName: string) {
    this.#producers = producers;
    this.#brokerName = brokerName;
  }

  hasProducer(group: string): boolean {
    return this.#peersOf(group).length > 0;
  }

  /** `record`: the half's. False: nobody is there. */
  ask(half: Half, record: MessageRecord): boolean {
    const peers = this.#peersOf(half.group);
    const peer = peers[this.#turn++ % Math.max(1, peers.length)];
    if (peer === undefined) return false;
    const { queueOffset, physicalOffset, uniqKey } = half;
    const header = {
      topic: HALF_TOPIC,
      tranStateTableOffset: queueOffset,
      commitLogOffset: physicalOffset,
      msgId: uniqKey,
      transactionId: uniqKey,
      offsetMsgId: encodeOffsetMessageId(record.storeHost, physicalOffset),
    };
    const restored = restoredHalf(record);
    const body = Buffer.alloc(recordSize(restored));
    writeRecord(restored, body, 0, record);
    peer.oneway({
      code: RequestCode.CHECK_TRANSACTION_STATE,
      header: (sink) => {
        checkTransactionStateRequestHeader.encode(header, sink);
        sink.put("bname", this.#brokerName);
      },
      body: [body],
    });
    return true;
  }

  #peersOf(group: string): Peer[] {
    const open: Peer[] = [];
    for (const { peer } of this.#producers.members(group)) if (!peer.closed) open.push(peer);
    return open;
  }
}
