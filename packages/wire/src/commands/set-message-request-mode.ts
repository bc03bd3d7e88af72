/**
 * SET_MESSAGE_REQUEST_MODE (401): an administrator chooses whether a group pulls or pops a topic, and
 * GET_ALL_MESSAGE_REQUEST_MODE (402): all that were chosen (RocketMQ: SetMessageRequestModeRequestBody,
 * MessageRequestModeSerializeWrapper, messageRequestMode.json).
 *
 *   request body of 401    {"consumerGroup","mode","popShareQueueNum","topic"}
 *   response body of 402   {"messageRequestModeMap":{"<topic>":{"<group>":{body of 401}}}}
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";
import { type MessageRequestMode, parseRequestMode } from "./query-assignment.ts";

export interface MessageRequestModeSetting {
  readonly topic: string;
  readonly consumerGroup: string;
  readonly mode: MessageRequestMode;
  /** Each member pops the queues of so many members after it, too; 0 or less: all pop all queues. Default 0. */
  readonly popShareQueueNum: number;
}

export function encodeMessageRequestMode(setting: MessageRequestModeSetting): Uint8Array {
  return encodeFastjson(setting);
}

/** Throws WireError JSON_MALFORMED. */
export function parseMessageRequestMode(bytes: Uint8Array): MessageRequestModeSetting {
  return messageRequestModeFromJson(parseJsonObject(bytes, "SetMessageRequestModeRequestBody"));
}

function messageRequestModeFromJson(json: JsonObject): MessageRequestModeSetting {
  return {
    topic: json.string("topic"),
    consumerGroup: json.string("consumerGroup"),
    mode: parseRequestMode(json.optionalString("mode") ?? "PULL"),
    popShareQueueNum: json.integer("popShareQueueNum", 0),
  };
}

/** The members of 402's answer and of messageRequestMode.json. */
export function messageRequestModesToJson(settings: Iterable<MessageRequestModeSetting>): object {
  const messageRequestModeMap = new Map<string, Map<string, MessageRequestModeSetting>>();
  for (const setting of settings) {
    const groups = messageRequestModeMap.get(setting.topic) ?? new Map<string, MessageRequestModeSetting>();
    messageRequestModeMap.set(setting.topic, groups.set(setting.consumerGroup, setting));
  }
  return { messageRequestModeMap };
}

export function encodeMessageRequestModes(settings: Iterable<MessageRequestModeSetting>): Uint8Array {
  return encodeFastjson(messageRequestModesToJson(settings));
}

/** Throws WireError JSON_MALFORMED. */
export function parseMessageRequestModes(source: Uint8Array | string): MessageRequestModeSetting[] {
  const table = parseJsonObject(source, "MessageRequestModeSerializeWrapper").object("messageRequestModeMap");
  const settings: MessageRequestModeSetting[] = [];
  for (const [topic, groups] of table.objects()) {
    for (const [consumerGroup, setting] of groups.objects()) {
      settings.push({
        topic,
        consumerGroup,
        mode: parseRequestMode(setting.optionalString("mode") ?? "PULL"),
        popShareQueueNum: setting.integer("popShareQueueNum", 0),
      });
    }
  }
  return settings;
}
