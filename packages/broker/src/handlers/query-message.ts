/**
 * QUERY_MESSAGE (12): messages of a topic by key, tag or unique key. Which of the records with the same hash are
 * meant is decided here, by topic, key and time; RocketMQ leaves it to the client.
 *
 *   22  no such message
 */
import type { KeyQuery, MessageStore } from "@orbitmq/store";
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
      const found = result.messageCount > 0;
      exchange.reply({
        code: found ? ResponseCode.SUCCESS : ResponseCode.QUERY_NOT_FOUND,
        remark: found ? undefined : "can not find message, maybe time range not correct",
        header: (sink) =>
          queryMessageResponseHeader.encode({ indexLastUpdateTimestamp, indexLastUpdatePhyoffset }, sink),
        body: result.slices,
        written: () => result.release(),
      });
    });
  };
}

function indexTypeOf(indexType: string | undefined): "K" | "U" | "T" {
  return indexType === "T" || indexType === "U" ? indexType : "K";
}
