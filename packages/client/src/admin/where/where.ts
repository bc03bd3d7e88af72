/**
 * Tells one message's life (see `Admin.where`) from what brokers and their logs know, without any trace:
 *
 *   search    copies by id or key, in the topic and where messages wait (12, 33)
 *   groups    who consumes the topic (300), and copies in their retry and dead-letter topics (12)
 *   lives     which copies belong together
 *   facts     offsets, members, what they hold (14, 203, 307), and what only OrbitMQ's brokers tell (700001)
 *
 * A broker that cannot be asked leaves holes, which the result names; nothing else fails for it.
 */
import { decodeRecallHandle, WireError } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { OrbitError } from "../../errors/errors.ts";
import { checkTopic, DLQ_PREFIX, isSystemName } from "../../names/names.ts";
import { checkInteger } from "../../options/option-checks.ts";
import { allMasters, type Server, topicNames } from "../servers.ts";
import { AskedBroker, inParallel } from "./brokers.ts";
import { type Copy, keyOf, retryTopicsOf, targetOf, topicOf, WAITING_TOPICS } from "./copies.ts";
import { type Life, livesOf } from "./lives.ts";
import { type Place, placeOf } from "./place-of-id.ts";
import { tellLife } from "./tell-life.ts";
import { timeText } from "./time-text.ts";
import { bornAbout } from "./unique-id-time.ts";
import { searchVerdict } from "./verdict.ts";
import type { MessageWhere, WhereQuery, WhereResult, WhereSearched } from "./where-types.ts";

const MAX_DEFAULT = 16;
const MAX_MAX = 1_000;
const ID_LENGTH_MAX = 1_024;
const PORT_MAX = 65_535;
/** An id that was made so long before the oldest message is of one that is gone. */
const OLD_MS = 60_000;

interface Asked {
  readonly id: string | undefined;
  readonly key: string | undefined;
  readonly topic: string | undefined;
  readonly max: number;
}

/** Rejects with INVALID_ARGUMENT. Not finding anything is an answer, no error. */
export async function where(instance: ClientInstance, query: WhereQuery): Promise<WhereResult> {
  instance.checkRunning();
  const asked = checkedQuery(query);
  return new Search(instance, await allMasters(instance), asked).run();
}

function checkedQuery(query: WhereQuery): Asked {
  const { id, key } = query;
  const invalid = (why: string): OrbitError => new OrbitError("INVALID_ARGUMENT", why);
  if ((id === undefined) === (key === undefined)) throw invalid("a message is asked for by id or by key");
  const name = id ?? key;
  if (typeof name !== "string" || name.trim() === "" || name.length > ID_LENGTH_MAX)
    throw invalid(
      `the ${id === undefined ? "key" : "id"} must be a text of 1 to ${ID_LENGTH_MAX} characters`,
    );
  if (key !== undefined && /\s/.test(key)) throw invalid("a key has no spaces: they stand between keys");
  if (key !== undefined && query.topic === undefined) throw invalid("a key is one of a topic: name it, too");
  if (query.topic !== undefined) checkTopic(query.topic);
  const max = checkInteger(query, "max", MAX_DEFAULT, 1, MAX_MAX);
  const handle = id === undefined ? undefined : recallHandleOf(id);
  if (handle === undefined) return { id: id?.trim(), key, topic: query.topic, max };
  return { id: handle.uniqKey, key, topic: query.topic ?? handle.topic, max };
}

function recallHandleOf(id: string): { readonly uniqKey: string; readonly topic: string } | undefined {
  try {
    return decodeRecallHandle(id);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

class Search {
  readonly #instance: ClientInstance;
  readonly #asked: Asked;
  readonly #brokers: readonly AskedBroker[];
  readonly #topics = new Set<string>();
  /** Brokers that should be asked, and cannot be. */
  #strangers: WhereSearched["brokers"] = [];

  constructor(instance: ClientInstance, masters: readonly Server[], asked: Asked) {
    this.#instance = instance;
    this.#asked = asked;
    this.#brokers = masters.flatMap(({ name, address }) =>
      address === undefined ? [] : [new AskedBroker(instance, name, address)],
    );
    this.#strangers = masters
      .filter(({ address }) => address === undefined)
      .map(({ name }) => ({
        brokerName: name,
        address: "",
        complete: false,
        problems: ["it has no master"],
      }));
  }

  async run(): Promise<WhereResult> {
    const { id, key, topic, max } = this.#asked;
    await Promise.all(this.#brokers.map((broker) => broker.introduce()));
    const place = id === undefined ? undefined : placeOf(id);
    const atPlace = place === undefined ? undefined : await this.#atPlace(id!, place);
    if (place !== undefined && atPlace === undefined) this.#noteStranger(place);
    const copies =
      atPlace !== undefined
        ? [atPlace]
        : id === undefined
          ? await this.#byKey(key!, topic!)
          : await this.#byId(id);
    const ids = newestIds(copies);
    const messages: MessageWhere[] = [];
    for (const each of ids.slice(0, max)) messages.push(...(await this.#lives(each, copies, atPlace)));
    messages.sort((a, b) => a.bornMs - b.bornMs || (a.at?.storedMs ?? 0) - (b.at?.storedMs ?? 0));
    const more = ids.length > max || messages.length > max;
    const shown = messages.slice(Math.max(0, messages.length - max));
    const brokers = [...this.#brokers.map(({ searched }) => searched), ...this.#strangers];
    const complete = brokers.length > 0 && brokers.every((broker) => broker.complete);
    const searched = { complete, topics: this.#topics.size, brokers };
    const said = id === undefined ? `key ${key} of ${topic}` : `id ${id}`;
    const hint = shown.length > 0 || id === undefined ? undefined : this.#hint(id, place);
    return {
      query: {
        ...(id === undefined ? {} : { id }),
        ...(key === undefined ? {} : { key }),
        ...(topic === undefined ? {} : { topic }),
      },
      verdict: searchVerdict(said, shown, searched, hint),
      messages: shown,
      more,
      searched,
      askedMs: this.#instance.host.clock.wallMs(),
    };
  }

  /** The message at the place that an offset message id names. */
  async #atPlace(id: string, place: Place): Promise<Copy | undefined> {
    const named = this.#brokers.filter(({ address }) => address === place.address);
    // A broker may be known by a name, or behind another address: its record says whether it is meant.
    const candidates = named.length > 0 ? named : this.#brokers;
    const found = await Promise.all(candidates.map((broker) => broker.byPlace(place.position, id)));
    const copy = found.find((each) => each !== undefined);
    if (copy === undefined) await Promise.all(named.map((broker) => broker.locate([place.position])));
    return copy;
  }

  /** An id that names a broker nobody knows: what it means cannot be looked at. A unique id names no port there is. */
  #noteStranger({ address, port, position }: Place): void {
    if (port < 1 || port > PORT_MAX || this.#brokers.some((broker) => broker.address === address)) return;
    const problems = [
      `the id may name position ${position} of its log, and no NameServer knows a broker there`,
    ];
    this.#strangers = [...this.#strangers, { brokerName: address, address, complete: false, problems }];
  }

  /** With this unique id, in the topic named or in all. */
  async #byId(id: string): Promise<Copy[]> {
    const { topic } = this.#asked;
    const topics = topic === undefined ? await topicNames(this.#instance) : [topic];
    return this.#find([...topics.filter((each) => !isSystemName(each)), ...WAITING_TOPICS], id, true);
  }

  /** With this key, in the topic or on the way there. */
  async #byKey(key: string, topic: string): Promise<Copy[]> {
    const found = await this.#find([topic, ...WAITING_TOPICS], key, false);
    return found.filter((copy) => targetOf(copy) === topic || topicOf(copy) === topic);
  }

  async #find(topics: readonly string[], key: string, isUnique: boolean): Promise<Copy[]> {
    for (const topic of topics) this.#topics.add(topic);
    const lists = await Promise.all(
      this.#brokers.map((broker) =>
        inParallel([...new Set(topics)], (topic) => broker.byKey(topic, key, isUnique)),
      ),
    );
    return unique(lists.flat(2));
  }

  /** The lives of one unique id; those that `only` is part of, when it is there. */
  async #lives(id: string, found: readonly Copy[], only: Copy | undefined): Promise<MessageWhere[]> {
    const own = found.filter((copy) => nameOf(copy) === id);
    const hasId = own.some(({ uniqKey }) => uniqKey !== undefined);
    const allGroups = await this.#groupsOf(own);
    const topics = new Set<string>();
    for (const copy of own) {
      const topic = topicOf(copy, [...allGroups]);
      if (topic !== undefined && (!isSystemName(topic) || copy.kind === "message")) topics.add(topic);
    }
    const messages: MessageWhere[] = [];
    for (const topic of topics) {
      const groups = await this.#consumersOf(topic);
      const everywhere = [
        topic,
        ...WAITING_TOPICS,
        ...groups.flatMap((group) => [...retryTopicsOf(group, topic), DLQ_PREFIX + group]),
      ];
      const copies = unique([...own, ...(hasId ? await this.#find(everywhere, id, true) : [])]);
      await this.#locate(copies);
      const mine = copies.filter(
        (copy) => copy.kind === "deletion" || (topicOf(copy, groups) ?? topic) === topic,
      );
      const lives = livesOf(topic, mine, groups).filter((life) => only === undefined || has(life, only));
      for (const life of lives) {
        await this.#lookWhere(life.wasAt);
        messages.push(await tellLife({ life, lives, groups, brokers: this.#brokers, hasId }));
      }
    }
    return messages;
  }

  /** Needed to tell the topic of POP's retries. */
  async #groupsOf(copies: readonly Copy[]): Promise<Set<string>> {
    const groups = new Set<string>();
    for (const copy of copies.filter(({ kind }) => kind === "retry")) {
      for (const broker of this.#brokers)
        for (const group of await broker.groupsOf(copy.record.topic)) groups.add(group);
    }
    return groups;
  }

  async #consumersOf(topic: string): Promise<string[]> {
    const lists = await Promise.all(this.#brokers.map((broker) => broker.groupsOf(topic)));
    return [...new Set(lists.flat())].filter((group) => !isSystemName(group)).sort();
  }

  async #locate(copies: readonly Copy[]): Promise<void> {
    await Promise.all(
      this.#brokers.map((broker) =>
        broker.locate(
          copies
            .filter(({ brokerName }) => brokerName === broker.brokerName)
            .map(({ record }) => record.physicalOffset),
        ),
      ),
    );
  }

  /** Whether what is missing has expired, or cannot be read. */
  async #lookWhere(wasAt: string | undefined): Promise<void> {
    const place = wasAt === undefined ? undefined : placeOf(wasAt);
    const broker = this.#brokers.find(({ address }) => address === place?.address);
    if (place !== undefined) await broker?.locate([place.position]);
  }

  /** Why an id that nobody knows may be unknown. */
  #hint(id: string, place: Place | undefined): string | undefined {
    const broker = this.#brokers.find(({ address }) => address === place?.address);
    if (place !== undefined && broker !== undefined) {
      const { logMinOffset, logMaxOffset } = broker.searched;
      const where = `as a place it is ${place.position} in the log of ${broker.brokerName}`;
      if (logMinOffset !== undefined && place.position < logMinOffset)
        return `${where}, which begins at ${logMinOffset}: that message has expired`;
      if (logMaxOffset !== undefined && place.position >= logMaxOffset)
        return `${where}, which ends at ${logMaxOffset}: it was never stored, or cut off after a crash`;
      const { state, reason } = broker.whereabouts.get(place.position) ?? {};
      return state === "unreadable"
        ? `${where}, and cannot be read: ${reason}`
        : `${where}, where no message begins`;
    }
    const { clock } = this.#instance.host;
    const bornMs = bornAbout(id, clock.wallMs());
    const oldest = this.#brokers.flatMap(({ searched: { fromMs } }) =>
      fromMs === undefined ? [] : [fromMs],
    );
    if (bornMs === undefined || oldest.length === 0 || bornMs >= Math.min(...oldest) - OLD_MS)
      return undefined;
    return `the id was made about ${timeText(bornMs)}, before the oldest message that is left: it has expired, if it was stored`;
  }
}

/** What all copies of a message have in common. */
function nameOf(copy: Copy): string {
  return copy.uniqKey ?? copy.offsetMsgId;
}

/** Newest first. */
function newestIds(copies: readonly Copy[]): string[] {
  const newest = [...copies].sort((a, b) => b.record.storeTimestamp - a.record.storeTimestamp);
  return [...new Set(newest.map(nameOf))];
}

function unique(copies: readonly Copy[]): Copy[] {
  return [...new Map(copies.map((copy) => [keyOf(copy), copy])).values()];
}

function has(life: Life, copy: Copy): boolean {
  const { message, parked, deletion, halves, delays, returns } = life;
  const all = [message, parked, deletion, ...halves, ...delays, ...[...returns.values()].flat()];
  return all.some((each) => each !== undefined && keyOf(each) === keyOf(copy));
}
