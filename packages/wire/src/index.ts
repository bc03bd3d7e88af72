/** Bytes between processes: frames, headers, codes, the message record, RPC. */
export type { MessageRecord, RecordInput } from "./message-record.ts";
export { MAGIC_BLANK, MAGIC_V1, MAGIC_V2 } from "./message-record.ts";
export { inProcessNetwork } from "./rpc/in-process-transport.ts";
export type {
  Exchange,
  OutgoingRequest,
  OutgoingResponse,
  Peer,
  RequestHandler,
  ResponseCallback,
} from "./rpc/peer.ts";
export { Refusal } from "./rpc/peer.ts";
export { RpcClient } from "./rpc/rpc-client.ts";
export type { RpcClientOptions, RpcOptions, RpcServerOptions } from "./rpc/rpc-options.ts";
export { RpcServer } from "./rpc/rpc-server.ts";
