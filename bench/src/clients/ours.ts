/** @orbitmq/client, by its callbacks. */
import { Producer, PushConsumer } from "@orbitmq/client";
import type { NodeClient, NodeClientOptions } from "./node-client.ts";

export function ours({ namesrv }: NodeClientOptions): NodeClient {
  const producer = new Producer({ namesrv, group: "node_clients" });
  return {
    startProducer: () => producer.start(),
    send: (topic, body, done) =>
      producer.sendAsync({ topic, body }, { onSuccess: () => done(), onException: (error) => done(error) }),
    consume: (topic, group, onMessage) => {
      const consumer = new PushConsumer({ namesrv, group, from: "first" });
      consumer.listen(topic, () => onMessage());
      return consumer.start();
    },
  };
}
