/** A world with one broker, and consumers of its topic `orders`, for the tests of the push consumer. */

import type { PushConsumerOptions } from "../consumer/consumer-options.ts";
import type { ListenerContext, ListenerReturn } from "../consumer/listener.ts";
import { PushConsumer } from "../consumer/push-consumer.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import type { FakeBroker } from "./fake-broker.ts";
import { TestWorld } from "./test-world.ts";

/** A world with one broker and the topic `orders` in `queues` queues. */
export function stage(queues = 1): { w: TestWorld; broker: FakeBroker } {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("orders", [broker], queues);
  return { w, broker };
}

/** Of the group `g`, from the first message, not started. */
export function consumerOf(w: TestWorld, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  return new PushConsumer(w.host, {
    namesrv: w.namesrv,
    group: "g",
    from: "first",
    logger: w.logger,
    ...options,
  });
}

/** A consumer of `orders`, started. */
export async function consuming(
  w: TestWorld,
  listener: (message: ReceivedMessage, context: ListenerContext) => ListenerReturn | Promise<ListenerReturn>,
  options: Partial<PushConsumerOptions> = {},
): Promise<PushConsumer> {
  const consumer = consumerOf(w, options);
  consumer.listen("orders", listener);
  await w.settle(consumer.start());
  return consumer;
}
