/**
 * The few header fields by which the recorder names a frame. Written by hand and apart from the product's codec, which is
 * to be tested with what the recorder writes.
 */
export interface FrameHead {
  readonly encoding: "JSON" | "ROCKETMQ";
  readonly code: number;
  readonly version: number;
  readonly opaque: number;
  readonly isResponse: boolean;
  readonly isOneway: boolean;
  readonly ext: Readonly<Record<string, string>>;
}

export function frameHead(frame: Buffer): FrameHead {
  const header = frame.subarray(8, 8 + frame.readUIntBE(5, 3));
  return frame.readUInt8(4) === 1 ? binaryHead(header) : jsonHead(header);
}

interface JsonHeader {
  code: number;
  version: number;
  opaque: number;
  flag: number;
  extFields?: Record<string, string>;
}

function jsonHead(header: Buffer): FrameHead {
  const { code, version, opaque, flag, extFields } = JSON.parse(header.toString("utf8")) as JsonHeader;
  return { encoding: "JSON", code, version, opaque, ...flags(flag), ext: extFields ?? {} };
}

/** int16 code, int8 language, int16 version, int32 opaque, int32 flag, int32-prefixed remark, int32-prefixed ext. */
function binaryHead(header: Buffer): FrameHead {
  const ext: Record<string, string> = {};
  let at = 13;
  at += 4 + header.readInt32BE(at);
  const end = at + 4 + header.readInt32BE(at);
  at += 4;
  const text = (length: number): string => {
    at += length;
    return header.toString("utf8", at - length, at);
  };
  while (at < end) {
    at += 2;
    const key = text(header.readInt16BE(at - 2));
    at += 4;
    ext[key] = text(header.readInt32BE(at - 4));
  }
  return {
    encoding: "ROCKETMQ",
    code: header.readInt16BE(0),
    version: header.readInt16BE(3),
    opaque: header.readInt32BE(5),
    ...flags(header.readInt32BE(9)),
    ext,
  };
}

function flags(flag: number): { isResponse: boolean; isOneway: boolean } {
  return { isResponse: (flag & 1) !== 0, isOneway: (flag & 2) !== 0 };
}
