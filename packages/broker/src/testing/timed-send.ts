/** Sends one message with these properties, and a unique key that names its body. */
import { formatProperties, RequestCode } from "@orbitmq/wire";
import type { SimAnswer, SimBroker } from "./sim-broker.ts";

export function timedSend(
  sim: SimBroker,
  topic: string,
  body: string,
  properties: Readonly<Record<string, string | number>>,
): Promise<SimAnswer> {
  const all = Object.entries({ UNIQ_KEY: `key-${body}`, ...properties });
  const text = formatProperties(all.map(([name, value]) => [name, String(value)] as const));
  const header = { a: "producers", b: topic, c: "TBW102", d: 1, e: 0, f: 0, g: 1, h: 0, i: text };
  return sim.ask(RequestCode.SEND_MESSAGE_V2, header, body);
}
