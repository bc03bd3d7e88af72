/**
 * What the broker's own tables say of one stored message: the delay it waits for, its transaction, who does not want it,
 * who has it in order. Reads tables only.
 */
import type { MessageStore } from "@orbitmq/store";
import {
  getProperty,
  isTagType,
  MessageConst,
  type MessageRecord,
  type MessageWhereabouts,
  matchesTag,
  type PopWhereabouts,
  SUB_ALL,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";
import { HALF_TOPIC, SCHEDULE_TOPIC, TIMER_TOPIC } from "../names.ts";
import type { PopService } from "../popping/pop-service.ts";
import type { ScheduleService } from "../schedule/schedule-service.ts";
import type { TimerService } from "../timer/timer-service.ts";
import { outOf } from "../timer/timer-slot-run.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";

export interface RecordWhereaboutsNeeds {
  readonly store: MessageStore;
  readonly consumers: ConsumerGroups;
  readonly offsets: OffsetRegistry;
  readonly filters: FilterRegistry;
  readonly schedule: Pick<ScheduleService, "delaysMs" | "progress">;
  readonly timed: Pick<TimerService, "stateOf">;
  readonly transactions: Pick<TransactionService, "whereabouts">;
  readonly popping: Pick<PopService, "orders">;
}

/** A timed message's slot is delivered in the second that begins after it. */
const SLOT_MS = 1_000;

type Waiting = Pick<MessageWhereabouts, "delay" | "timer" | "transaction">;

/** What it waits for, when it lies where messages wait. */
export function waitingOf(needs: RecordWhereaboutsNeeds, record: MessageRecord): Waiting {
  const { topic, queueId, queueOffset, storeTimestamp, physicalOffset, properties } = record;
  if (topic === SCHEDULE_TOPIC) {
    const delivered = needs.schedule.progress().get(queueId + 1)?.delivered ?? 0;
    const dueMs = storeTimestamp + (needs.schedule.delaysMs[queueId] ?? 0);
    return { delay: { dueMs, delivered: queueOffset < delivered } };
  }
  if (topic === TIMER_TOPIC) {
    const outMs = outOf(properties);
    if (outMs === undefined) return {};
    return { timer: { dueMs: outMs + SLOT_MS, state: needs.timed.stateOf(queueOffset, outMs) } };
  }
  return topic === HALF_TOPIC ? { transaction: needs.transactions.whereabouts(physicalOffset) } : {};
}

/** Groups online that do not subscribe to everything, and whether they want the message. */
export function filtersOf(
  { consumers, filters }: RecordWhereaboutsNeeds,
  record: MessageRecord,
  bytes: Buffer,
): MessageWhereabouts["filters"] {
  const found: { group: string; wanted: boolean }[] = [];
  for (const group of consumers.subscribedTo(record.topic)) {
    const subscription = consumers.subscription(group, record.topic);
    if (subscription === undefined || subscription.subString === SUB_ALL) continue;
    if (isTagType(subscription.expressionType)) {
      const tag = getProperty(record.properties, MessageConst.TAGS);
      found.push({ group, wanted: matchesTag(subscription, tag) });
      continue;
    }
    const filter = filters.get(record.topic, group)?.filter;
    if (filter === undefined) continue;
    found.push({ group, wanted: filters.recordFilter(filter).matches(bytes, 0, bytes.length) });
  }
  return found;
}

/** Groups that have popped it in order and hold its queue. */
export function heldInOrder(
  { consumers, offsets, popping }: RecordWhereaboutsNeeds,
  { topic, queueId, queueOffset }: MessageRecord,
): PopWhereabouts[] {
  const held: PopWhereabouts[] = [];
  for (const group of new Set([...consumers.subscribedTo(topic), ...offsets.offsets.groupsOf(topic)])) {
    const info = popping.orders.get(group, topic, queueId);
    const index = info?.offsets.indexOf(queueOffset) ?? -1;
    if (info === undefined || index < 0) continue;
    const isAcked = (info.ackedBits & (1 << index)) !== 0;
    const { popTime, invisibleTime } = info;
    const visibleAtMs = info.nextVisible.get(queueOffset) ?? popTime + invisibleTime;
    held.push({
      group,
      popTime,
      visibleAtMs,
      state: isAcked ? "acknowledged" : "open",
      inOrder: true,
      poppedBy: undefined,
    });
  }
  return held;
}
