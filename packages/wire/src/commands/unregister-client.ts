/**
 * UNREGISTER_CLIENT (35): a producer or consumer leaves its group; normally the last thing a client sends.
 *
 *   request   clientID producerGroup? consumerGroup?
 *   response  nothing
 */
import { defineHeader, type HeaderValue, name, optional, string } from "../frame/header-schema.ts";

export const unregisterClientRequestHeader = defineHeader("UnregisterClientRequestHeader", {
  clientID: string(),
  producerGroup: optional(name()),
  consumerGroup: optional(name()),
});
export type UnregisterClientRequestHeader = HeaderValue<typeof unregisterClientRequestHeader>;
