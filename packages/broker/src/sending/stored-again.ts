/** A message of the log that is stored once more, in another queue: what it keeps. */
import type { MessageRecord, RecordInput } from "@orbitmq/wire";

export function storedAgain(
  record: MessageRecord,
  topic: string,
  queueId: number,
  storeHost: Uint8Array,
  properties: string,
): RecordInput {
  return {
    topic,
    queueId,
    flag: record.flag,
    sysFlag: record.sysFlag,
    bornTimestamp: record.bornTimestamp,
    bornHost: record.bornHost,
    storeHost,
    reconsumeTimes: record.reconsumeTimes,
    preparedTransactionOffset: 0,
    body: record.body,
    properties,
  };
}
