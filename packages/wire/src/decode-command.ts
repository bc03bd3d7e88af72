/**
 * Turns one frame into a {@link RemotingCommand} without copying (RocketMQ: RemotingCommand.decode,
 * RocketMQSerializable). The two header encodings:
 *
 *   JSON       {"code","extFields"?,"flag","language","opaque","remark"?,"serializeTypeCurrentRPC"?,"version"}
 *   ROCKETMQ   code:i16 language:u8 version:i16 opaque:i32 flag:i32 remarkLength:i32 remark
 *              extLength:i32 ext (see binary-ext)
 */
import { BinaryExt, checkBinaryExt } from "./binary-ext.ts";
import { asBuffer, FRAME_PREFIX_BYTES } from "./frame.ts";
import { JsonExt } from "./json-ext.ts";
import { LANGUAGE_UNKNOWN, languageCode } from "./language-code.ts";
import {
  type ExtFields,
  type RemotingCommand,
  SERIALIZE_JSON,
  SERIALIZE_ROCKETMQ,
  type SerializeType,
} from "./remoting-command.ts";
import { WireError } from "./wire-error.ts";

/** Bytes of a ROCKETMQ header without remark and ext. */
const BINARY_HEADER_BYTES_MIN = 21;
const EMPTY = Buffer.alloc(0);

class DecodedCommand implements RemotingCommand {
  readonly serializeType: SerializeType;
  readonly code: number;
  readonly language: number;
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | undefined;
  readonly ext: ExtFields;
  readonly body: Buffer;

  constructor(
    serializeType: SerializeType,
    code: number,
    language: number,
    version: number,
    opaque: number,
    flag: number,
    remark: string | undefined,
    ext: ExtFields,
    body: Buffer,
  ) {
    this.serializeType = serializeType;
    this.code = code;
    this.language = language;
    this.version = version;
    this.opaque = opaque;
    this.flag = flag;
    this.remark = remark;
    this.ext = ext;
    this.body = body;
  }
}

/**
 * Decodes the frame `bytes[start, end)`, its length bytes included. Body and ext point into `bytes`.
 * Throws WireError FRAME_MALFORMED.
 */
export function decodeCommand(bytes: Uint8Array, start = 0, end: number = bytes.length): RemotingCommand {
  const buffer = asBuffer(bytes);
  if (end - start < FRAME_PREFIX_BYTES) throw malformed("it is shorter than 8 bytes");
  const total = buffer.readInt32BE(start);
  const prefix = buffer.readInt32BE(start + 4);
  const headerAt = start + FRAME_PREFIX_BYTES;
  const headerEnd = headerAt + (prefix & 0xffffff);
  if (total !== end - start - 4 || headerEnd > end) throw malformed("its lengths contradict each other");
  const body = headerEnd === end ? EMPTY : buffer.subarray(headerEnd, end);
  switch (prefix >>> 24) {
    case SERIALIZE_ROCKETMQ:
      return decodeBinaryHeader(buffer, headerAt, headerEnd, body);
    case SERIALIZE_JSON:
      return decodeJsonHeader(buffer, headerAt, headerEnd, body);
    default:
      throw malformed(`its serialize type is ${prefix >>> 24}`);
  }
}

function decodeBinaryHeader(buffer: Buffer, start: number, end: number, body: Buffer): DecodedCommand {
  if (end - start < BINARY_HEADER_BYTES_MIN) throw malformed("its header is cut off");
  const remarkLength = buffer.readInt32BE(start + 13);
  const extLengthAt = start + 17 + remarkLength;
  if (remarkLength < 0 || extLengthAt + 4 > end) throw malformed(`its remark has length ${remarkLength}`);
  const extLength = buffer.readInt32BE(extLengthAt);
  const extAt = extLengthAt + 4;
  if (extLength < 0 || extLength > end - extAt || !checkBinaryExt(buffer, extAt, extAt + extLength)) {
    throw malformed("its ext fields are cut off");
  }
  return new DecodedCommand(
    SERIALIZE_ROCKETMQ,
    buffer.readInt16BE(start),
    buffer[start + 2]!,
    buffer.readInt16BE(start + 3),
    buffer.readInt32BE(start + 5),
    buffer.readInt32BE(start + 9),
    remarkLength === 0 ? undefined : buffer.toString("utf8", start + 17, extLengthAt),
    new BinaryExt(buffer, extAt, extAt + extLength),
    body,
  );
}

function decodeJsonHeader(buffer: Buffer, start: number, end: number, body: Buffer): DecodedCommand {
  const header = parseHeader(buffer.toString("utf8", start, end));
  const { remark, extFields } = header;
  return new DecodedCommand(
    SERIALIZE_JSON,
    int32(header["code"], "code"),
    language(header["language"]),
    int32(header["version"] ?? 0, "version"),
    int32(header["opaque"] ?? 0, "opaque"),
    int32(header["flag"] ?? 0, "flag"),
    typeof remark === "string" ? remark : undefined,
    new JsonExt(isObject(extFields) ? extFields : {}),
    body,
  );
}

function parseHeader(text: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new WireError("FRAME_MALFORMED", "a frame cannot be decoded: its header is no JSON", { cause });
  }
  if (!isObject(header)) throw malformed("its header is no JSON object");
  return header;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function int32(value: unknown, what: string): number {
  if (typeof value === "number" && (value | 0) === value) return value;
  throw malformed(`its ${what} is no 32-bit integer`);
}

/** A name from RocketMQ's own clients; some others send the number. */
function language(value: unknown): number {
  if (typeof value === "string") return languageCode(value);
  return typeof value === "number" && value >= 0 && value < 128 && Number.isInteger(value)
    ? value
    : LANGUAGE_UNKNOWN;
}

function malformed(what: string): WireError {
  return new WireError("FRAME_MALFORMED", `a frame cannot be decoded: ${what}`);
}
