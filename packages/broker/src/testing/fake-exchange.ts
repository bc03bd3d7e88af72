/** Runs one request through a handler, as RpcServer would, and keeps the answer. */
import {
  type Exchange,
  type ExtFields,
  type OutgoingResponse,
  type Peer,
  Refusal,
  type RemotingCommand,
  type RequestHandler,
  ResponseCode,
  SERIALIZE_JSON,
  WireError,
} from "@orbitmq/wire";
import { encodedExt, FakePeer } from "./fake-peer.ts";

export interface Answer {
  readonly code: number;
  readonly remark: string | undefined;
  readonly ext: Map<string, string>;
  readonly body: Buffer;
}

export class FakeExchange implements Exchange {
  readonly peer: Peer;
  readonly code: number;
  readonly opaque = 1;
  readonly isOneway: boolean;
  answer: Answer | undefined;
  /** Whether the answer says that it was put off. */
  isLongPolling: boolean | undefined;
  onAnswer: ((answer: Answer) => void) | undefined;

  constructor(peer: Peer, code: number, isOneway: boolean) {
    this.peer = peer;
    this.code = code;
    this.isOneway = isOneway;
  }

  get isAnswered(): boolean {
    return this.answer !== undefined;
  }

  reply(response: OutgoingResponse): void {
    if (this.answer !== undefined) throw new Error("answered twice");
    this.answer = {
      code: response.code,
      remark: response.remark,
      ext: encodedExt(response.header),
      body: Buffer.concat(response.body ?? []),
    };
    this.isLongPolling = response.isLongPolling;
    response.written?.();
    this.onAnswer?.(this.answer);
  }
}

export interface FakeRequest {
  readonly code: number;
  readonly ext?: Record<string, string | number | boolean | undefined>;
  readonly body?: Uint8Array | string;
  readonly peer?: Peer;
  readonly version?: number;
  readonly oneway?: boolean;
}

/** A request as it arrives. */
export function requestCommand(request: FakeRequest): RemotingCommand {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(request.ext ?? {})) {
    if (value !== undefined) fields.set(name, String(value));
  }
  const ext: ExtFields = {
    get: (name) => fields.get(name),
    forEach: (visit) => {
      for (const [name, value] of fields) visit(name, value);
    },
  };
  return {
    code: request.code,
    language: 0,
    version: request.version ?? 513,
    opaque: 1,
    flag: request.oneway === true ? 2 : 0,
    remark: undefined,
    ext,
    body: typeof request.body === "string" ? Buffer.from(request.body) : (request.body ?? new Uint8Array()),
    serializeType: SERIALIZE_JSON,
  };
}

/** Hands the request to `handler`; a throw becomes the answer RpcServer would send. */
export function call(handler: RequestHandler, request: FakeRequest): FakeExchange {
  const exchange = new FakeExchange(request.peer ?? new FakePeer(), request.code, request.oneway === true);
  try {
    handler(requestCommand(request), exchange);
  } catch (error) {
    if (error instanceof Refusal) exchange.reply({ code: error.responseCode, remark: error.message });
    else if (error instanceof WireError) {
      exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark: error.message });
    } else throw error;
  }
  return exchange;
}
