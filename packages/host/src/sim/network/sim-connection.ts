/**
 * One end of a simulated TCP connection. What is written lies in the process until the kernel *takes* it, at
 * a random later moment and perhaps only in part; only then `written` is called, so a buffer that is reused
 * too early is seen by the receiver. Taken bytes travel in order, are split and merged at will, wait while
 * the link is cut, and are lost when the connection breaks, in the middle of a frame or not.
 *
 * States: open → (end) ending → closed; open → closed by destroy, by the peer's end, or by a break.
 * After the process ended, its bytes in the kernel still arrive; what was not taken never does.
 */
import { assert } from "../../assert.ts";
import type { HostError } from "../../host-error.ts";
import type { Connection, ConnectionHandlers, SocketAddress } from "../../network.ts";
import type { SimHost } from "../sim-host.ts";
import type { LinkDirection } from "./link-direction.ts";

interface PendingWrite {
  readonly slices: readonly Uint8Array[];
  readonly written: (() => void) | undefined;
  slice: number;
  offset: number;
}

/** Until the owner of a closed connection is told. */
const CLOSE_US_MAX = 1_000;

export class SimConnection implements Connection {
  readonly host: SimHost;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** Bytes that leave here, and bytes that come; set when both ends exist. */
  out!: LinkDirection;
  incoming!: LinkDirection;
  #handlers: ConnectionHandlers | undefined;
  #state: "open" | "ending" | "closed" = "open";
  #pending: PendingWrite[] = [];
  #unsentBytes = 0;
  #takeScheduled = false;
  #paused = false;
  #received: Uint8Array[] = [];
  /** The peer's orderly end or the break, to be told once everything before it was read. */
  #ending: { readonly error: HostError | undefined } | undefined;
  #deliverScheduled = false;

  constructor(host: SimHost, local: SocketAddress, remote: SocketAddress) {
    this.host = host;
    this.local = local;
    this.remote = remote;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  get handled(): boolean {
    return this.#handlers !== undefined;
  }

  handle(handlers: ConnectionHandlers): void {
    assert(this.#handlers === undefined, "a connection is handled once");
    this.#handlers = handlers;
  }

  write(slices: readonly Uint8Array[], written?: () => void): void {
    this.host.assertAlive();
    if (this.#state !== "open") {
      if (written !== undefined) this.host.callLater(written);
      return;
    }
    let bytes = 0;
    for (const slice of slices) bytes += slice.length;
    this.#unsentBytes += bytes;
    this.#pending.push({ slices, written, slice: 0, offset: 0 });
    this.scheduleTake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#received.length > 0 || this.#ending !== undefined) this.#scheduleDelivery(1);
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.scheduleTake();
  }

  destroy(): void {
    if (this.#state === "closed") return;
    this.#close(undefined);
    this.out.close(this.host.world.random.chance(0.5));
  }

  /** The kernel reads what is queued, soon, if the window has room. */
  scheduleTake(): void {
    if (this.#takeScheduled || this.#state === "closed") return;
    this.#takeScheduled = true;
    const { loop, options, random } = this.host.world;
    const range = options.network.takeDelayUs;
    const delayUs = random.between(range.min, range.max);
    loop.scheduleInternal(delayUs, this.host, "net-take", this.#unsentBytes, this.#take);
  }

  /** Bytes arrived at this end's kernel. */
  arrived(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#received.push(chunk);
    if (!this.#paused && !this.#deliverScheduled) this.#deliver();
  }

  /** Nothing more will arrive: an orderly end (no error) or a break. */
  peerGone(error: HostError | undefined): void {
    if (this.#state === "closed" || this.#ending !== undefined) return;
    this.#ending = { error };
    // A break does not wait for a reader that paused.
    if (error !== undefined) {
      if (this.#paused) this.#received.length = 0;
      this.#paused = false;
    }
    if (!this.#paused && !this.#deliverScheduled) this.#deliver();
  }

  readonly #take = (): void => {
    this.#takeScheduled = false;
    if (this.#state === "closed") return;
    const { random, options } = this.host.world;
    const room = this.out.roomBytes;
    let bytes = Math.min(this.#unsentBytes, room);
    if (bytes > 1 && random.chance(options.network.partialTakeChance)) bytes = 1 + random.int(bytes);
    if (bytes > 0 || this.#pending.length > 0) {
      const chunk = this.host.world.fabric.chunk(bytes);
      const finished = this.#copyPending(chunk);
      this.#unsentBytes -= bytes;
      if (bytes > 0) this.out.send(chunk);
      if (finished !== undefined) this.#tellWritten(finished);
    }
    if (this.#closedNow()) return;
    if (this.#pending.length > 0) {
      // A full window is continued by the reader.
      if (this.out.roomBytes > 0) this.scheduleTake();
    } else if (this.#state === "ending") {
      this.out.finish();
      this.#close(undefined);
    }
  };

  /** `#state` again, after callbacks that may have changed it. */
  #closedNow(): boolean {
    return this.#state === "closed";
  }

  #copyPending(chunk: Uint8Array): (() => void)[] | undefined {
    let finished: (() => void)[] | undefined;
    let filled = 0;
    while (this.#pending.length > 0) {
      const write = this.#pending[0] as PendingWrite;
      while (write.slice < write.slices.length) {
        const slice = write.slices[write.slice] as Uint8Array;
        const part = Math.min(slice.length - write.offset, chunk.length - filled);
        if (part > 0) chunk.set(slice.subarray(write.offset, write.offset + part), filled);
        filled += part;
        write.offset += part;
        if (write.offset < slice.length) return finished;
        write.slice++;
        write.offset = 0;
      }
      this.#pending.shift();
      if (write.written !== undefined) {
        if (finished === undefined) finished = [];
        finished.push(write.written);
      }
    }
    return finished;
  }

  #tellWritten(finished: readonly (() => void)[]): void {
    const { random, options, loop } = this.host.world;
    if (random.chance(options.network.lateWrittenChance)) {
      const tell = () => this.#written(finished);
      loop.scheduleInternal(random.between(1, 2_000), this.host, "net-take", 0, tell);
    } else this.#written(finished);
  }

  #written(finished: readonly (() => void)[]): void {
    this.host.world.loop.productRan();
    for (const written of finished) written();
    if (this.#unsentBytes === 0 && this.#state === "open") this.#handlers?.onDrained?.();
  }

  #scheduleDelivery(delayUs: number): void {
    if (this.#deliverScheduled) return;
    this.#deliverScheduled = true;
    this.host.world.loop.scheduleInternal(delayUs, this.host, "net-arrive", 0, () => {
      this.#deliverScheduled = false;
      if (!this.#paused) this.#deliver();
    });
  }

  #deliver(): void {
    const { random, options, loop } = this.host.world;
    if (this.#state === "closed") return;
    let chunk = this.#received.length === 1 ? (this.#received.pop() as Uint8Array) : this.#mergeReceived();
    if (chunk !== undefined) {
      if (chunk.length > 1 && random.chance(options.network.splitChance)) {
        const cut = 1 + random.int(chunk.length - 1);
        this.#received.push(chunk.subarray(cut));
        chunk = chunk.subarray(0, cut);
        this.#scheduleDelivery(random.between(1, 500));
      }
      const bytes = chunk.length;
      loop.productRan();
      this.#handlers?.onData(chunk);
      // The view was valid until onData returned; whoever kept it reads rubbish.
      chunk.fill(0xdb);
      this.incoming.read(bytes);
    }
    if (this.#ending !== undefined && this.#received.length === 0 && !this.#closedNow()) {
      if (this.#ending.error === undefined) this.out.finish();
      this.#close(this.#ending.error);
    }
  }

  #mergeReceived(): Uint8Array | undefined {
    if (this.#received.length === 0) return undefined;
    let bytes = 0;
    for (const part of this.#received) bytes += part.length;
    const merged = new Uint8Array(bytes);
    let at = 0;
    for (const part of this.#received) {
      merged.set(part, at);
      at += part.length;
    }
    this.#received = [];
    return merged;
  }

  /** Tells the handlers and the writers, in an event of its own. */
  #close(error: HostError | undefined): void {
    assert(this.#state !== "closed", "a connection closes once");
    this.#state = "closed";
    const pending = this.#pending;
    this.#pending = [];
    this.#received = [];
    this.host.world.fabric.forget(this);
    const delayUs = this.host.world.random.between(1, CLOSE_US_MAX);
    this.host.world.loop.schedule(delayUs, this.host, "net-closed", 0, () => {
      this.#unsentBytes = 0;
      for (const write of pending) write.written?.();
      this.#handlers?.onClosed(error);
    });
  }
}
