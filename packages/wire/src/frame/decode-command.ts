/**
 * Turns one frame into a {@link RemotingCommand} without copying (RocketMQ: RemotingCommand.decode,
 * RocketMQSerializable). The two header encodings:
 *
 *   JSON       {"code","extFields"?,"flag","language","opaque","remark"?,"serializeTypeCurrentRPC"?,"version"}
 *   ROCKETMQ   code:i16 language:u8 version:i16 opaque:i32 flag:i32 remarkLength:i32 remark
 *              extLength:i32 ext (see binary-ext)
 */
import { readInt16, readInt32 } from "../bytes/big-endian.ts";
import { parseInt32Bytes } from "../bytes/integer-text.ts";
import { enterObject, isObjectEnd, member, nextMember, skipSpace, unescapeJson } from "../json/json-scan.ts";
import { LANGUAGE_UNKNOWN, languageCode } from "../tables/language-code.ts";
import { WireError } from "../wire-error.ts";
import { BinaryExt, checkBinaryExt } from "./binary-ext.ts";
import { asBuffer, FRAME_PREFIX_BYTES } from "./frame.ts";
import { JsonExt } from "./json-ext.ts";
import { decodeName } from "./name-table.ts";
import {
  type ExtFields,
  type RemotingCommand,
  SERIALIZE_JSON,
  SERIALIZE_ROCKETMQ,
  type SerializeType,
} from "./remoting-command.ts";

/** Bytes of a ROCKETMQ header without remark and ext. */
const BINARY_HEADER_BYTES_MIN = 21;
const EMPTY = Buffer.alloc(0);
const NO_EXT = new JsonExt(Buffer.from("}"), 0, 1);

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
  return decodeFrame(asBuffer(bytes), start, end);
}

/** The same for who has a Buffer already. */
export function decodeFrame(buffer: Buffer, start: number, end: number): RemotingCommand {
  if (end - start < FRAME_PREFIX_BYTES) throw malformed("it is shorter than 8 bytes");
  const total = readInt32(buffer, start);
  const prefix = readInt32(buffer, start + 4);
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
  const remarkLength = readInt32(buffer, start + 13);
  const extLengthAt = start + 17 + remarkLength;
  if (remarkLength < 0 || extLengthAt + 4 > end) throw malformed(`its remark has length ${remarkLength}`);
  const extLength = readInt32(buffer, extLengthAt);
  const extAt = extLengthAt + 4;
  if (extLength < 0 || extLength > end - extAt || !checkBinaryExt(buffer, extAt, extAt + extLength)) {
    throw malformed("its ext fields are cut off");
  }
  return new DecodedCommand(
    SERIALIZE_ROCKETMQ,
    readInt16(buffer, start),
    buffer[start + 2]!,
    readInt16(buffer, start + 3),
    readInt32(buffer, start + 5),
    readInt32(buffer, start + 9),
    remarkLength === 0 ? undefined : buffer.toString("utf8", start + 17, extLengthAt),
    new BinaryExt(buffer, extAt, extAt + extLength),
    body,
  );
}

/** Fields of the JSON header being decoded. */
const head = { code: 0, language: 0, version: 0, opaque: 0, flag: 0, extStart: 0, extEnd: 0 };

function decodeJsonHeader(buffer: Buffer, start: number, end: number, body: Buffer): DecodedCommand {
  head.code = Number.NaN;
  head.language = LANGUAGE_UNKNOWN;
  head.version = head.opaque = head.flag = head.extStart = head.extEnd = 0;
  let remark: string | undefined;
  let at = enterObject(buffer, skipSpace(buffer, start, end), end);
  while (at >= 0 && !isObjectEnd(buffer, at)) {
    at = nextMember(buffer, at, end);
    if (at >= 0) remark = takeMember(buffer) ?? remark;
  }
  if (at < 0 || skipSpace(buffer, at + 1, end) !== end) throw malformed("its header is no JSON object");
  if (Number.isNaN(head.code)) throw malformed("its header has no code");
  return new DecodedCommand(
    SERIALIZE_JSON,
    head.code,
    head.language,
    head.version,
    head.opaque,
    head.flag,
    remark,
    head.extStart === 0 ? NO_EXT : new JsonExt(buffer, head.extStart, head.extEnd),
    body,
  );
}

/** Keeps a member of the header; returns the remark when it is that. Members nobody knows are skipped. */
function takeMember(buffer: Buffer): string | undefined {
  switch (decodeName(buffer, member.nameStart, member.nameEnd)) {
    case "code":
      head.code = int32(buffer, "code");
      break;
    case "language":
      head.language = language(buffer);
      break;
    case "version":
      head.version = int32(buffer, "version");
      break;
    case "opaque":
      head.opaque = int32(buffer, "opaque");
      break;
    case "flag":
      head.flag = int32(buffer, "flag");
      break;
    case "extFields":
      if (enterObject(buffer, member.valueStart, member.valueEnd) > 0) {
        head.extStart = member.valueStart + 1;
        head.extEnd = member.valueEnd;
      }
      break;
    case "remark":
      if (member.kind === "string") return memberText(buffer);
      break;
    default:
  }
  return undefined;
}

function memberText(buffer: Buffer): string {
  const { valueStart, valueEnd } = member;
  if (!member.valueEscaped) return buffer.toString("utf8", valueStart, valueEnd);
  const text = unescapeJson(buffer, valueStart, valueEnd);
  if (text === undefined) throw malformed("its header has a string with bad escapes");
  return text;
}

function int32(buffer: Buffer, what: string): number {
  const { valueStart, valueEnd } = member;
  const value = member.kind === "scalar" ? parseInt32Bytes(buffer, valueStart, valueEnd) : undefined;
  if (value === undefined) throw malformed(`its ${what} is no 32-bit integer`);
  return value;
}

/** A name from RocketMQ's own clients; some others send the number. */
function language(buffer: Buffer): number {
  const { valueStart, valueEnd } = member;
  if (member.kind === "string") return languageCode(decodeName(buffer, valueStart, valueEnd));
  const value = member.kind === "scalar" ? parseInt32Bytes(buffer, valueStart, valueEnd) : undefined;
  return value !== undefined && value >= 0 && value < 128 ? value : LANGUAGE_UNKNOWN;
}

function malformed(what: string): WireError {
  return new WireError("FRAME_MALFORMED", `a frame cannot be decoded: ${what}`);
}
