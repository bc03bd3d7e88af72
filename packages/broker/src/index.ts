/** Requests → store → answers. */
export { Broker } from "./broker.ts";
export type { BrokerEssentials, BrokerOptions, BrokerTuning } from "./broker-options.ts";
export { brokerDefaults } from "./broker-options.ts";
