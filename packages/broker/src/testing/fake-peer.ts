/** A peer without a connection: keeps what it is sent, closes on command. */
import type { SocketAddress } from "@orbitmq/host";
import {
  type ExtSink,
  type OutgoingRequest,
  type Peer,
  type RemotingCommand,
  type ResponseCallback,
  SERIALIZE_JSON,
  WireError,
  type WireErrorCode,
} from "@orbitmq/wire";

export interface SentRequest {
  readonly code: number;
  readonly ext: Map<string, string>;
  readonly body: Buffer;
}

export interface PeerAnswer {
  readonly code: number;
  readonly remark?: string;
  readonly ext?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

let lastId = 0;

export class FakePeer implements Peer {
  readonly id = ++lastId;
  readonly remote: SocketAddress = { host: "10.1.2.3", port: 40_000 + this.id };
  readonly address = `10.1.2.3:${40_000 + this.id}`;
  readonly addressBytes = Uint8Array.of(10, 1, 2, 3, 0, 0, 0x9c, 0x40);
  version = 513;
  language = 0;
  closed = false;
  readonly oneways: SentRequest[] = [];
  readonly #listeners: (() => void)[] = [];

  onClosed(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** What the client answers, at once; a string is the code of an error. */
  answers: (request: SentRequest) => PeerAnswer | WireErrorCode = () => "REQUEST_TIMEOUT";
  readonly requests: SentRequest[] = [];

  request(request: OutgoingRequest, _timeoutMs: number, done: ResponseCallback): void {
    const sent = sentRequest(request);
    this.requests.push(sent);
    const answer = this.answers(sent);
    if (typeof answer === "string") done(new WireError(answer, "no answer"), undefined);
    else done(undefined, responseCommand(answer));
  }

  oneway(request: OutgoingRequest): void {
    this.oneways.push(sentRequest(request));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const listener of this.#listeners) listener();
  }
}

function sentRequest(request: OutgoingRequest): SentRequest {
  return {
    code: request.code,
    ext: encodedExt(request.header),
    body: Buffer.concat(request.body ?? []),
  };
}

function responseCommand({ code, remark, ext = {}, body = "" }: PeerAnswer): RemotingCommand {
  return {
    code,
    language: 0,
    version: 513,
    opaque: 1,
    flag: 1,
    remark,
    ext: {
      get: (name) => ext[name],
      forEach: (visit) => {
        for (const [name, value] of Object.entries(ext)) visit(name, value);
      },
    },
    body: Buffer.from(body as string),
    serializeType: SERIALIZE_JSON,
  };
}

/** What a header writes, as a map. */
export function encodedExt(header: ((sink: ExtSink) => void) | undefined): Map<string, string> {
  const ext = new Map<string, string>();
  header?.({ put: (name, value) => void ext.set(name, String(value)) } as ExtSink);
  return ext;
}
