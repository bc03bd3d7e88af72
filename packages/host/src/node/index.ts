/** The machine as it is; for the composition roots and tests only. */
export type { NodeHostOptions } from "./node-host.ts";
export { nodeHost } from "./node-host.ts";
