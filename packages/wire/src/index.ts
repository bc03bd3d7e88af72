/** Bytes between processes: frames, headers, codes, the message record, RPC. */
export type { MessageRecord, RecordInput } from "./message-record.ts";
export { MAGIC_BLANK, MAGIC_V1, MAGIC_V2 } from "./message-record.ts";
