/** A TCP connection that sends recorded frames as they are and reads one answer each. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { decodeCommand } from "@orbitmq/wire";

/** A frame recorded from a Java client, or from the Java broker's answer. */
export function golden(path: string): Buffer {
  return readFileSync(new URL(`../../../wire/testdata/frames/${path}.bin`, import.meta.url));
}

export interface Frame {
  readonly code: number;
  readonly opaque: number;
  readonly remark: string | undefined;
  readonly ext: Record<string, string>;
  readonly body: Buffer;
}

export function frameOf(bytes: Buffer): Frame {
  const command = decodeCommand(bytes);
  const ext: Record<string, string> = {};
  command.ext.forEach((name, value) => {
    ext[name] = value;
  });
  const { code, opaque, remark } = command;
  return { code, opaque, remark, ext, body: Buffer.from(command.body) };
}

export class RawConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  readonly #frames: Frame[] = [];
  #waiting: ((frame: Frame) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      for (;;) {
        if (this.#received.length < 4) break;
        const end = 4 + this.#received.readInt32BE(0);
        if (this.#received.length < end) break;
        this.#frames.push(frameOf(this.#received.subarray(0, end)));
        this.#received = this.#received.subarray(end);
      }
      this.#deliver();
    });
  }

  /** The answer to `request`; what the server sends of its own accord meanwhile is dropped. */
  async ask(request: Buffer): Promise<Frame> {
    const { opaque } = frameOf(request);
    this.#socket.write(request);
    for (;;) {
      const frame = await new Promise<Frame>((resolve) => {
        this.#waiting = resolve;
        this.#deliver();
      });
      if (frame.opaque === opaque) return frame;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const frame = this.#frames.shift();
    if (frame === undefined) return;
    const deliver = this.#waiting;
    this.#waiting = undefined;
    deliver(frame);
  }
}
