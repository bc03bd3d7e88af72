/** A peer without a connection: keeps what it is sent, closes on command. */
import type { SocketAddress } from "@orbitmq/host";
import type { ExtSink, OutgoingRequest, Peer, ResponseCallback } from "@orbitmq/wire";

let lastId = 0;

export class FakePeer implements Peer {
  readonly id = ++lastId;
  readonly remote: SocketAddress = { host: "10.1.2.3", port: 40_000 + this.id };
  readonly address = `10.1.2.3:${40_000 + this.id}`;
  readonly addressBytes = Uint8Array.of(10, 1, 2, 3, 0, 0, 0x9c, 0x40);
  version = 513;
  language = 0;
  closed = false;
  readonly oneways: { code: number; ext: Map<string, string> }[] = [];
  readonly #listeners: (() => void)[] = [];

  onClosed(listener: () => void): void {
    this.#listeners.push(listener);
  }

  request(_request: OutgoingRequest, _timeoutMs: number, _done: ResponseCallback): void {
    throw new Error("nobody calls clients yet");
  }

  oneway(request: OutgoingRequest): void {
    this.oneways.push({ code: request.code, ext: encodedExt(request.header) });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const listener of this.#listeners) listener();
  }
}

/** What a header writes, as a map. */
export function encodedExt(header: ((sink: ExtSink) => void) | undefined): Map<string, string> {
  const ext = new Map<string, string>();
  header?.({ put: (name, value) => void ext.set(name, String(value)) } as ExtSink);
  return ext;
}
