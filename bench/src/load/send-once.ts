/** One send on a connection of its own, as the first client of a server makes it. */
import { connect } from "node:net";
import { ReplyFrames } from "./reply-frames.ts";
import { sendFrame } from "./send-frame.ts";

const BODY_BYTES = 128;
const TIMEOUT_MS = 30_000;

/** Resolves with the response code. */
export function sendOnce(host: string, port: number, topic: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS }, () =>
      socket.write(sendFrame(topic, 0, BODY_BYTES).bytes),
    );
    const replies = new ReplyFrames((code) => {
      socket.destroy();
      resolve(code);
    });
    socket.on("data", (chunk: Buffer) => replies.take(chunk));
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without an answer")));
  });
}
