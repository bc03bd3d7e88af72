/**
 * Hears of records in the revive log that are not ours: a timer brings there what another broker had handed to it
 * before this one took the store over (RocketMQ's own checkpoints and acknowledgements go through its timer wheel).
 * Each holds the log's progress back from its arrival on, is read, and enters the table.
 */
import type { Clock, Logger } from "@orbitmq/host";
import type { ArrivalListener, MessageStore } from "@orbitmq/store";
import { getProperty, MessageConst, type MessageRecord, WireError } from "@orbitmq/wire";
import { CheckPoint, type HeldRecord } from "./check-points.ts";
import { recordsOf } from "./popped-records.ts";
import { waitMsOf } from "./revive-load.ts";
import type { ReviveLog } from "./revive-log.ts";
import { ACK_TAG, BATCH_ACK_TAG, CK_TAG, parseAck, parseCheckPoint } from "./revive-records.ts";

export interface ReviveListenerNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly log: ReviveLog;
}

interface Unread {
  readonly queueId: number;
  readonly held: HeldRecord;
}

export class ReviveListener implements ArrivalListener {
  readonly #needs: ReviveListenerNeeds;
  readonly #unread: Unread[] = [];
  #isReading = false;

  constructor(needs: ReviveListenerNeeds) {
    this.#needs = needs;
  }

  /** From where each queue was read at start. */
  start(ends: ReadonlyMap<number, number>): void {
    const { store, log } = this.#needs;
    for (const [queueId, from] of ends) {
      for (let offset = from; offset < store.readableEnd(log.topic, queueId); offset++) {
        this.#arrived(queueId, offset);
      }
    }
    store.subscribeArrivals(this);
  }

  messageArrived(topic: string, queueId: number, endOffset: number): void {
    if (topic === this.#needs.log.topic) this.#arrived(queueId, endOffset - 1);
  }

  #arrived(queueId: number, offset: number): void {
    const { log } = this.#needs;
    if (log.isOwn(queueId, offset)) return;
    log.used(queueId);
    this.#unread.push({ queueId, held: log.table.holdUnread(queueId, offset) });
    this.#read();
  }

  /** One after the other: an acknowledgement follows its checkpoint. */
  #read(): void {
    const first = this.#unread[0];
    if (first === undefined || this.#isReading) return;
    this.#isReading = true;
    const { store, log } = this.#needs;
    const { queueId, held } = first;
    const request = { topic: log.topic, queueId, offset: held.reviveOffset, messagesMax: 1, bytesMax: 1 };
    store.get(request, (result) => {
      const record = recordsOf(result.slices)[0];
      result.release();
      this.#isReading = false;
      this.#unread.shift();
      if (record?.queueOffset === held.reviveOffset) this.#take(queueId, held, record);
      else {
        this.#needs.logger.error(
          { topic: log.topic, queueId, offset: held.reviveOffset, status: result.status },
          "a record of the revive log cannot be read; a restart tries again",
        );
      }
      this.#read();
    });
  }

  #take(queueId: number, held: HeldRecord, record: MessageRecord): void {
    const tag = getProperty(record.properties, MessageConst.TAGS);
    const { log, logger } = this.#needs;
    try {
      if (tag === CK_TAG && this.#takeCheckPoint(queueId, held, record)) return;
      if (tag === ACK_TAG || tag === BATCH_ACK_TAG) this.#takeAck(record.body);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      logger.warn(
        { queueId, offset: held.reviveOffset, reason: error.message },
        "a record of the revive log is none; it is passed over",
      );
    }
    held.isHeld = false;
    log.settledForeign();
  }

  /** False: there is nothing to wait for. */
  #takeCheckPoint(queueId: number, held: HeldRecord, record: MessageRecord): boolean {
    const { log, clock } = this.#needs;
    const ck = parseCheckPoint(record.body);
    if (ck === undefined || log.table.find(ck) !== undefined) return false;
    const checkPoint = new CheckPoint(ck, queueId, clock.monotonicMs() + waitMsOf(ck, record, clock));
    if (checkPoint.isAcked) return false;
    log.table.add(checkPoint, held);
    log.settledForeign();
    return true;
  }

  #takeAck(body: Uint8Array): void {
    const { table } = this.#needs.log;
    const { name, offsets } = parseAck(body);
    const checkPoint = table.find(name);
    if (checkPoint === undefined) return;
    table.acknowledge(checkPoint, checkPoint.bitsOf(offsets));
    if (checkPoint.isClosing && !checkPoint.isGone) table.remove(checkPoint);
  }
}
