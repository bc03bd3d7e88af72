/**
 * Requests spoken by hand, JSON headers, any number at a time on one connection: what a broker of either kind answers is
 * then seen as it is, with no client in between and without the product's own codec, which is to be judged.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type Fields = Readonly<Record<string, string | number | boolean>>;

export interface PlainAnswer {
  readonly code: number;
  readonly remark: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface AnswerHeader {
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark?: string | null;
  readonly extFields?: Record<string, string> | null;
}

interface Asked {
  readonly resolve: (answer: PlainAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class PlainConnection {
  readonly #socket: Socket;
  readonly #asked = new Map<number, Asked>();
  #opaque = 0;
  #received: Buffer[] = [];
  #receivedBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed before the answer")));
  }

  /** To host:port, [host]:port for an IPv6 address. */
  static async open(address: string): Promise<PlainConnection> {
    const at = address.lastIndexOf(":");
    const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
    const socket = connect({ host, port: Number(address.slice(at + 1)), noDelay: true });
    await once(socket, "connect");
    return new PlainConnection(socket);
  }

  /** The answer, whatever its code. */
  ask(code: number, fields: Fields = {}): Promise<PlainAnswer> {
    this.#opaque += 1;
    const opaque = this.#opaque;
    const extFields = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, `${value}`]));
    const header = Buffer.from(
      JSON.stringify({ code, language: "JAVA", version: 505, opaque, flag: 0, extFields }),
    );
    const head = Buffer.alloc(8);
    head.writeUInt32BE(4 + header.length, 0);
    head.writeUInt32BE(header.length, 4);
    return new Promise((resolve, reject) => {
      this.#asked.set(opaque, { resolve, reject });
      this.#socket.write(Buffer.concat([head, header]));
    });
  }

  /** The answer to a request that must succeed. */
  async demand(code: number, fields: Fields = {}): Promise<PlainAnswer> {
    const answer = await this.ask(code, fields);
    if (answer.code === 0) return answer;
    throw new Error(`request ${code} ${JSON.stringify(fields)} was answered ${answer.code} ${answer.remark}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < 4) return;
    let bytes = Buffer.concat(this.#received);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
      const length = 4 + bytes.readUInt32BE(0);
      this.#answer(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    this.#received = [bytes];
    this.#receivedBytes = bytes.length;
  }

  #answer(frame: Buffer): void {
    const bodyAt = 8 + frame.readUIntBE(5, 3);
    const header = JSON.parse(frame.toString("utf8", 8, bodyAt)) as AnswerHeader;
    const asked = this.#asked.get(header.opaque);
    if ((header.flag & 1) === 0 || asked === undefined) return;
    this.#asked.delete(header.opaque);
    const { code, remark, extFields } = header;
    asked.resolve({ code, remark: remark ?? "", fields: extFields ?? {}, body: frame.subarray(bodyAt) });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
