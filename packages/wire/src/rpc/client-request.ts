/** What an RpcClient has under way: requests that survive one GO_AWAY, and oneways that wait to leave. */
import type { RemotingCommand } from "../frame/remoting-command.ts";
import { ResponseCode } from "../tables/response-code.ts";
import { WireError } from "../wire-error.ts";
import type { AddressChannel, Waiting } from "./address-channel.ts";
import type { OutgoingRequest, ResponseCallback } from "./peer.ts";
import { PendingRequest } from "./pending-request.ts";
import type { RpcConnection } from "./rpc-connection.ts";
import type { RpcContext } from "./rpc-context.ts";

/** How many are under way over all addresses. */
export interface InFlight {
  count: number;
}

export class ClientRequest extends PendingRequest implements Waiting {
  readonly #channel: AddressChannel;
  readonly #inFlight: InFlight;
  #resent = false;

  constructor(
    context: RpcContext,
    channel: AddressChannel,
    inFlight: InFlight,
    request: OutgoingRequest,
    done: ResponseCallback,
  ) {
    super(context, request, done);
    this.#channel = channel;
    this.#inFlight = inFlight;
    inFlight.count++;
  }

  sendOn(connection: RpcConnection): void {
    const error = connection.send(this);
    if (error === undefined) return;
    this.context.host.timers.afterTurn(() => {
      if (!this.isSettled) this.failed(error);
    });
  }

  override answered(response: RemotingCommand): void {
    if (response.code !== ResponseCode.GO_AWAY || this.#resent) {
      super.answered(response);
      return;
    }
    this.#resent = true;
    const { connection } = this;
    this.connection = undefined;
    if (connection !== undefined) this.#channel.retire(connection);
    this.#channel.submit(this);
  }

  override expired(): void {
    this.#channel.remove(this);
    super.expired();
  }

  protected override settle(error: WireError | undefined, response: RemotingCommand | undefined): void {
    this.#inFlight.count--;
    super.settle(error, response);
  }
}

export class ClientOneway implements Waiting {
  readonly #context: RpcContext;
  readonly #inFlight: InFlight;
  readonly #request: OutgoingRequest;
  readonly #sent: ((error: WireError | undefined) => void) | undefined;

  constructor(
    context: RpcContext,
    inFlight: InFlight,
    request: OutgoingRequest,
    sent: ((error: WireError | undefined) => void) | undefined,
  ) {
    this.#context = context;
    this.#inFlight = inFlight;
    this.#request = request;
    this.#sent = sent;
    inFlight.count++;
  }

  sendOn(connection: RpcConnection): void {
    const error = connection.sendOneway(this.#request, () =>
      this.#over(
        connection.closed
          ? new WireError("CONNECTION_CLOSED", `the connection with ${connection.address} closed`, {
              sent: true,
            })
          : undefined,
      ),
    );
    if (error !== undefined) this.#context.host.timers.afterTurn(() => this.failed(error));
  }

  failed(error: WireError): void {
    this.#context.logger.debug({ err: error, code: this.#request.code }, "a oneway was dropped");
    this.#over(error);
  }

  #over(error: WireError | undefined): void {
    this.#inFlight.count--;
    if (this.#sent !== undefined) this.#context.guard("a oneway callback", () => this.#sent?.(error));
  }
}
