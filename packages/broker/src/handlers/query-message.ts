/**
 * QUERY_MESSAGE (12): messages of a topic by key, tag or unique key. Which of the records with the same hash are
 * meant is decided here, by topic, key and time; RocketMQ leaves it to the client.
 *
 *   22  no such message
 *    1  none was found, but something could not be read that may hold one
 *
 * What was found although something could not be read is answered, with a remark.
 */
import type { KeyQuery, KeyQueryResult, MessageStore } from "@orbitmq/store";
import {
  queryMessageRequestHeader,
  queryMessageResponseHeader,
  type RequestHandler,
  ResponseCode,
  UNIQUE_KEY_QUERY,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";

export interface QueryMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
}

export function queryMessage({ options, store }: QueryMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = queryMessageRequestHeader.decode(request.ext);
    const isUnique = request.ext.get(UNIQUE_KEY_QUERY)?.toLowerCase() === "true";
    const query: KeyQuery = {
      topic: header.topic,
      key: header.key,
      indexType: isUnique ? "U" : indexTypeOf(header.indexType),
      messagesMax: isUnique ? options.defaultQueryMaxNum : header.maxNum,
      beginMs: header.beginTimestamp,
      endMs: header.endTimestamp,
    };
    store.queryByKey(query, (result) => {
      const { indexLastUpdateTimestamp, indexLastUpdatePhyoffset } = result;
      exchange.reply({
        ...outcomeOf(result),
        header: (sink) =>
          queryMessageResponseHeader.encode({ indexLastUpdateTimestamp, indexLastUpdatePhyoffset }, sink),
        body: result.slices,
        written: () => result.release(),
      });
    });
  };
}

function outcomeOf({ messageCount, complete }: KeyQueryResult): { code: number; remark: string | undefined } {
  const unread = "the index or a message cannot be read, see the broker's log; there may be further messages";
  if (messageCount > 0) return { code: ResponseCode.SUCCESS, remark: complete ? undefined : unread };
  if (!complete) return { code: ResponseCode.SYSTEM_ERROR, remark: unread };
  return { code: ResponseCode.QUERY_NOT_FOUND, remark: "can not find message, maybe time range not correct" };
}

function indexTypeOf(indexType: string | undefined): "K" | "U" | "T" {
  return indexType === "T" || indexType === "U" ? indexType : "K";
}
