/** From a request's code to its handler, and from whatever a handler throws to a response. Both ends have one. */
import { assert } from "@orbitmq/host";
import { isOneway, type RemotingCommand } from "../frame/remoting-command.ts";
import { ResponseCode } from "../tables/response-code.ts";
import { WireError } from "../wire-error.ts";
import { Refusal, type RequestHandler } from "./peer.ts";
import type { RpcConnection } from "./rpc-connection.ts";
import type { RpcContext } from "./rpc-context.ts";
import { RpcExchange } from "./rpc-exchange.ts";

/** Says why a request that wants an answer is not handled at all; `undefined` when it is. */
export type Admission = (connection: RpcConnection, command: RemotingCommand) => Refusal | undefined;

const REMARK_CHARACTERS_MAX = 4096;
/** Nearly all of RocketMQ's codes are smaller. */
const SMALL_CODES = 1024;

const refuseUnknown: RequestHandler = (request) => {
  throw new Refusal(ResponseCode.REQUEST_CODE_NOT_SUPPORTED, `request type ${request.code} not supported`);
};

export class RequestDispatcher {
  readonly context: RpcContext;
  /** Requests of all connections not yet answered; those of connections that are gone do not count. */
  inFlight = 0;
  readonly #admit: Admission;
  readonly #handlers = new Map<number, RequestHandler>();
  /** Those of small codes again, where finding one is a single load. */
  readonly #handlersByCode: (RequestHandler | undefined)[] = new Array(SMALL_CODES).fill(undefined);
  #unknown: RequestHandler = refuseUnknown;
  #whenIdle: (() => void) | undefined;

  constructor(context: RpcContext, admit: Admission) {
    this.context = context;
    this.#admit = admit;
  }

  handle(code: number, handler: RequestHandler): void {
    assert(!this.#handlers.has(code), `request code ${code} has one handler`);
    this.#handlers.set(code, handler);
    if (code >= 0 && code < SMALL_CODES) this.#handlersByCode[code] = handler;
  }

  handleUnknown(handler: RequestHandler): void {
    this.#unknown = handler;
  }

  dispatch(connection: RpcConnection, command: RemotingCommand): void {
    const { code } = command;
    const oneway = isOneway(command);
    const exchange = new RpcExchange(this, connection, code, command.opaque, oneway, command.serializeType);
    const known = code >= 0 && code < SMALL_CODES ? this.#handlersByCode[code] : this.#handlers.get(code);
    const handler = known ?? this.#unknown;
    if (!oneway) {
      const refusal = this.#admit(connection, command);
      this.inFlight++;
      connection.requestsInFlight++;
      if (refusal !== undefined) {
        exchange.reply({ code: refusal.responseCode, remark: refusal.message });
        return;
      }
    }
    try {
      handler(command, exchange);
    } catch (error) {
      this.#thrown(error, exchange);
    }
  }

  #thrown(error: unknown, exchange: RpcExchange): void {
    const { logger } = this.context;
    const about = { err: error, code: exchange.code, peer: exchange.peer.address };
    const isExpected = error instanceof Refusal || error instanceof WireError;
    if (isExpected) logger.debug(about, "a request was refused");
    else logger.error(about, "a request handler threw");
    if (exchange.isOneway || exchange.isAnswered) return;
    exchange.reply({ code: responseCodeOf(error), remark: remarkOf(error) });
  }

  /** Called by exchanges. */
  answered(connection: RpcConnection): void {
    if (connection.closed && connection.requestsInFlight === 0) return;
    this.inFlight--;
    connection.requestsInFlight--;
    this.#checkIdle();
  }

  /** The requests of a closed connection need no answer any more. */
  connectionGone(connection: RpcConnection): void {
    this.inFlight -= connection.requestsInFlight;
    connection.requestsInFlight = 0;
    this.#checkIdle();
  }

  /** Calls `callback` once, in a later turn, when no request waits for its answer; `undefined` forgets it. */
  whenIdle(callback: (() => void) | undefined): void {
    this.#whenIdle = callback;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.inFlight > 0 || this.#whenIdle === undefined) return;
    this.context.host.timers.afterTurn(this.#whenIdle);
    this.#whenIdle = undefined;
  }
}

function responseCodeOf(error: unknown): number {
  if (typeof error === "object" && error !== null) {
    const { responseCode } = error as { responseCode?: unknown };
    if (typeof responseCode === "number") return responseCode;
  }
  return ResponseCode.SYSTEM_ERROR;
}

function remarkOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length <= REMARK_CHARACTERS_MAX ? text : `${text.slice(0, REMARK_CHARACTERS_MAX)}…`;
}
