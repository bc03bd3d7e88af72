/**
 * CONSUME_MESSAGE_DIRECTLY (309): has one consumer consume one message; the broker passes the message on to it,
 * and its answer (RocketMQ: ConsumeMessageDirectlyResult) back as it is.
 *
 *   request   consumerGroup clientId? msgId? brokerName? topic? topicSysFlag? groupSysFlag?
 *   body      to the client: the message's record; back: {"autoCommit","consumeResult","order","remark"?,
 *             "spentTimeMills"}
 */
import { defineHeader, type HeaderValue, int32, name, optional, string } from "../frame/header-schema.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const consumeMessageDirectlyRequestHeader = defineHeader("ConsumeMessageDirectlyResultRequestHeader", {
  consumerGroup: name(),
  clientId: optional(string()),
  /** The offset message id. */
  msgId: optional(string()),
  brokerName: optional(name()),
  topic: optional(name()),
  topicSysFlag: optional(int32()),
  groupSysFlag: optional(int32()),
});
export type ConsumeMessageDirectlyRequestHeader = HeaderValue<typeof consumeMessageDirectlyRequestHeader>;

export interface ConsumeMessageDirectlyResult {
  /** CR_SUCCESS, CR_LATER, CR_ROLLBACK, CR_COMMIT, CR_THROW_EXCEPTION or CR_RETURN_NULL. */
  readonly consumeResult: string;
  readonly order: boolean;
  readonly autoCommit: boolean;
  /** What went wrong; "" when nothing did. */
  readonly remark: string;
  readonly spentTimeMills: number;
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumeMessageDirectlyResult(bytes: Uint8Array): ConsumeMessageDirectlyResult {
  const body = parseJsonObject(bytes, "ConsumeMessageDirectlyResult");
  return {
    consumeResult: body.optionalString("consumeResult") ?? "",
    order: body.boolean("order", false),
    autoCommit: body.boolean("autoCommit", true),
    remark: body.optionalString("remark") ?? "",
    spentTimeMills: body.integer("spentTimeMills", 0),
  };
}
