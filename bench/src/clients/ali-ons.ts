/** ali-ons, which speaks the remoting protocol. Its consumer runs one listener at a time unless told otherwise. */
import { installed } from "./installed.ts";
import type { NodeClient, NodeClientOptions } from "./node-client.ts";

const PARALLEL = 32;

interface AliOns {
  readonly Producer: new (
    options: object,
  ) => { ready(): Promise<void>; send(message: object): Promise<unknown> };
  readonly Consumer: new (
    options: object,
  ) => {
    ready(): Promise<void>;
    subscribe(topic: string, tags: string, listener: () => Promise<void>): void;
  };
  readonly Message: new (topic: string, tags: string, body: Buffer) => object;
}

const quiet = { info: () => {}, debug: () => {}, warn: () => {}, error: console.error };

export function aliOns({ namesrv }: NodeClientOptions): NodeClient {
  const { Producer, Consumer, Message } = installed<AliOns>("ali-ons");
  const common = { nameSrv: namesrv, logger: quiet, httpclient: {} };
  let producer: InstanceType<AliOns["Producer"]>;
  return {
    startProducer: () => {
      producer = new Producer({ ...common, producerGroup: "node_clients" });
      return producer.ready();
    },
    send: (topic, body, done) => void producer.send(new Message(topic, "", body)).then(() => done(), done),
    consume: (topic, consumerGroup, onMessage) => {
      const consumer = new Consumer({
        ...common,
        consumerGroup,
        consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
        parallelConsumeLimit: PARALLEL,
      });
      consumer.subscribe(topic, "*", async () => onMessage());
      return consumer.ready();
    },
  };
}
