/**
 * One RPC connection, the same on both ends: frames in, frames out, requests of ours waiting for responses. To
 * handlers it is a {@link Peer}.
 *
 * Output is gathered by a FrameWriter and leaves once a turn, and only when the batch before it has left: a
 * peer that reads slowly gets fewer and fuller writes. `written` callbacks belong to the batch.
 *
 * States: open → closed (we or the peer closed; nothing is framed or handed on any more, what was framed may
 * still leave) → gone (the host said so; owner and listeners are told).
 */
import { assert, type Connection, type HostError, type SocketAddress } from "@orbitmq/host";
import { decodeFrame } from "../frame/decode-command.ts";
import { asBuffer, FrameDecoder } from "../frame/frame.ts";
import {
  type FrameBatch,
  FrameWriter,
  type OutgoingFrame,
  type PreparedFrame,
} from "../frame/frame-writer.ts";
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  type RemotingCommand,
  type SerializeType,
} from "../frame/remoting-command.ts";
import { encodeHostBytes, formatAddress } from "../message/host-address.ts";
import { LANGUAGE_UNKNOWN } from "../tables/language-code.ts";
import { MQVersion } from "../tables/mq-version.ts";
import { WireError } from "../wire-error.ts";
import type { OutgoingRequest, Peer, ResponseCallback } from "./peer.ts";
import { PendingRequest } from "./pending-request.ts";
import { nextPeerId, type RpcContext } from "./rpc-context.ts";
import { describeStranger } from "./stranger.ts";

type Written = () => void;

export class RpcConnection implements Peer {
  readonly id: number;
  readonly remote: SocketAddress;
  readonly address: string;
  version = 0;
  language = LANGUAGE_UNKNOWN;
  closed = false;
  /** Requests of the peer not yet answered. */
  requestsInFlight = 0;
  /** For ConnectionSweep: the sweep ticks of the last traffic, of the frame begun (-1: none), of the close. */
  activeTick: number;
  frameTick = -1;
  closedTick = -1;
  /** When the chunk being decoded arrived; a tick of RpcLatency. */
  arrivedTick = 0;
  readonly #context: RpcContext;
  readonly #connection: Connection;
  readonly #decoder: FrameDecoder;
  readonly #writer: FrameWriter;
  /** Header encoding of our own requests: the peer's, once it has spoken. */
  serializeType: SerializeType;
  #addressBytes: Uint8Array | undefined;
  #pending: Map<number, PendingRequest> | undefined;
  #listeners: (() => void)[] = [];
  #gone = false;
  #paused = false;
  #endWhenSent = false;
  #retired = false;
  #framesReceived = 0;
  #unsentBytes = 0;
  #flushQueued = false;
  /** Number of the batch being gathered; smaller ones were handed to the host. */
  #gathering = 1;
  #gatheredWritten: Written[] = [];
  /** The batch the host is writing, and who wants to know. */
  #batch: FrameBatch | undefined;
  #batchWritten: Written[] = [];
  readonly #onBatchWritten = () => this.#batchLeft();

  /** Takes `connection` over; call it where the connection was handed over. */
  constructor(context: RpcContext, connection: Connection, serializeType: SerializeType) {
    this.id = nextPeerId(context.host);
    this.remote = connection.remote;
    this.address = formatAddress(connection.remote);
    this.serializeType = serializeType;
    this.activeTick = context.sweepTick;
    this.#context = context;
    this.#connection = connection;
    const { frameBytesMax } = context.limits;
    this.#decoder = new FrameDecoder(
      (buffer, start, end) => this.#onFrame(buffer, start, end),
      frameBytesMax,
    );
    this.#writer = new FrameWriter({ pool: context.chunks, frameBytesMax });
    connection.handle({
      onData: (chunk) => this.#onData(chunk),
      onClosed: (error) => this.#onGone(error),
    });
  }

  get addressBytes(): Uint8Array {
    this.#addressBytes ??= encodeHostBytes(this.remote);
    return this.#addressBytes;
  }

  /** Framed and not yet taken by the kernel. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get requestsPending(): number {
    return this.#pending?.size ?? 0;
  }

  onClosed(listener: () => void): void {
    if (this.#gone) this.#context.host.timers.afterTurn(listener);
    else this.#listeners.push(listener);
  }

  request(request: OutgoingRequest, timeoutMs: number, done: ResponseCallback): void {
    const pending = new PendingRequest(this.#context, request, done);
    const error = this.send(pending);
    if (error === undefined) this.#context.deadlines.add(pending, timeoutMs);
    else this.#context.host.timers.afterTurn(() => pending.failed(error));
  }

  /** Frames a request that waits for its response here from now on; its deadline is the caller's. */
  send(pending: PendingRequest): WireError | undefined {
    const opaque = this.#context.nextOpaque();
    const error = this.#frameRequest(pending.request, opaque, 0);
    if (error !== undefined) return error;
    pending.connection = this;
    pending.opaque = opaque;
    pending.batch = this.#gathering;
    this.#pending ??= new Map();
    this.#pending.set(opaque, pending);
    return undefined;
  }

  oneway(request: OutgoingRequest): void {
    const error = this.sendOneway(request);
    if (error !== undefined)
      this.#context.logger.debug({ err: error, peer: this.address }, "a oneway was dropped");
  }

  /** `written` is not called when an error is returned. */
  sendOneway(request: OutgoingRequest, written?: Written): WireError | undefined {
    return this.#frameRequest(request, this.#context.nextOpaque(), FLAG_ONEWAY, written);
  }

  #frameRequest(
    request: OutgoingRequest,
    opaque: number,
    flag: number,
    written?: Written,
  ): WireError | undefined {
    if (this.closed)
      return new WireError("CONNECTION_CLOSED", `the connection with ${this.address} is closed`);
    const { limits } = this.#context;
    if (this.#unsentBytes >= limits.unsentBytesMax) {
      return new WireError(
        "PEER_NOT_READING",
        `${this.address} does not read: ${this.#unsentBytes} bytes wait`,
      );
    }
    const { code, header, remark, body } = request;
    const { version } = limits;
    const language = this.version >= MQVersion.V5_0_0 ? limits.languageToV5 : limits.language;
    const { serializeType } = this;
    try {
      this.#frame({ serializeType, code, language, version, opaque, flag, remark, header, body }, written);
    } catch (error) {
      if (error instanceof WireError) return error;
      return new WireError("HEADER_FIELD_INVALID", `request ${code} cannot be encoded`, { cause: error });
    }
    return undefined;
  }

  /** The request is not answered here any more, should it still be waiting. */
  forget(pending: PendingRequest): void {
    if (this.#pending?.delete(pending.opaque) === true) this.#closeIfRetired();
  }

  /** Closes as soon as no request waits here any more; the caller sends no further one. */
  retire(): void {
    this.#retired = true;
    this.#closeIfRetired();
  }

  #closeIfRetired(): void {
    if (this.#retired && this.requestsPending === 0) this.close();
  }

  /**
   * Throws what FrameWriter.frame throws, having framed nothing. On a closed connection only `written` is
   * called, later.
   */
  respond(frame: OutgoingFrame, written: Written | undefined): void {
    if (this.closed) {
      if (written !== undefined) this.#context.host.timers.afterTurn(written);
      return;
    }
    this.#frame(frame, written);
    this.#checkUnsent();
  }

  /** As `respond`, for a response that writes itself. */
  respondPrepared(frame: PreparedFrame, opaque: number, written: Written | undefined): void {
    if (this.closed) {
      if (written !== undefined) this.#context.host.timers.afterTurn(written);
      return;
    }
    const { language, version } = this.#context.limits;
    this.#framed(this.#writer.preparedFrame(frame, opaque, language, version), written);
    this.#checkUnsent();
  }

  #checkUnsent(): void {
    const { limits } = this.#context;
    if (this.#unsentBytes > limits.unsentBytesPause && !this.#paused) {
      this.#paused = true;
      this.frameTick = -1;
      this.#connection.pause();
    }
    if (!limits.closesSlowReaders) return;
    const isOver = this.#context.unsentBytes > limits.unsentBytesOfAllMax;
    if (
      this.#unsentBytes >= limits.unsentBytesMax ||
      (isOver && this.#unsentBytes > limits.unsentBytesPause / 8)
    ) {
      this.fail(new WireError("PEER_NOT_READING", `${this.#unsentBytes} bytes wait for it`));
    }
  }

  #frame(frame: OutgoingFrame, written: Written | undefined): void {
    this.#framed(this.#writer.frame(frame), written);
  }

  #framed(bytes: number, written: Written | undefined): void {
    this.#unsentBytes += bytes;
    this.#context.unsentBytes += bytes;
    if (written !== undefined) this.#gatheredWritten.push(written);
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.#context.flushLater(this);
  }

  /** Hands everything gathered to the host in one write, unless it still writes the batch before. */
  flush(): void {
    this.#flushQueued = false;
    if (this.#batch !== undefined || this.#gone) return;
    const batch = this.#writer.take();
    if (batch === undefined) return;
    this.#batch = batch;
    const told = this.#batchWritten;
    this.#batchWritten = this.#gatheredWritten;
    this.#gatheredWritten = told;
    this.#gathering++;
    this.#connection.write(batch.slices, this.#onBatchWritten);
  }

  #batchLeft(): void {
    const batch = this.#batch;
    assert(batch !== undefined, "a batch is written once");
    this.#batch = undefined;
    this.activeTick = this.#context.sweepTick;
    this.#unsentBytes -= batch.byteLength;
    this.#context.unsentBytes -= batch.byteLength;
    batch.release();
    this.#tell(this.#batchWritten);
    if (this.#gone) return;
    if (this.#writer.byteLength > 0 && !this.#flushQueued) this.flush();
    else if (this.#endWhenSent && this.#unsentBytes === 0) this.#connection.end();
    if (this.#paused && this.#unsentBytes <= this.#context.limits.unsentBytesPause / 2) {
      this.#paused = false;
      this.#connection.resume();
    }
  }

  #tell(callbacks: Written[]): void {
    for (let i = 0; i < callbacks.length; i++) this.#context.guard("a written callback", callbacks[i]!);
    callbacks.length = 0;
  }

  #onData(chunk: Uint8Array): void {
    const { sweepTick } = this.#context;
    this.activeTick = sweepTick;
    this.arrivedTick = this.#context.tick();
    const framesBefore = this.#framesReceived;
    try {
      this.#decoder.feed(chunk);
    } catch (error) {
      assert(error instanceof WireError, "a frame decoder throws WireErrors");
      const stranger = framesBefore === 0 ? describeStranger(asBuffer(chunk)) : undefined;
      this.fail(stranger === undefined ? error : new WireError(error.code, `${error.message}: ${stranger}`));
      return;
    }
    if (this.#decoder.bufferedBytes === 0) this.frameTick = -1;
    else if (this.frameTick < 0 || framesBefore !== this.#framesReceived) this.frameTick = sweepTick;
  }

  #onFrame(buffer: Buffer, start: number, end: number): void {
    this.#framesReceived++;
    try {
      const command = decodeFrame(buffer, start, end);
      this.version = command.version;
      if ((command.flag & FLAG_RESPONSE) !== 0) {
        this.#settle(command);
        return;
      }
      // Of requests only: an answer is framed for whoever asked, maybe in the words of a 4.x peer.
      this.language = command.language;
      this.#context.owner.requestArrived(this, command);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.fail(error);
    }
  }

  #settle(response: RemotingCommand): void {
    const pending = this.#pending?.get(response.opaque);
    if (pending === undefined) {
      this.#context.lateResponses++;
      return;
    }
    this.#pending!.delete(response.opaque);
    pending.answered(response);
    this.#closeIfRetired();
  }

  /** Sends what was framed, then ends. Requests still waiting fail with `reason`. */
  close(reason?: WireError): void {
    if (this.closed) return;
    this.#becomeClosed(
      reason ?? new WireError("CONNECTION_CLOSED", `the connection with ${this.address} was closed`),
      true,
    );
    this.flush();
    if (this.#unsentBytes === 0) this.#connection.end();
    else this.#endWhenSent = true;
  }

  /** Closes at once because of `error`, and says so in the log. */
  fail(error: WireError): void {
    if (this.#gone) return;
    this.#context.logger.warn({ err: error, peer: this.address }, `closing a connection: ${error.code}`);
    if (!this.closed) this.#becomeClosed(error, false);
    this.#connection.destroy();
  }

  /** Closes at once without a word: the end of an orderly stop that took too long. */
  destroy(): void {
    if (this.#gone) return;
    if (!this.closed) this.#becomeClosed(new WireError("RPC_STOPPED", "stopped"), false);
    this.#connection.destroy();
  }

  #becomeClosed(reason: WireError, framedStillLeaves: boolean): void {
    this.closed = true;
    this.closedTick = this.#context.sweepTick;
    this.#decoder.stop();
    const waiting = this.#pending;
    this.#pending = undefined;
    if (waiting === undefined || waiting.size === 0) return;
    const gathering = this.#gathering;
    const code = reason.code === "RPC_STOPPED" ? "RPC_STOPPED" : "CONNECTION_CLOSED";
    // In a turn of its own: whoever closes may be in the middle of something.
    this.#context.host.timers.afterTurn(() => {
      for (const pending of waiting.values()) {
        if (pending.isSettled) continue;
        const sent = framedStillLeaves || pending.batch < gathering;
        pending.failed(
          new WireError(code, `request ${pending.request.code} to ${this.address}: ${reason.message}`, {
            cause: reason.cause,
            sent,
          }),
        );
      }
    });
  }

  #onGone(error: HostError | undefined): void {
    if (!this.closed) {
      const message = `the connection closed${error === undefined ? "" : `: ${error.message}`}`;
      this.#becomeClosed(new WireError("CONNECTION_CLOSED", message, { cause: error }), false);
    }
    this.#gone = true;
    const batch = this.#writer.take();
    if (batch !== undefined) {
      this.#unsentBytes -= batch.byteLength;
      this.#context.unsentBytes -= batch.byteLength;
      batch.release();
    }
    this.#tell(this.#gatheredWritten);
    this.#context.owner.connectionGone(this);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) this.#context.guard("a close listener", listener);
  }
}
