/** A request frame with ROCKETMQ headers and an empty remark; grammar: see wire's frame and decode-command. */
export interface BinaryFrame {
  readonly frame: Buffer;
  /** Where each field's value begins. */
  readonly valueAt: ReadonlyMap<string, number>;
}

const LANGUAGE_OTHER = 7;
const V5_3_3 = 479;
const FIXED_BYTES = 21;
/** Where the opaque lies in every such frame. */
export const OPAQUE_AT = 8 + 5;

export function binaryFrame(
  code: number,
  fields: readonly (readonly [name: string, value: string])[],
  body: Uint8Array = Buffer.alloc(0),
): BinaryFrame {
  const ext: Buffer[] = [];
  const valueAt = new Map<string, number>();
  let extLength = 0;
  for (const [name, value] of fields) {
    const head = Buffer.alloc(2 + name.length + 4);
    head.writeInt16BE(name.length, 0);
    head.write(name, 2);
    head.writeInt32BE(Buffer.byteLength(value), 2 + name.length);
    valueAt.set(name, 8 + FIXED_BYTES + extLength + head.length);
    ext.push(head, Buffer.from(value));
    extLength += head.length + Buffer.byteLength(value);
  }
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.writeInt16BE(code, 0);
  fixed.writeInt8(LANGUAGE_OTHER, 2);
  fixed.writeInt16BE(V5_3_3, 3);
  fixed.writeInt32BE(extLength, 17);
  const headerLength = FIXED_BYTES + extLength;
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + headerLength + body.length, 0);
  prefix.writeUInt32BE((1 << 24) | headerLength, 4);
  return { frame: Buffer.concat([prefix, fixed, ...ext, body]), valueAt };
}
