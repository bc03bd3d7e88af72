/** Reads and writes the ledger of dead letters of one broker; makes its topic there before the first entry. */
import {
  formatProperties,
  MessageConst,
  type MessageQueue,
  RequestCode,
  type UniqueIdGenerator,
  updateAndCreateTopicRequestHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { DEFAULT_TOPIC } from "../../connection/topic-queues.ts";
import { addressFor, maxOffset, minOffset } from "../../consumer/offsets/queue-offsets.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import type { InnerSender } from "../../producer/inner-sender.ts";
import type { SendResult } from "../../producer/send-result.ts";
import {
  encodeEntry,
  LEDGER_TOPIC,
  Ledger,
  type LedgerDeed,
  type LedgerEntry,
  type LedgerLetter,
  ledgerTag,
  parseEntry,
} from "./ledger.ts";
import { pause, queuePages } from "./queue-pages.ts";

/** An entry says the same however often it is there. */
const ATTEMPTS_MAX = 3;
const ATTEMPT_PAUSE_MS = 500;

export interface LedgerNeeds {
  readonly instance: ClientInstance;
  readonly sender: InnerSender;
  readonly ids: UniqueIdGenerator;
}

export class LedgerLog {
  readonly #needs: LedgerNeeds;
  readonly #queue: MessageQueue;

  constructor(needs: LedgerNeeds, brokerName: string) {
    this.#needs = needs;
    this.#queue = { topic: LEDGER_TOPIC, brokerName, queueId: 0 };
  }

  /** Whether its topic is there, as far as the NameServer knows. */
  async exists(): Promise<boolean> {
    const route = await this.#needs.instance.nameServers.route(LEDGER_TOPIC);
    return route?.queueDatas.some(({ brokerName }) => brokerName === this.#queue.brokerName) === true;
  }

  /** What was done about a group's letters, as far as the broker shows it now. */
  async read(group: string): Promise<Ledger> {
    const all = await this.#read(group, maxOffset(this.#needs.instance, this.#queue), false);
    return all.get(group) ?? new Ledger();
  }

  /** The same of every group. */
  async readAll(): Promise<Map<string, Ledger>> {
    return this.#read(undefined, maxOffset(this.#needs.instance, this.#queue), false);
  }

  /**
   * The same, and certainly all of it: an entry is written and read again. For a broker's queues may lag behind what it
   * has acknowledged.
   */
  async begin(group: string): Promise<Ledger> {
    await this.#makeTopic();
    const { queueOffset } = await this.write(group, "begin", []);
    const all = await this.#read(group, Promise.resolve(queueOffset + 1), true);
    return all.get(group) ?? new Ledger();
  }

  async write(group: string, did: LedgerDeed, letters: readonly LedgerLetter[]): Promise<SendResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#send(group, encodeEntry({ group, did, letters }));
      } catch (error) {
        if (!fromUnknown(error).retriable || attempt === ATTEMPTS_MAX) throw error;
        await pause(this.#needs.instance, ATTEMPT_PAUSE_MS);
      }
    }
  }

  async #read(
    group: string | undefined,
    end: Promise<number>,
    isStored: boolean,
  ): Promise<Map<string, Ledger>> {
    const { instance } = this.#needs;
    const from = Math.max(await minOffset(instance, this.#queue), 0);
    const tag = group === undefined ? "*" : ledgerTag(group);
    const ledgers = new Map<string, Ledger>();
    for await (const page of queuePages(instance, this.#queue, { from, to: await end, tag, isStored })) {
      for (const { body, queueOffset } of page) {
        const entry = this.#entryOf(body, queueOffset);
        if (entry === undefined || (group !== undefined && entry.group !== group)) continue;
        const ledger = ledgers.get(entry.group) ?? new Ledger();
        ledgers.set(entry.group, ledger);
        ledger.add(entry);
      }
    }
    return ledgers;
  }

  /** What somebody else has put there is passed over. */
  #entryOf(body: Uint8Array, queueOffset: number): LedgerEntry | undefined {
    try {
      return parseEntry(body);
    } catch (error) {
      const { code, message } = fromUnknown(error);
      this.#needs.instance.logger.warn({ code, ...this.#queue, queueOffset }, message);
      return undefined;
    }
  }

  #send(group: string, body: Uint8Array): Promise<SendResult> {
    const { sender, ids } = this.#needs;
    const msgId = ids.next();
    const properties = formatProperties([
      [MessageConst.TAGS, ledgerTag(group)],
      [MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, msgId],
      [MessageConst.WAIT_STORE_MSG_OK, "true"],
    ]);
    const message = { topic: LEDGER_TOPIC, body, properties, sysFlag: 0, flag: 0, msgId, isBatch: false };
    return new Promise((resolve, reject) =>
      sender.send(message, (error, result) => (error === undefined ? resolve(result!) : reject(error)), {
        queue: this.#queue,
      }),
    );
  }

  async #makeTopic(): Promise<void> {
    if (await this.exists()) return;
    const { instance } = this.#needs;
    const header = {
      topic: LEDGER_TOPIC,
      defaultTopic: DEFAULT_TOPIC,
      readQueueNums: 1,
      writeQueueNums: 1,
      perm: 6,
      topicFilterType: "SINGLE_TAG",
      topicSysFlag: 0,
      order: false,
    };
    await instance.ask(
      addressFor(instance, this.#queue),
      {
        code: RequestCode.UPDATE_AND_CREATE_TOPIC,
        header: (sink) => updateAndCreateTopicRequestHeader.encode(header, sink),
      },
      () => undefined,
    );
  }
}
