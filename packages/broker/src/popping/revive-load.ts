/**
 * Reads the revive log at start, from where it is not done with to its end: afterwards the table knows every
 * checkpoint whose messages must come again, whoever wrote it. What cannot be understood is passed over with a
 * warning; RocketMQ's own records are understood.
 */
import type { Clock, Logger } from "@orbitmq/host";
import type { GetResult, MessageStore } from "@orbitmq/store";
import { getProperty, MessageConst, type MessageRecord, WireError } from "@orbitmq/wire";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { CheckPoint, type CheckPoints } from "./check-points.ts";
import { PopTrail } from "./pop-trail.ts";
import { recordsOf } from "./popped-records.ts";
import { REVIVE_GROUP, type ReviveLog } from "./revive-log.ts";
import {
  ACK_TAG,
  BATCH_ACK_TAG,
  type CheckPointRecord,
  CK_TAG,
  checkPointKey,
  parseAck,
  parseCheckPoint,
} from "./revive-records.ts";

const MESSAGES_MAX = 1_024;
const BYTES_MAX = 1_048_576;
/**
 * RocketMQ's timer brings acknowledgements up to so much after their checkpoint: who takes a store over must not be
 * faster than them.
 */
const ACKS_MAY_FOLLOW_MS = 3_000;

/** What a checkpoint waits for when it is read back, ms. */
export function waitMsOf(ck: CheckPointRecord, record: MessageRecord, clock: Clock): number {
  const leftMs = ck.popTime + ck.invisibleTime - clock.wallMs();
  const isFromTimer = record.storeTimestamp > record.bornTimestamp + ACKS_MAY_FOLLOW_MS;
  const waitMs = Math.min(Math.max(leftMs, 0), Math.max(ck.invisibleTime, 0));
  return waitMs + (isFromTimer ? ACKS_MAY_FOLLOW_MS : 0);
}

export interface ReviveLoadNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly offsets: OffsetRegistry;
  readonly log: ReviveLog;
}

/** Resolves with where each revive queue is read up to; pops the offsets do not know of yet are committed. */
export async function loadReviveLog(needs: ReviveLoadNeeds): Promise<ReadonlyMap<number, number>> {
  const { store, log, offsets } = needs;
  const ends = new Map<number, number>();
  const trail = new PopTrail(offsets.loadedPopMark);
  const { writtenOffset } = store.status();
  for (const queueId of store.queuesOf(log.topic)) {
    log.used(queueId);
    const committed = offsets.get(REVIVE_GROUP, log.topic, queueId) ?? -1;
    const load = new QueueLoad(needs, queueId, trail);
    const min = store.minOffset(log.topic, queueId);
    if (min > committed + 1) trail.isBroken = true;
    let offset = Math.max(committed + 1, min);
    while (offset < store.readableEnd(log.topic, queueId)) {
      const next = await load.read(offset);
      if (next <= offset) break;
      offset = next;
    }
    load.finish();
    ends.set(queueId, offset);
  }
  trail.follow(offsets);
  log.loaded(writtenOffset);
  return ends;
}

class QueueLoad {
  readonly #needs: ReviveLoadNeeds;
  readonly #queueId: number;
  readonly #table: CheckPoints;
  readonly #trail: PopTrail;
  /** The next record of the queue. */
  #expected = 0;
  /** In the order of the log. */
  readonly #found = new Map<string, { readonly checkPoint: CheckPoint; readonly reviveOffset: number }>();

  constructor(needs: ReviveLoadNeeds, queueId: number, trail: PopTrail) {
    this.#needs = needs;
    this.#trail = trail;
    this.#queueId = queueId;
    this.#table = needs.log.table;
  }

  /** Returns where to go on. */
  read(offset: number): Promise<number> {
    const { store, log, logger } = this.#needs;
    const request = {
      topic: log.topic,
      queueId: this.#queueId,
      offset,
      messagesMax: MESSAGES_MAX,
      bytesMax: BYTES_MAX,
    };
    return new Promise((resolve) =>
      store.get(request, (result: GetResult) => {
        this.#expected = offset;
        for (const record of recordsOf(result.slices)) this.#take(record);
        if (result.nextBeginOffset !== this.#expected) this.#trail.isBroken = true;
        if (result.nextBeginOffset <= offset) {
          this.#trail.isBroken = true;
          logger.error(
            { topic: log.topic, queueId: this.#queueId, offset, status: result.status },
            "the revive log cannot be read on from here: popped messages behind it may not come again",
          );
        }
        result.release();
        resolve(result.nextBeginOffset);
      }),
    );
  }

  /** Enters what is still open into the table. */
  finish(): void {
    const open = [...this.#found.values()].filter(({ checkPoint }) => !checkPoint.isAcked);
    open.sort((a, b) => a.reviveOffset - b.reviveOffset);
    for (const { checkPoint, reviveOffset } of open) this.#table.add(checkPoint, reviveOffset);
  }

  #take(record: MessageRecord): void {
    if (record.queueOffset !== this.#expected) this.#trail.isBroken = true;
    this.#expected = record.queueOffset + 1;
    const tag = getProperty(record.properties, MessageConst.TAGS);
    try {
      if (tag === CK_TAG) this.#takeCheckPoint(record);
      else if (tag === ACK_TAG || tag === BATCH_ACK_TAG) this.#takeAck(record.body);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#trail.isBroken = true;
      const where = { queueId: this.#queueId, offset: record.queueOffset, reason: error.message };
      this.#needs.logger.warn(where, "a record of the revive log is none; it is passed over");
    }
  }

  #takeCheckPoint(record: MessageRecord): void {
    const ck = parseCheckPoint(record.body);
    if (ck === undefined) return;
    this.#trail.add(ck, record.physicalOffset + record.totalSize);
    const { clock } = this.#needs;
    const deadlineMs = clock.monotonicMs() + waitMsOf(ck, record, clock);
    const checkPoint = new CheckPoint(ck, this.#queueId, deadlineMs);
    // Written again: the newer record counts, and what was acknowledged before stays so.
    const known = this.#found.get(checkPoint.key)?.checkPoint;
    if (known !== undefined) {
      const bits = checkPoint.bitsOf(known.offsetsOf(known.ackedBits));
      checkPoint.ackedBits |= bits;
      checkPoint.loggedBits |= bits;
    }
    this.#found.set(checkPoint.key, { checkPoint, reviveOffset: record.queueOffset });
  }

  #takeAck(body: Uint8Array): void {
    const { name, offsets } = parseAck(body);
    const checkPoint = this.#found.get(checkPointKey(name))?.checkPoint;
    if (checkPoint === undefined) return;
    const bits = checkPoint.bitsOf(offsets);
    checkPoint.ackedBits |= bits;
    checkPoint.loggedBits |= bits;
  }
}
