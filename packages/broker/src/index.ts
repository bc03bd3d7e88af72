/** Requests → store → answers. */
export type { BrokerStopped } from "./broker.ts";
export { Broker } from "./broker.ts";
export type { BrokerErrorCode } from "./broker-error.ts";
export { BrokerError, brokerErrors } from "./broker-error.ts";
export type { BrokerEssentials, BrokerOptions, BrokerTuning, RuntimeBrokerTuning } from "./broker-options.ts";
export { brokerDefaults } from "./broker-options.ts";
export { SqlFilter } from "./filters/sql-filter.ts";
