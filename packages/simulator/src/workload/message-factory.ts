/**
 * The messages of a run. Each carries its id and contents that follow from the id, so that whoever sees one
 * can tell whether it was sent and whether it is whole, without a copy of it.
 */
import type { Message } from "@orbitmq/client";
import type { SeededRandom } from "@orbitmq/host/sim";

/** What is compared when a message is seen again. */
export interface SeenMessage {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly tag: string | undefined;
  readonly keys: string | undefined;
  readonly properties: (name: string) => string | undefined;
}

const TAGS = ["red", "tan", "sky"] as const;
const ID_END = "|";
const ID_LENGTH_MAX = 32;
const FILLER = "the quick brown fox jumps over the lazy dog 0123456789 ".repeat(256);

export class MessageFactory {
  readonly #random: SeededRandom;
  readonly #messages = new Map<string, { readonly message: Message; readonly body: Buffer }>();
  readonly #bodyBytesMax: number;
  readonly #uniformBytes: number | undefined;

  /** `uniformBytes`: every message takes equally many bytes, so that remains of old ones line up with new ones. */
  constructor(random: SeededRandom, bodyBytesMax: number, uniformBytes?: number) {
    this.#random = random;
    this.#bodyBytesMax = bodyBytesMax;
    this.#uniformBytes = uniformBytes;
  }

  /** A new message; `id` must be new, too. */
  create(id: string, topic: string): Message {
    const random = this.#random;
    const from = random.int(64);
    const message: Message = {
      topic,
      body: `${id}|${FILLER.slice(from, from + this.#fillerBytes())}`,
      tag: random.pick(TAGS),
      keys: `k-${id}`,
      properties: { id, part: String(random.between(100, 999)) },
    };
    this.#messages.set(id, { message, body: Buffer.from(message.body as string, "latin1") });
    return message;
  }

  #fillerBytes(): number {
    if (this.#uniformBytes !== undefined) return this.#uniformBytes;
    const random = this.#random;
    // Mostly small; some are long enough to be compressed, some fill a good part of a segment.
    if (random.chance(0.01)) return random.between(4_097, this.#bodyBytesMax);
    return random.between(16, random.chance(0.2) ? 2_000 : 300);
  }

  /** The id a body carries; undefined when it carries none. */
  idOf(body: Uint8Array): string | undefined {
    const start = asBuffer(body).toString("latin1", 0, ID_LENGTH_MAX + 1);
    const end = start.indexOf(ID_END);
    return end > 0 ? start.slice(0, end) : undefined;
  }

  /** Whether what was seen is exactly what was created under `id`. */
  isIntact(id: string, seen: SeenMessage): boolean {
    const sent = this.#messages.get(id);
    if (sent === undefined) return false;
    const { message, body } = sent;
    if (seen.topic !== message.topic || !body.equals(seen.body)) return false;
    const properties = message.properties as Record<string, string>;
    return (
      seen.tag === message.tag &&
      seen.keys === message.keys &&
      seen.properties("id") === properties["id"] &&
      seen.properties("part") === properties["part"]
    );
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
