/**
 * One request that waits for its response. States: waiting for a connection (client only) → framed into a
 * connection's output → settled. Settled exactly once: by the response, the deadline, the end of the
 * connection, or a stop.
 */
import { assert } from "@orbitmq/host";
import type { RemotingCommand } from "../frame/remoting-command.ts";
import { WireError } from "../wire-error.ts";
import { DeadlineItem } from "./deadlines.ts";
import type { OutgoingRequest, ResponseCallback } from "./peer.ts";
import type { RpcConnection } from "./rpc-connection.ts";
import type { RpcContext } from "./rpc-context.ts";

export class PendingRequest extends DeadlineItem {
  readonly request: OutgoingRequest;
  readonly context: RpcContext;
  /** Set by the connection it is framed into, with `opaque` and `batch`. */
  connection: RpcConnection | undefined;
  opaque = 0;
  /** Which of the connection's batches it is part of. */
  batch = 0;
  #done: ResponseCallback | undefined;

  constructor(context: RpcContext, request: OutgoingRequest, done: ResponseCallback) {
    super();
    this.context = context;
    this.request = request;
    this.#done = done;
  }

  get isSettled(): boolean {
    return this.#done === undefined;
  }

  /** The response of the peer, valid until this returns. */
  answered(response: RemotingCommand): void {
    this.settle(undefined, response);
  }

  failed(error: WireError): void {
    this.settle(error, undefined);
  }

  override expired(): void {
    const { connection } = this;
    connection?.forget(this);
    const where = connection === undefined ? "no connection" : `no response from ${connection.address}`;
    const message = `request ${this.request.code}: ${where} in time`;
    // Framed means that it leaves sooner or later, even if it has not yet.
    this.failed(new WireError("REQUEST_TIMEOUT", message, { sent: connection !== undefined }));
  }

  protected settle(error: WireError | undefined, response: RemotingCommand | undefined): void {
    const done = this.#done;
    assert(done !== undefined, "a request is settled once");
    this.#done = undefined;
    this.context.deadlines.remove(this);
    try {
      done(error, response);
    } catch (thrown) {
      this.context.logger.error({ err: thrown, code: this.request.code }, "a response callback threw");
    }
  }
}
