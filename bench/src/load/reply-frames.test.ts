import assert from "node:assert/strict";
import { test } from "node:test";
import { binaryFrame } from "./binary-frame.ts";
import { ReplyFrames } from "./reply-frames.ts";

function jsonFrame(code: number, opaque: number, body: string): Buffer {
  const header = Buffer.from(JSON.stringify({ code, opaque, flag: 1 }));
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + header.length + body.length, 0);
  head.writeInt32BE(header.length, 4);
  return Buffer.concat([head, header, Buffer.from(body)]);
}

test("answers with either header are found wherever the bytes are cut", () => {
  const { frame } = binaryFrame(19, [["a", "b"]], Buffer.from("body"));
  frame.writeInt32BE(7, 13);
  const bytes = Buffer.concat([frame, jsonFrame(0, 8, "text"), frame]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const seen: string[] = [];
    const frames = new ReplyFrames((code, opaque, data, bodyAt, end) => {
      seen.push(`${code} ${opaque} ${data.toString("latin1", bodyAt, end)}`);
    });
    frames.take(bytes.subarray(0, cut));
    frames.take(bytes.subarray(cut));
    assert.deepEqual(seen, ["19 7 body", "0 8 text", "19 7 body"], `cut at ${cut}`);
  }
});
