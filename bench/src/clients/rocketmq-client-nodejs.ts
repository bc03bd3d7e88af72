/** rocketmq-client-nodejs, the client of RocketMQ 5, which speaks gRPC to a proxy. */
import { installed } from "./installed.ts";
import type { NodeClient, NodeClientOptions } from "./node-client.ts";

interface RocketmqClient {
  readonly Producer: new (
    options: object,
  ) => { startup(): Promise<void>; send(message: object): Promise<unknown> };
  readonly PushConsumer: new (options: object) => { startup(): Promise<void> };
  readonly ConsumeResult: { readonly SUCCESS: unknown };
}

const quiet = {
  info: () => {},
  debug: () => {},
  warn: () => {},
  error: () => {},
  log: () => {},
  close: () => {},
};

export function rocketmqClientNodejs({ proxy }: NodeClientOptions): NodeClient {
  const { Producer, PushConsumer, ConsumeResult } = installed<RocketmqClient>("rocketmq-client-nodejs");
  const common = { endpoints: proxy, namespace: "", logger: quiet };
  let producer: InstanceType<RocketmqClient["Producer"]>;
  return {
    startProducer: () => {
      producer = new Producer(common);
      return producer.startup();
    },
    send: (topic, body, done) => void producer.send({ topic, tag: "", body }).then(() => done(), done),
    consume: (topic, consumerGroup, onMessage) => {
      const messageListener = {
        consume: () => {
          onMessage();
          return ConsumeResult.SUCCESS;
        },
      };
      const subscriptions = new Map([[topic, "*"]]);
      return new PushConsumer({ ...common, consumerGroup, subscriptions, messageListener }).startup();
    },
  };
}
