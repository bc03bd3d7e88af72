/** Who serves which topic. */
export type { ConfigurationPort } from "./configuration-port.ts";
export type { KeptFile } from "./kv-config.ts";
export { NameServer } from "./name-server.ts";
export type { NameServerOptions, RuntimeNameServerOptions } from "./nameserver-options.ts";
