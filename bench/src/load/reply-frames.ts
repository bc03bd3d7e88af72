/** Cuts what a socket brings into answers, and reads of each no more than its code and opaque. */
const OPAQUE_IN_REPLY = 13;

/** `bodyAt`, `end` and `headerAt` are positions in `data`, valid during the call. */
export type OnReply = (
  code: number,
  opaque: number,
  data: Buffer,
  bodyAt: number,
  end: number,
  headerAt: number,
) => void;

export class ReplyFrames {
  readonly #onReply: OnReply;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onReply: OnReply) {
    this.#onReply = onReply;
  }

  take(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (data.length - at >= 8) {
      const end = at + 4 + data.readInt32BE(at);
      if (end > data.length) break;
      const bodyAt = at + 8 + (data.readUInt32BE(at + 4) & 0xffffff);
      if (data[at + 4] === 1) {
        const [code, opaque] = [data.readInt16BE(at + 8), data.readInt32BE(at + OPAQUE_IN_REPLY)];
        this.#onReply(code, opaque, data, bodyAt, end, at + 8);
      } else {
        const { code, opaque } = JSON.parse(data.toString("utf8", at + 8, bodyAt)) as Record<string, number>;
        this.#onReply(code!, opaque!, data, bodyAt, end, at + 8);
      }
      at = end;
    }
    this.#rest = at === data.length ? Buffer.alloc(0) : Buffer.from(data.subarray(at));
  }
}
