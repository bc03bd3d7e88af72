/** Bytes recorded from Java clients and servers (testdata/, origins in its index.json), for tests. */
import { readFileSync } from "node:fs";

const folder = new URL("../../testdata/", import.meta.url);

export interface GoldenFrame {
  readonly file: string;
  readonly kind: "request" | "response" | "oneway";
  /** The request's code, for responses too. */
  readonly command: number;
  /** The response's code; of requests absent. */
  readonly code?: number;
  readonly encoding: "JSON" | "ROCKETMQ";
  readonly version: number;
  readonly bytes: Buffer;
}

export function goldenBytes(file: string): Buffer {
  return readFileSync(new URL(file.replaceAll("%", "%25"), folder));
}

interface Index {
  readonly frames: readonly Omit<GoldenFrame, "bytes">[];
  readonly store: readonly { readonly file: string }[];
}

const index = JSON.parse(goldenBytes("index.json").toString("utf8")) as Index;

export const goldenFrames: readonly GoldenFrame[] = index.frames.map((frame) => ({
  ...frame,
  bytes: goldenBytes(frame.file),
}));

/** Single records cut from a Java broker's CommitLog. */
export const goldenRecords: readonly { readonly file: string; readonly bytes: Buffer }[] = index.store
  .filter(({ file }) => file.startsWith("store/records/"))
  .map(({ file }) => ({ file, bytes: goldenBytes(file) }));
