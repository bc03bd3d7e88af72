/** What queues need of a consumer that runs listeners. */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import type { OrbitError } from "../../errors/errors.ts";
import type { QueueConsumerContext } from "../queue/queue-consumer.ts";
import type { SendBack } from "../retry/send-back.ts";
import type { Subscription } from "../subscription.ts";
import type { ListenerRunner } from "./listener-runner.ts";

export interface ListeningContext extends QueueConsumerContext {
  readonly runner: ListenerRunner;
  readonly sendBack: SendBack;
  /** One message of a queue after the other, under the group's lock of the queue. */
  isInOrder(): boolean;
  /** The subscription of a message's own topic. */
  subscriptionOf(topic: string): Subscription | undefined;
  consumed(): void;
  failed(record: MessageRecord, queue: MessageQueue, attempts: number, error: OrbitError): void;
  sentBack(record: MessageRecord, queue: MessageQueue, attempts: number): void;
}
