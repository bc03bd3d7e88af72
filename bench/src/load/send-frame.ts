/**
 * One SEND_MESSAGE_V2 frame with ROCKETMQ headers, and where the loader patches it: the opaque (4 bytes) and
 * the queue id (one digit).
 */
export interface SendFrame {
  readonly frame: Buffer;
  readonly opaqueAt: number;
  readonly queueAt: number;
}

const SEND_MESSAGE_V2 = 310;
const LANGUAGE_OTHER = 7;
const V5_3_3 = 479;

/** Grammar: rocketmq binary header, see wire's frame; keys a…m are SendMessageRequestHeaderV2. */
export function sendFrame(topic: string, bodyBytes: number): SendFrame {
  const fields: [string, string][] = [
    ["a", "bench_producer"],
    ["b", topic],
    ["c", "TBW102"],
    ["d", "4"],
    ["e", "0"],
    ["f", "0"],
    ["g", "1700000000000"],
    ["h", "0"],
    ["i", "UNIQ_KEY\u00017F000001000000000000000000000000\u0002WAIT\u0001true\u0002"],
    ["j", "0"],
    ["k", "false"],
    ["m", "false"],
  ];
  const ext: Buffer[] = [];
  let queueInExt = 0;
  let extLength = 0;
  for (const [key, value] of fields) {
    const head = Buffer.alloc(2 + key.length + 4);
    head.writeInt16BE(key.length, 0);
    head.write(key, 2);
    head.writeInt32BE(Buffer.byteLength(value), 2 + key.length);
    if (key === "e") queueInExt = extLength + head.length;
    ext.push(head, Buffer.from(value));
    extLength += head.length + Buffer.byteLength(value);
  }
  const fixed = Buffer.alloc(21);
  fixed.writeInt16BE(SEND_MESSAGE_V2, 0);
  fixed.writeInt8(LANGUAGE_OTHER, 2);
  fixed.writeInt16BE(V5_3_3, 3);
  fixed.writeInt32BE(extLength, 17);
  const headerLength = fixed.length + extLength;
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + headerLength + bodyBytes, 0);
  prefix.writeUInt32BE((1 << 24) | headerLength, 4);
  return {
    frame: Buffer.concat([prefix, fixed, ...ext, Buffer.alloc(bodyBytes, 120)]),
    opaqueAt: 8 + 5,
    queueAt: 8 + fixed.length + queueInExt,
  };
}
