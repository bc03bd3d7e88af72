/** A request being answered. Lives in the handler's hands until `reply`, perhaps for many turns. */
import { assert } from "@orbitmq/host";
import { FLAG_RESPONSE, SERIALIZE_ROCKETMQ, type SerializeType } from "../frame/remoting-command.ts";
import { ResponseCode } from "../tables/response-code.ts";
import type { Exchange, OutgoingResponse } from "./peer.ts";
import type { RequestDispatcher } from "./request-dispatcher.ts";
import type { RpcConnection } from "./rpc-connection.ts";
import type { RpcResult } from "./rpc-latency.ts";

export class RpcExchange implements Exchange {
  readonly peer: RpcConnection;
  readonly code: number;
  readonly opaque: number;
  readonly isOneway: boolean;
  readonly #serializeType: SerializeType;
  readonly #dispatcher: RequestDispatcher;
  readonly #arrivedTick: number;
  #answered = false;

  constructor(
    dispatcher: RequestDispatcher,
    peer: RpcConnection,
    code: number,
    opaque: number,
    isOneway: boolean,
    serializeType: SerializeType,
  ) {
    this.peer = peer;
    this.code = code;
    this.opaque = opaque;
    this.isOneway = isOneway;
    this.#serializeType = serializeType;
    this.#dispatcher = dispatcher;
    this.#arrivedTick = peer.arrivedTick;
  }

  get isAnswered(): boolean {
    return this.#answered;
  }

  reply(response: OutgoingResponse): void {
    assert(!this.#answered, "a request is answered at most once");
    this.#answered = true;
    const { context } = this.#dispatcher;
    if (this.isOneway) {
      this.#count(response, "oneway", context.tick());
      if (response.written !== undefined) context.host.timers.afterTurn(response.written);
      return;
    }
    this.#dispatcher.answered(this.peer);
    this.#respond(response);
    if (this.peer.closed) this.#count(response, "write_channel_failed", context.tick());
    else this.#count(response, "success", context.tickOfTurn());
  }

  #count({ code, isLongPolling }: OutgoingResponse, result: RpcResult, tick: number): void {
    const { latency } = this.#dispatcher.context;
    latency?.record(this.code, code, isLongPolling === true, result, this.#arrivedTick, tick);
  }

  #respond(response: OutgoingResponse): void {
    const { context } = this.#dispatcher;
    if (response.prepared !== undefined && this.#serializeType === SERIALIZE_ROCKETMQ) {
      this.peer.respondPrepared(response.prepared, this.opaque, response.written);
      return;
    }
    try {
      this.#send(response.code, response.remark, response);
    } catch (error) {
      // Nothing was framed: the response's header cannot be encoded, or it is too long for a frame.
      context.logger.error({ err: error, code: this.code }, "a response cannot be encoded");
      this.#send(
        ResponseCode.SYSTEM_ERROR,
        `the response cannot be encoded: ${String(error).slice(0, 200)}`,
        {
          code: ResponseCode.SYSTEM_ERROR,
          written: response.written,
        },
      );
    }
  }

  #send(code: number, remark: string | undefined, response: OutgoingResponse): void {
    const { language, version } = this.#dispatcher.context.limits;
    this.peer.respond(
      {
        serializeType: this.#serializeType,
        code,
        language,
        version,
        opaque: this.opaque,
        flag: FLAG_RESPONSE,
        remark,
        header: response.header,
        body: response.body,
      },
      response.written,
    );
  }
}
