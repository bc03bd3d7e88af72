/**
 * Bytes under way from one end of a connection to the other: in order, delayed, held back while the link is
 * cut (TCP sends them again when it heals), cut short when the connection breaks.
 */
import { HostError } from "../../host-error.ts";
import type { SimConnection } from "./sim-connection.ts";

/** A chunk, or the sender's orderly end. */
type Packet = Buffer | "end";

/** TCP tries again this long after a link healed, at most. */
const RETRANSMIT_US_MAX = 300_000;

export class LinkDirection {
  readonly sender: SimConnection;
  readonly #receiver: SimConnection;
  #inFlightBytes = 0;
  #lastArrivalUs: number;
  #held: Packet[] = [];
  /** Sent and not yet arrived, in order. */
  readonly #underWay: Packet[] = [];
  #broken = false;
  /** Something was sent to a machine that did not answer. */
  #unanswered = false;
  #ended = false;

  /** Nothing arrives before `firstArrivalUs`. */
  constructor(sender: SimConnection, receiver: SimConnection, firstArrivalUs: number) {
    this.sender = sender;
    this.#receiver = receiver;
    this.#lastArrivalUs = firstArrivalUs;
  }

  /** How many more bytes the kernels take. */
  get roomBytes(): number {
    return Math.max(0, this.sender.host.world.options.network.windowBytes - this.#inFlightBytes);
  }

  /** Whether what is sent now will arrive if nothing else happens. */
  get reaches(): boolean {
    const { host, closed } = this.#receiver;
    return host.alive && host.machine.up && !closed && !this.#cut && !this.#broken;
  }

  get #cut(): boolean {
    return this.#fabric.isCut(this.sender.host.machine, this.#receiver.host.machine);
  }

  get #fabric() {
    return this.sender.host.world.fabric;
  }

  send(chunk: Buffer): void {
    this.#inFlightBytes += chunk.length;
    const world = this.sender.host.world;
    if (world.options.traceContents) world.trace.bytes(chunk);
    world.fabric.tap?.(this.sender, chunk);
    this.#dispatch(chunk);
  }

  /** The sender's orderly end, after everything it sent. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#dispatch("end");
  }

  /** The sender is gone: by an orderly end, or by a reset that overtakes what is under way. */
  close(reset: boolean): void {
    if (!reset) {
      this.finish();
      return;
    }
    // A reset is sent once; on a cut link it is lost, and the other end learns when it sends.
    if (!this.#cut)
      this.breakOff(this.#fabric.delayUs(this.sender.host.machine, this.#receiver.host.machine));
  }

  /** The receiver gets a random part of what is under way, perhaps half a frame, then a reset. */
  breakOff(delayUs: number): void {
    const { random, loop } = this.sender.host.world;
    this.#held = [];
    const receiver = this.#receiver;
    loop.scheduleInternal(delayUs, receiver.host, "net-closed", 0, () => {
      if (this.#broken) return;
      this.#broken = true;
      const all = this.#inFlightBytes;
      let bytes = random.pick([0, all, random.int(all + 1)]);
      for (const packet of this.#underWay) {
        if (bytes === 0 || packet === "end") break;
        const part = packet.subarray(0, Math.min(packet.length, bytes));
        bytes -= part.length;
        receiver.arrived(part);
      }
      this.#underWay.length = 0;
      receiver.peerGone(new HostError("ECONNRESET", "the connection was reset by the peer"));
    });
  }

  /** The receiver took `bytes` out of its kernel. */
  read(bytes: number): void {
    this.#inFlightBytes -= bytes;
    if (this.sender.host.alive && this.sender.unsentBytes > 0) this.sender.scheduleTake();
  }

  /** The link works again. */
  healed(): void {
    if (this.#held.length === 0 || this.#cut) return;
    const held = this.#held;
    this.#held = [];
    const { random, loop } = this.sender.host.world;
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, loop.nowUs + random.between(1, RETRANSMIT_US_MAX));
    for (const packet of held) this.#dispatch(packet);
  }

  /** The receiver's machine started again and knows nothing of this connection. */
  receiverRebooted(): void {
    if (!this.#unanswered) return;
    this.#resetSender(this.sender.host.world.random.between(1, RETRANSMIT_US_MAX));
  }

  #dispatch(packet: Packet): void {
    const receiver = this.#receiver;
    if (!receiver.host.machine.up) {
      this.#unanswered = true;
      return;
    }
    if (this.#cut || this.#held.length > 0) {
      this.#held.push(packet);
      return;
    }
    const delayUs = this.#fabric.delayUs(this.sender.host.machine, receiver.host.machine);
    if (!receiver.host.alive || receiver.closed) {
      if (packet !== "end") this.#resetSender(2 * delayUs);
      return;
    }
    const { loop } = this.sender.host.world;
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, loop.nowUs + delayUs);
    const detail = packet === "end" ? 0 : packet.length;
    this.#underWay.push(packet);
    loop.scheduleInternal(
      this.#lastArrivalUs - loop.nowUs,
      receiver.host,
      "net-arrive",
      detail,
      this.#arrive,
    );
  }

  readonly #arrive = (): void => {
    const packet = this.#underWay.shift();
    if (packet === undefined || this.#broken) return;
    const receiver = this.#receiver;
    if (packet === "end") receiver.peerGone(undefined);
    else if (receiver.closed) {
      this.#resetSender(this.#fabric.delayUs(receiver.host.machine, this.sender.host.machine));
    } else receiver.arrived(packet);
  };

  #resetSender(delayUs: number): void {
    const sender = this.sender;
    sender.host.world.loop.scheduleInternal(delayUs, sender.host, "net-closed", 0, () =>
      sender.peerGone(new HostError("ECONNRESET", "the connection was reset by the peer")),
    );
  }
}
