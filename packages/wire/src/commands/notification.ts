/**
 * NOTIFICATION (200054): tells when a POP would find something, without popping it.
 *
 *   request   consumerGroup topic queueId pollTime bornTime order? attemptId? expType? exp? bname?
 *   response  hasMsg pollingFull
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  renamed,
  string,
} from "../frame/header-schema.ts";

export const notificationRequestHeader = defineHeader("NotificationRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  /** -1: any. */
  queueId: int32(),
  /** How long it may wait, ms from bornTime. */
  pollTime: int64(),
  /** When it was asked, wall ms. */
  bornTime: int64(),
  order: optional(bool()),
  attemptId: optional(string()),
  expType: optional(name()),
  exp: optional(name()),
  brokerName: optional(renamed("bname", name())),
});
export type NotificationRequestHeader = HeaderValue<typeof notificationRequestHeader>;

export const notificationResponseHeader = defineHeader("NotificationResponseHeader", {
  hasMsg: bool(),
  /** Nobody waited, because too many wait already. */
  pollingFull: optional(bool()),
});
export type NotificationResponseHeader = HeaderValue<typeof notificationResponseHeader>;
