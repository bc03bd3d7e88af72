/**
 * QUERY_CONSUME_QUEUE (321): units of a queue from an index on, for looking into; with the subscription and filter of a
 * group when one is named. 1 for a queue that has no messages yet; an index that is not there is said in the remark.
 * A unit whose record cannot be read ends the list.
 */
import type { GetResult, MessageStore } from "@orbitmq/store";
import {
  type ConsumeQueueUnit,
  encodeConsumeQueueView,
  queryConsumeQueueRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
  readRecords,
  type SubscriptionData,
  WireError,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";

export interface QueryConsumeQueueNeeds {
  readonly store: MessageStore;
  readonly consumers: ConsumerGroups;
  readonly filters: FilterRegistry;
}

/** Units told at most, whatever is asked for; mqadmin asks for 10. */
const UNITS_MAX = 1_000;
const BYTES_MAX = 8 * 1024 * 1024;

export function queryConsumeQueue({ store, consumers, filters }: QueryConsumeQueueNeeds): RequestHandler {
  return (request, exchange) => {
    const { topic, queueId, index, count, consumerGroup } = queryConsumeQueueRequestHeader.decode(
      request.ext,
    );
    if (!store.queuesOf(topic).includes(queueId))
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `${queueId}@${topic} is not exist!`);
    const of = {
      minQueueIndex: store.minOffset(topic, queueId),
      maxQueueIndex: store.readableEnd(topic, queueId),
      ...(consumerGroup === undefined ? {} : whatGroupWants(consumers, filters, consumerGroup, topic)),
    };
    if (index < of.minQueueIndex || index >= of.maxQueueIndex) {
      const remark = `Index ${index} of ${queueId}@${topic} is not exist!`;
      const body = encodeConsumeQueueView({ ...of, queueData: undefined });
      exchange.reply({ code: ResponseCode.SUCCESS, remark, body: [body] });
      return;
    }
    const tagsCodes = new Map<number, number>();
    const messagesMax = Math.max(1, Math.min(count, UNITS_MAX));
    const get = {
      ...{ topic, queueId, offset: index, messagesMax, bytesMax: BYTES_MAX },
      stopBefore: (offset: number, tagsCode: number) => {
        tagsCodes.set(offset, tagsCode);
        return offset >= index + messagesMax;
      },
    };
    store.get(get, (result) => {
      const queueData = unitsOf(result, tagsCodes).slice(0, Math.max(0, count));
      exchange.reply({
        code: ResponseCode.SUCCESS,
        body: [encodeConsumeQueueView({ ...of, queueData })],
      });
    });
  };
}

function unitsOf(result: GetResult, tagsCodes: ReadonlyMap<number, number>): ConsumeQueueUnit[] {
  const units: ConsumeQueueUnit[] = [];
  try {
    for (const slice of result.slices) {
      const buffer = Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength);
      for (const { physicalOffset, totalSize, queueOffset } of readRecords(buffer)) {
        const tagsCode = tagsCodes.get(queueOffset) ?? 0;
        units.push({ physicOffset: physicalOffset, physicSize: totalSize, tagsCode });
      }
    }
  } catch (error) {
    // What the store hands out it has checked; a double of it may hand out less.
    if (!(error instanceof WireError)) throw error;
  } finally {
    result.release();
  }
  return units;
}

function whatGroupWants(
  consumers: ConsumerGroups,
  filters: FilterRegistry,
  group: string,
  topic: string,
): { readonly subscriptionData?: SubscriptionData; readonly filterData: string } {
  const subscriptionData = consumers.subscription(group, topic);
  if (subscriptionData === undefined) return { filterData: `${group}@${topic} is not online!` };
  const expression = filters.get(topic, group)?.expression;
  return { subscriptionData, filterData: expression ?? "null" };
}
