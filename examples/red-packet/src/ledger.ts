/**
 * The red packets handed out, one JSON object per line in a file, at most one per order. A packet counts once it
 * is synced to the disk; half a line that a crash left behind is cut off at the next start.
 */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import type { RedPacket } from "./order.ts";

export class Ledger {
  readonly #fd: number;
  readonly #orders = new Set<string>();

  constructor(path: string) {
    this.#fd = openSync(path, "a+");
    const text = readFileSync(path, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) ftruncateSync(this.#fd, Buffer.byteLength(whole));
    for (const line of whole.split("\n"))
      if (line !== "") this.#orders.add((JSON.parse(line) as RedPacket).orderId);
  }

  get size(): number {
    return this.#orders.size;
  }

  /** Records the packet; false when its order already has one. */
  record(packet: RedPacket): boolean {
    if (this.#orders.has(packet.orderId)) return false;
    writeSync(this.#fd, `${JSON.stringify(packet)}\n`);
    fdatasyncSync(this.#fd);
    this.#orders.add(packet.orderId);
    return true;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
