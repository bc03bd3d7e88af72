/**
 * delayOffset.json: how far each level's queue is delivered (RocketMQ: DelayOffsetSerializeWrapper). A lost file
 * delivers again what was delivered before, never nothing.
 *
 * delayOffset.json:  {"dataVersion":DataVersion,"offsetTable":{1:12,2:34}}      level → offset in its queue
 */
import { type DataVersion, dataVersionFromJson, parseJsonFile } from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";

export interface DelayOffsets {
  readonly dataVersion: DataVersion;
  readonly offsets: ReadonlyMap<number, number>;
}

export function formatDelayOffsets({ dataVersion, offsets }: DelayOffsets): string {
  return formatPrettyFastjson({ dataVersion, offsetTable: offsets });
}

/** Reads delayOffset.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseDelayOffsets(text: string): DelayOffsets {
  const json = parseJsonFile(text, "delayOffset.json");
  const table = json.object("offsetTable");
  const offsets = new Map<number, number>();
  for (const name of table.keys()) {
    const level = Number(name);
    const offset = table.integer(name);
    if (Number.isSafeInteger(level) && level > 0 && offset >= 0) offsets.set(level, offset);
  }
  return { offsets, dataVersion: dataVersionFromJson(json.object("dataVersion")) };
}
