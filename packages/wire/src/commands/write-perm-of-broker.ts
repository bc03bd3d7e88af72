/**
 * WIPE_WRITE_PERM_OF_BROKER (205) and ADD_WRITE_PERM_OF_BROKER (327): whether routes show a broker's topics as writable.
 *
 *   request   brokerName
 *   response  wipeTopicCount (205), addTopicCount (327)      topics of the broker
 */
import { defineHeader, type HeaderValue, int32, name } from "../frame/header-schema.ts";

export const wipeWritePermOfBrokerRequestHeader = defineHeader("WipeWritePermOfBrokerRequestHeader", {
  brokerName: name(),
});
export type WipeWritePermOfBrokerRequestHeader = HeaderValue<typeof wipeWritePermOfBrokerRequestHeader>;

export const wipeWritePermOfBrokerResponseHeader = defineHeader("WipeWritePermOfBrokerResponseHeader", {
  wipeTopicCount: int32(),
});
export type WipeWritePermOfBrokerResponseHeader = HeaderValue<typeof wipeWritePermOfBrokerResponseHeader>;

export const addWritePermOfBrokerRequestHeader = defineHeader("AddWritePermOfBrokerRequestHeader", {
  brokerName: name(),
});
export type AddWritePermOfBrokerRequestHeader = HeaderValue<typeof addWritePermOfBrokerRequestHeader>;

export const addWritePermOfBrokerResponseHeader = defineHeader("AddWritePermOfBrokerResponseHeader", {
  addTopicCount: int32(),
});
export type AddWritePermOfBrokerResponseHeader = HeaderValue<typeof addWritePermOfBrokerResponseHeader>;
