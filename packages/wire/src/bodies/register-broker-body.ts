/**
 * The body of REGISTER_BROKER (RocketMQ: RegisterBrokerBody), which brokers send in one of two forms:
 *
 *   plain        {"filterServerList":[…],"topicConfigSerializeWrapper":TopicConfigSerializeWrapper}
 *   compressed   zlib( length:i32 DataVersion-JSON
 *                      topicCount:i32 { length:i32 topic-text }
 *                      length:i32 filterServerList-JSON
 *                      [ mappingCount:i32 { length:i32 TopicQueueMappingInfo-JSON } ] )   brokers ≥ V5_0_0
 *   topic-text   name readQueueNums writeQueueNums perm SINGLE_TAG|MULTI_TAG [attributes-JSON]   single spaces
 *
 * Java 5.x brokers compress without saying so in the header, so the form is told from the first byte.
 */
import { deflateSync } from "node:zlib";
import { encodeFastjson, formatFastjson, parseFastjson } from "../json/fastjson.ts";
import { jsonObject, parseJsonObject } from "../json/json-value.ts";
import { inflateBounded } from "../message/message-body.ts";
import { WireError } from "../wire-error.ts";
import { parseDataVersion } from "./data-version.ts";
import {
  newTopicConfig,
  type TopicConfig,
  type TopicConfigSerializeWrapper,
  topicConfigSerializeWrapperFromJson,
  topicConfigSerializeWrapperToJson,
} from "./topic-config.ts";

export interface RegisterBrokerBody {
  readonly topicConfigSerializeWrapper: TopicConfigSerializeWrapper;
  readonly filterServerList: readonly string[];
}

/** A compressed body may not grow beyond this. */
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;
const OPEN_BRACE = 0x7b;

export function encodeRegisterBrokerBody(value: RegisterBrokerBody, compressed = false): Uint8Array {
  return compressed
    ? encodeCompressed(value)
    : encodeFastjson({
        filterServerList: value.filterServerList,
        topicConfigSerializeWrapper: topicConfigSerializeWrapperToJson(value.topicConfigSerializeWrapper),
      });
}

/** Throws WireError JSON_MALFORMED or CODEC_FAILED. */
export function parseRegisterBrokerBody(bytes: Uint8Array): RegisterBrokerBody {
  if (bytes[0] !== OPEN_BRACE) return parseCompressed(inflateBounded(bytes, INFLATED_BYTES_MAX));
  const body = parseJsonObject(bytes, "RegisterBrokerBody");
  return {
    topicConfigSerializeWrapper: topicConfigSerializeWrapperFromJson(
      body.object("topicConfigSerializeWrapper"),
    ),
    filterServerList: body.strings("filterServerList"),
  };
}

function encodeCompressed(value: RegisterBrokerBody): Uint8Array {
  const wrapper = value.topicConfigSerializeWrapper;
  const texts = [formatFastjson(wrapper.dataVersion)];
  const topics = [...wrapper.topicConfigTable.values()].map(formatTopic);
  const infos = mappingInfos(wrapper.topicQueueMappingInfoMap).map((info) => formatFastjson(info));
  const sections = [
    ...texts.map(prefixed),
    int32(topics.length),
    ...topics.map(prefixed),
    prefixed(formatFastjson(value.filterServerList)),
    int32(infos.length),
    ...infos.map(prefixed),
  ];
  return deflateSync(Buffer.concat(sections), { level: 9 });
}

function mappingInfos(map: unknown): unknown[] {
  return map === undefined || map === null ? [] : Object.values(map);
}

function formatTopic(topic: TopicConfig): string {
  const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType } = topic;
  return `${topicName} ${readQueueNums} ${writeQueueNums} ${perm} ${topicFilterType} ${formatFastjson(topic.attributes)}`;
}

function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([int32(bytes.length), bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

class Sections {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  int32(): number {
    if (this.#bytes.length - this.#at < 4) throw malformed("it is cut off");
    const value = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** A count of things that take at least `bytesEach`. */
  count(bytesEach: number): number {
    const count = this.int32();
    if (count < 0 || count * bytesEach > this.#bytes.length - this.#at) throw malformed(`it counts ${count}`);
    return count;
  }

  text(): string {
    const length = this.count(1);
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}

function parseCompressed(bytes: Buffer): RegisterBrokerBody {
  const sections = new Sections(bytes);
  const dataVersion = parseDataVersion(sections.text());
  const topicConfigTable = new Map<string, TopicConfig>();
  for (let left = sections.count(4); left > 0; left--) {
    const topic = parseTopic(sections.text());
    topicConfigTable.set(topic.topicName, topic);
  }
  const filterServerList = parseFastjson(sections.text());
  const infos: [topic: string, info: unknown][] = [];
  if (!sections.ended) {
    for (let left = sections.count(4); left > 0; left--) {
      const info = parseJsonObject(sections.text(), "TopicQueueMappingInfo");
      infos.push([info.string("topic"), info.toJson()]);
    }
  }
  return {
    topicConfigSerializeWrapper: {
      topicConfigTable,
      dataVersion,
      topicQueueMappingInfoMap: Object.fromEntries(infos),
    },
    filterServerList: jsonObject({ filterServerList }, "RegisterBrokerBody").strings("filterServerList"),
  };
}

function parseTopic(text: string): TopicConfig {
  const [topicName, ...columns] = text.split(" ");
  const [readQueueNums, writeQueueNums, perm] = columns.slice(0, 3).map(Number);
  const integers = [readQueueNums, writeQueueNums, perm];
  if (topicName === undefined || topicName === "" || !integers.every(Number.isInteger)) {
    throw malformed(`the topic ${JSON.stringify(text.slice(0, 64))} has bad columns`);
  }
  const attributes = columns.slice(4).join(" ");
  const object = attributes === "" ? undefined : parseJsonObject(`{"attributes":${attributes}}`, topicName);
  return newTopicConfig(topicName, {
    readQueueNums: readQueueNums!,
    writeQueueNums: writeQueueNums!,
    perm: perm!,
    topicFilterType: columns[3] === "MULTI_TAG" ? "MULTI_TAG" : "SINGLE_TAG",
    attributes: object === undefined ? {} : Object.fromEntries(object.stringMap("attributes")),
  });
}

function malformed(what: string): WireError {
  return new WireError("JSON_MALFORMED", `compressed RegisterBrokerBody: ${what}`);
}
