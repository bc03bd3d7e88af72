/** Who serves which topic. */
export type { KeptFile } from "./kv-config.ts";
export { NameServer } from "./name-server.ts";
export type { NameServerOptions } from "./nameserver-options.ts";
