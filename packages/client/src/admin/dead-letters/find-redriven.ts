/**
 * Whether a dead letter that was about to be redriven when a run broke off has arrived: its topics are asked for its
 * unique id (12), and what they have is told apart by ORBITMQ_REDRIVEN_ID, for the first message may still be there too.
 */
import { getProperty, MASTER_ID, type MessageRecord, OrbitProperty } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { findByKey } from "../find-messages.ts";
import { redrivenMessage } from "./redriven-message.ts";

export async function isThere(
  instance: ClientInstance,
  record: MessageRecord,
  topics: readonly string[],
): Promise<boolean> {
  for (const topic of topics) {
    const route = await instance.nameServers.route(topic);
    if (route === undefined) continue;
    const brokers = route.brokerDatas.map(({ brokerName, cluster, brokerAddrs }) => {
      const master = brokerAddrs.get(MASTER_ID);
      const addresses = master === undefined ? {} : { [MASTER_ID]: master };
      return { brokerName, cluster, addresses };
    });
    const { msgId, properties } = redrivenMessage(record, topic);
    const id = getProperty(properties, OrbitProperty.REDRIVEN_ID);
    const found = await findByKey(instance, { topic, brokers, queues: [] }, msgId, {}, true);
    if (found.some((message) => message.properties[OrbitProperty.REDRIVEN_ID] === id)) return true;
  }
  return false;
}
