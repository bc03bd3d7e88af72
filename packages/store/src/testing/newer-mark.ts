/** A mark file as a later version of OrbitMQ might write it. */
import { bodyCrc } from "@orbitmq/wire";
import { MARK_VERSION } from "../recovery/mark-file.ts";

export function encodeForTest(mark: Buffer): Buffer {
  const newer = Buffer.from(mark);
  for (const at of [0, 4096]) {
    newer.writeUInt32BE(MARK_VERSION + 1, at + 4);
    newer.writeUInt32BE(bodyCrc(newer.subarray(at, at + 508)), at + 508);
  }
  return newer;
}
