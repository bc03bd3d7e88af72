/**
 * Who is at the other end of an RPC connection, as handlers and groups see it: never a socket. A peer is the
 * same thing over TCP, in process, and later over gRPC.
 */
import type { SocketAddress } from "@orbitmq/host";
import type { PreparedFrame } from "../frame/frame-writer.ts";
import type { ExtSink, RemotingCommand } from "../frame/remoting-command.ts";
import type { WireError } from "../wire-error.ts";

/** What a caller sends; opaque, flag, language and version are the RPC layer's. */
export interface OutgoingRequest {
  readonly code: number;
  /** Writes the header's fields; usually `(sink) => schema.encode(value, sink)`. */
  readonly header?: ((sink: ExtSink) => void) | undefined;
  readonly remark?: string | undefined;
  /** Must not change until the request's callback (`done`, or `sent` of a oneway): it may be sent twice. */
  readonly body?: readonly Uint8Array[] | undefined;
}

export interface OutgoingResponse {
  /** A ResponseCode. */
  readonly code: number;
  readonly remark?: string | undefined;
  readonly header?: ((sink: ExtSink) => void) | undefined;
  /** The same response without remark and body, for peers that read ROCKETMQ headers: takes the place of `header`. */
  readonly prepared?: PreparedFrame | undefined;
  /** Slices are sent as they are, without a copy; they must not change until `written`. */
  readonly body?: readonly Uint8Array[] | undefined;
  /** Called once, when the kernel has the bytes or the connection is gone: slabs are released here. */
  readonly written?: (() => void) | undefined;
  /** Whether the request was put off until there was something to answer. */
  readonly isLongPolling?: boolean | undefined;
}

/**
 * `response` is valid until the callback returns. Called exactly once, never synchronously.
 *
 * `error.sent` tells whether the request may have reached the peer: false means that not one byte of it was
 * handed to a connection (the outcome is "refused"), true that it may have been handled (the outcome is
 * "unknown"). A response, whatever its code, is never an error here: reading the code is the caller's.
 */
export type ResponseCallback = (error: WireError | undefined, response: RemotingCommand | undefined) => void;

export interface Peer {
  /** Unique among all peers of one host, never reused. */
  readonly id: number;
  readonly remote: SocketAddress;
  /** `remote` as `host:port`. */
  readonly address: string;
  /** `remote` as a record carries it: 8 bytes (IPv4 + port) or 20 (IPv6 + port). */
  readonly addressBytes: Uint8Array;
  /** MQVersion ordinal and LanguageCode of the peer's last request. */
  readonly version: number;
  readonly language: number;
  readonly closed: boolean;
  /** Called once when the connection is gone; at once (next turn) if it already is. */
  onClosed(listener: () => void): void;
  /**
   * A server may call its client too (40, 39, 307, …). Fails with REQUEST_TIMEOUT, CONNECTION_CLOSED,
   * TOO_MANY_REQUESTS, PEER_NOT_READING or RPC_STOPPED.
   */
  request(request: OutgoingRequest, timeoutMs: number, done: ResponseCallback): void;
  oneway(request: OutgoingRequest): void;
  close(): void;
}

/** One request being answered. Lives until answered; a handler may keep it across turns (long polling). */
export interface Exchange {
  readonly peer: Peer;
  readonly code: number;
  readonly opaque: number;
  readonly isOneway: boolean;
  /** At most once. Does nothing when the request was oneway or the peer is gone (`written` is still called). */
  reply(response: OutgoingResponse): void;
}

/**
 * Handles one request code. A throw is answered with SYSTEM_ERROR (or the response code the thrown error
 * carries) and logged; the connection survives. `request` is valid until the handler returns.
 */
export type RequestHandler = (request: RemotingCommand, exchange: Exchange) => void;

/** Thrown by handlers to answer with a particular response code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly responseCode: number;

  constructor(responseCode: number, remark: string) {
    super(remark);
    this.responseCode = responseCode;
  }
}
