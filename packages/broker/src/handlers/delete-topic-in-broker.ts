/**
 * DELETE_TOPIC_IN_BROKER (215), DELETE_TOPIC_IN_BROKER_LIST (5002) and CLEAN_UNUSED_TOPIC (316): topics go with their
 * messages and offsets. Answered when that is on disk and NameServers know it; 29 for a name that is none or the
 * system's, 2 while the log is being cut, 1 when it cannot be written; nothing is deleted then.
 */
import {
  deleteTopicInBrokerRequestHeader,
  type Exchange,
  parseDeleteTopicListBody,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { isSystemTopic } from "../topics/system-topics.ts";
import type { TopicDeletion } from "../topics/topic-deletion.ts";

export interface DeleteTopicNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly topicDeletion: Pick<TopicDeletion, "delete" | "unused">;
}

export function deleteTopicInBroker(needs: DeleteTopicNeeds): RequestHandler {
  return (request, exchange) => {
    const { topic } = deleteTopicInBrokerRequestHeader.decode(request.ext);
    deleteAndAnswer(needs, [topic], exchange);
  };
}

export function deleteTopicInBrokerList(needs: DeleteTopicNeeds): RequestHandler {
  return (request, exchange) => {
    const names = parseDeleteTopicListBody(request.body);
    if (names.length === 0) throw new Refusal(ResponseCode.INVALID_PARAMETER, "the list of topics is empty");
    deleteAndAnswer(needs, names, exchange);
  };
}

/** Messages of topics that nobody knows any more. */
export function cleanUnusedTopic(needs: DeleteTopicNeeds): RequestHandler {
  return (_request, exchange) => {
    const names = needs.topicDeletion.unused().filter((topic) => !isSystemTopic(topic, needs.options));
    if (names.length === 0) exchange.reply({ code: ResponseCode.SUCCESS });
    else deleteAndAnswer(needs, names, exchange);
  };
}

function deleteAndAnswer(
  { options, topicDeletion }: DeleteTopicNeeds,
  names: readonly string[],
  exchange: Exchange,
): void {
  for (const topic of names) {
    // Whatever is called a topic may go, also what nobody could make today.
    if (topic.trim() === "")
      throw new Refusal(ResponseCode.INVALID_PARAMETER, "The specified topic is blank.");
    if (isSystemTopic(topic, options)) {
      const remark = `The topic[${topic}] is conflict with system topic.`;
      throw new Refusal(ResponseCode.INVALID_PARAMETER, remark);
    }
  }
  topicDeletion.delete([...new Set(names)], exchange.peer.address, (problem) =>
    exchange.reply(problem ?? { code: ResponseCode.SUCCESS }),
  );
}
