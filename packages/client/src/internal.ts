/**
 * The internal door, for OrbitMQ's own packages only and without any promise of stability: the same classes as
 * index.ts, but their constructors take the host first, so that the simulator and the embedded server run the
 * shipped code on hosts of their own.
 */
export { Admin } from "./admin/admin.ts";
export { DeadLetters } from "./admin/dead-letters/dead-letters.ts";
export { LitePullConsumer } from "./consumer/lite-pull-consumer.ts";
export { PushConsumer } from "./consumer/push-consumer.ts";
export { Reader } from "./consumer/reader/reader.ts";
export { SimpleConsumer } from "./consumer/simple-consumer.ts";
export { Producer } from "./producer/producer.ts";
export { TransactionProducer } from "./producer/transactions/transaction-producer.ts";
