/** SEARCH_OFFSET_BY_TIMESTAMP (29): the offset of the message stored at a time. */
import type { MessageStore } from "@orbitmq/store";
import {
  type RequestHandler,
  ResponseCode,
  searchOffsetByTimestampRequestHeader,
  searchOffsetByTimestampResponseHeader,
} from "@orbitmq/wire";

export function searchOffsetByTimestamp({ store }: { store: MessageStore }): RequestHandler {
  return (request, exchange) => {
    const { topic, queueId, timestamp, boundaryType } = searchOffsetByTimestampRequestHeader.decode(
      request.ext,
    );
    const boundary = boundaryType?.toLowerCase() === "upper" ? "upper" : "lower";
    store.offsetByTime(topic, queueId, timestamp, boundary, (offset) =>
      exchange.reply({
        code: ResponseCode.SUCCESS,
        header: (sink) => searchOffsetByTimestampResponseHeader.encode({ offset }, sink),
      }),
    );
  };
}
