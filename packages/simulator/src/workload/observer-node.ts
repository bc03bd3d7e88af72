/**
 * A process that only looks: follows the end of every queue, so that what becomes visible is seen at once, and
 * reads again at random older places, so that what was visible must stay.
 */
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { WireError } from "@orbitmq/wire";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import { GROUP } from "./consumer-node.ts";
import type { KeyReader } from "./key-reader.ts";
import type { MessageFactory } from "./message-factory.ts";
import { sleep } from "./producer-node.ts";
import { type Place, PullRefused, QueueReader } from "./queue-reader.ts";

export class ObserverNode extends SimNode {
  readonly #places: () => readonly Place[];
  /** Something old is worth being read just now. */
  readonly #looksBack: () => boolean;
  readonly #factory: MessageFactory;
  readonly #keys: KeyReader;
  /** The process a broker is now. */
  readonly #hostOf: (brokerName: string) => SimHost | undefined;
  readonly #cursors = new Map<string, number>();

  constructor(
    context: NodeContext,
    machine: SimMachine,
    name: string,
    factory: MessageFactory,
    places: () => readonly Place[],
    looksBack: () => boolean,
    keys: KeyReader,
    hostOf: (brokerName: string) => SimHost | undefined,
  ) {
    super(context, machine, name);
    this.#factory = factory;
    this.#places = places;
    this.#looksBack = looksBack;
    this.#keys = keys;
    this.#hostOf = hostOf;
  }

  protected async begin(host: SimHost): Promise<void> {
    const reader = new QueueReader(this.context, host, this.name, this.#factory);
    const { random } = this.context;
    for (;;) {
      await sleep(host, random.between(50, this.#looksBack() ? 200 : 2_000));
      const places = this.#places();
      if (places.length === 0) continue;
      if (random.chance(0.3)) this.#keys.askRandom(random);
      // Many at once are more than a connection holds: their answers wait in the broker's memory.
      const pulls = random.chance(0.06) ? random.between(3, 6) : 1;
      await Promise.all(
        Array.from({ length: pulls }, () => this.#look(reader, random.pick(places), pulls > 1 ? 32 : 16)),
      );
    }
  }

  async #look(reader: QueueReader, place: Place, messagesMax: number): Promise<void> {
    const { random } = this.context;
    const key = `${place.topic}@${place.brokerName}:${place.queueId}`;
    const cursor = this.#cursors.get(key) ?? 0;
    const isBack = messagesMax > 16 || this.#looksBack() || random.chance(0.3);
    const offset = isBack ? random.int(cursor + 1) : cursor;
    try {
      const { nextOffset, maxOffset } = await reader.pull(place, offset, random.between(1, messagesMax));
      if (random.chance(0.3)) {
        const asked = this.#hostOf(place.brokerName);
        await reader.offsetAndEnd(place, GROUP, () => this.#hostOf(place.brokerName) === asked);
      }
      this.#cursors.set(key, Math.min(Math.max(cursor, nextOffset), maxOffset));
    } catch (error) {
      // The broker is away; another time.
      if (!(error instanceof WireError || error instanceof PullRefused)) throw error;
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {}
}
