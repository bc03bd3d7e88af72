/** A record's body as the producer gave it: checked against its checksum, decompressed. */
import { bodyCrc, decompressBody, loadBodyCodec, type MessageRecord, WireError } from "@orbitmq/wire";

/**
 * A promise only when the codec has to be loaded first.
 * Throws, or rejects with, WireError RECORD_CRC_MISMATCH, CODEC_UNAVAILABLE or CODEC_FAILED.
 */
export function readBody({
  body,
  bodyCrc: stored,
  sysFlag,
}: MessageRecord): Uint8Array | Promise<Uint8Array> {
  if (bodyCrc(body) !== stored) {
    throw new WireError("RECORD_CRC_MISMATCH", "the body does not match its checksum");
  }
  const loading = loadBodyCodec(sysFlag);
  return loading === undefined
    ? decompressBody(body, sysFlag)
    : loading.then(() => decompressBody(body, sysFlag));
}
