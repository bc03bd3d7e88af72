/** Who serves which topic. */
export { NameServer } from "./name-server.ts";
export type { NameServerOptions } from "./nameserver-options.ts";
