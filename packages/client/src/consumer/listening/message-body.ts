/** A record's body as the producer gave it: checked against its checksum, decompressed. */
import {
  decompressBody,
  isBodyWhole,
  loadBodyCodec,
  type MessageRecord,
  MessageSysFlag,
  WireError,
} from "@orbitmq/wire";
import type { BodySource } from "../../message/received-message.ts";

/**
 * Where the body is; a promise only when the codec has to be loaded first.
 * Throws, or rejects with, WireError RECORD_CRC_MISMATCH, CODEC_UNAVAILABLE or CODEC_FAILED.
 */
export function readBody(record: MessageRecord): BodySource | Promise<BodySource> {
  if (!isBodyWhole(record)) {
    throw new WireError("RECORD_CRC_MISMATCH", "the body does not match its checksum");
  }
  const { sysFlag } = record;
  if ((sysFlag & MessageSysFlag.COMPRESSED) === 0) return record;
  const decompress = () => ({ body: decompressBody(record.body, sysFlag) });
  const loading = loadBodyCodec(sysFlag);
  return loading === undefined ? decompress() : loading.then(decompress);
}
