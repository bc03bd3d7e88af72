/** Gathers what brokers know about one life, and has it told. */
import { formatHostBytes, isTagType, MessageConst, matchesTag, OrbitProperty, SUB_ALL } from "@orbitmq/wire";
import { type AskedBroker, inParallel } from "./brokers.ts";
import { type Copy, HALF_TOPIC } from "./copies.ts";
import { type Attempt, groupStory } from "./group-story.ts";
import type { Life } from "./lives.ts";
import { delayStory, dueOf, type LifeFacts, messageState, transactionStory } from "./message-story.ts";
import { placeOf } from "./place-of-id.ts";
import { timelineOf } from "./timeline.ts";
import { messageVerdict } from "./verdict.ts";
import type { GroupWhere, MessageWhere, StoredAt } from "./where-types.ts";

const TRANSACTION_GROUP = "CID_RMQ_SYS_TRANS";
const BROADCASTING = "BROADCASTING";
const CONSUME_POP = "CONSUME_POP";

export interface TellNeeds {
  readonly life: Life;
  /** All of the same unique id. */
  readonly lives: readonly Life[];
  readonly groups: readonly string[];
  readonly brokers: readonly AskedBroker[];
  readonly hasId: boolean;
}

export async function tellLife(needs: TellNeeds): Promise<MessageWhere> {
  return new Telling(needs).tell();
}

class Telling {
  readonly #needs: TellNeeds;
  readonly #spans = new Map<Copy, { min: number; max: number }>();
  readonly #notTold = new Set<string>();

  constructor(needs: TellNeeds) {
    this.#needs = needs;
  }

  async tell(): Promise<MessageWhere> {
    const { life, hasId } = this.#needs;
    const any = anyCopy(life);
    const broker = this.#brokerOf(any);
    const { message } = life;
    if (message !== undefined) await this.#findSpan(message);
    const facts: LifeFacts = {
      life,
      atOf: (copy) => this.#at(copy),
      whereaboutsOf: (copy) => this.#whereabouts(copy),
      halvesDoneTo: await this.#halvesDoneTo(broker),
    };
    const delay = delayStory(facts);
    const transaction = transactionStory(facts);
    const state = messageState(facts, delay, transaction);
    const isDelivered = message !== undefined || life.returns.size > 0;
    const groups = isDelivered ? await this.#groups() : [];
    const { nowMs } = broker;
    const born = {
      bornMs: any.record.bornTimestamp,
      bornHost: formatHostBytes(any.record.bornHost),
    };
    if (!hasId) this.#notTold.add("it has no unique id: its retries and dead letters cannot be followed");
    if (life.isShared)
      this.#notTold.add("several messages have its unique id, and some retries do not say of which they are");
    if (broker.tells === false)
      this.#notTold.add(
        `${broker.brokerName} is no OrbitMQ: it does not tell file, durability, damage, pops, checks and timers`,
      );
    for (const problem of broker.untold) this.#notTold.add(problem);
    const keys = (any.properties.get(MessageConst.KEYS) ?? "").split(" ").filter(Boolean);
    const tag = any.properties.get(MessageConst.TAGS);
    const redrivenFrom = redrivenFromOf(message);
    const at = message && this.#at(message);
    return {
      verdict: messageVerdict({
        state,
        delay,
        transaction,
        groups,
        isUnreadable: at?.integrity === "unreadable" || this.#isWasUnreadable(),
        nowMs,
      }),
      state,
      msgId: any.uniqKey ?? any.offsetMsgId,
      topic: life.topic,
      ...(tag === undefined ? {} : { tag }),
      keys,
      brokerName: any.brokerName,
      ...born,
      ...(at === undefined ? {} : { at }),
      ...(life.wasAt === undefined ? {} : { wasAt: life.wasAt }),
      ...(delay === undefined ? {} : { delay }),
      ...(transaction === undefined ? {} : { transaction }),
      ...(redrivenFrom === undefined ? {} : { redrivenFrom }),
      groups,
      timeline: timelineOf({
        life,
        born,
        atOf: facts.atOf,
        delay,
        transaction,
        groups,
        pops: copiesOf(life).flatMap((copy) => this.#whereabouts(copy)?.pops ?? []),
        dueMsOf: (copy) => dueOf(copy, this.#whereabouts(copy)).untilMs,
        redriven: this.#redriven(),
      }),
      notTold: [...this.#notTold],
    };
  }

  #brokerOf({ brokerName }: Copy): AskedBroker {
    return this.#needs.brokers.find((broker) => broker.brokerName === brokerName)!;
  }

  #whereabouts(copy: Copy) {
    return this.#brokerOf(copy).whereabouts.get(copy.record.physicalOffset);
  }

  #at(copy: Copy): StoredAt {
    const { record, brokerName, offsetMsgId } = copy;
    const told = this.#whereabouts(copy);
    const span = this.#spans.get(copy);
    const min = told?.queueMinOffset ?? span?.min;
    const max = told?.queueMaxOffset ?? span?.max;
    const integrity = told?.state === "absent" ? "gone" : told?.state;
    return {
      brokerName,
      topic: record.topic,
      queueId: record.queueId,
      queueOffset: record.queueOffset,
      position: record.physicalOffset,
      offsetMsgId,
      size: record.totalSize,
      storedMs: record.storeTimestamp,
      ...(told?.file === undefined ? {} : { file: told.file }),
      ...(told?.fileOffset === undefined ? {} : { fileOffset: told.fileOffset }),
      ...(told?.flushed === undefined ? {} : { durability: told.flushed ? "flushed" : "written" }),
      ...(integrity === undefined ? {} : { integrity }),
      ...(min === undefined ? {} : { queueMinOffset: min }),
      ...(max === undefined ? {} : { queueMaxOffset: max }),
    };
  }

  /** What is missing is there, and damaged. */
  #isWasUnreadable(): boolean {
    const { wasAt } = this.#needs.life;
    const place = wasAt === undefined ? undefined : placeOf(wasAt);
    const broker = this.#needs.brokers.find(({ address }) => address === place?.address);
    return place !== undefined && broker?.whereabouts.get(place.position)?.state === "unreadable";
  }

  /** A Java broker tells it by other requests. */
  async #findSpan(copy: Copy): Promise<void> {
    const broker = this.#brokerOf(copy);
    if (broker.tells === true) return;
    const span = await broker.queueSpan(copy.record.topic, copy.record.queueId);
    if (span !== undefined) this.#spans.set(copy, span);
  }

  async #halvesDoneTo(broker: AskedBroker): Promise<number | undefined> {
    if (this.#needs.life.halves.length === 0 || broker.tells !== false) return undefined;
    return broker.committedOffset(TRANSACTION_GROUP, HALF_TOPIC, 0);
  }

  async #groups(): Promise<GroupWhere[]> {
    const { life, groups } = this.#needs;
    const all = [...new Set([...groups, ...life.returns.keys()])].sort();
    return inParallel(all, (group) => this.#group(group));
  }

  async #group(group: string): Promise<GroupWhere> {
    const { life } = this.#needs;
    const returns = life.returns.get(group) ?? [];
    const newest = returns.at(-1);
    const { message } = life;
    const first = message === undefined ? undefined : await this.#attempt(group, message);
    if (newest?.kind === "retry") await this.#findSpan(newest);
    const isWaiting = newest !== undefined && newest.kind !== "retry" && newest.kind !== "dead";
    const broker = this.#brokerOf(newest ?? anyCopy(life));
    const retriesMax = returns.length === 0 ? undefined : await broker.retriesMax(group);
    return groupStory({
      group,
      nowMs: broker.nowMs,
      first,
      returns: returns.map((copy) => ({ copy, at: this.#at(copy) })),
      last: newest?.kind === "retry" ? await this.#attempt(group, newest) : undefined,
      dueMs: isWaiting ? dueOf(newest, this.#whereabouts(newest)).untilMs : undefined,
      retriesMax,
      redrivenMs: this.#redriven().find((each) => each.group === group)?.at.storedMs,
    });
  }

  async #attempt(group: string, copy: Copy): Promise<Attempt> {
    const broker = this.#brokerOf(copy);
    const { topic, queueId, queueOffset } = copy.record;
    const at = this.#at(copy);
    const told = this.#whereabouts(copy);
    const online = await broker.online(group);
    const committedOffset = await broker.committedOffset(group, topic, queueId);
    const isBehind = committedOffset === undefined || committedOffset <= queueOffset;
    const isBroadcast = online?.messageModel === BROADCASTING;
    const pop = told?.pops.filter((each) => each.group === group).sort((a, b) => b.popTime - a.popTime)[0];
    const members = isBehind && online !== undefined ? await broker.held(group) : [];
    const heldBy: string[] = [];
    let doneBy: string | undefined;
    for (const { clientId, queues } of members) {
      const held = queues.find(
        ({ queue }) =>
          queue.topic === topic && queue.queueId === queueId && queue.brokerName === copy.brokerName,
      );
      if (held === undefined || held.cachedMsgCount === 0) continue;
      if (held.cachedMsgMinOffset <= queueOffset && queueOffset <= held.cachedMsgMaxOffset)
        heldBy.push(clientId);
      else if (queueOffset < held.cachedMsgMinOffset) doneBy = clientId;
    }
    const subscription = copy.kind === "retry" ? undefined : online?.subscriptions.get(topic);
    const isFiltered = subscription !== undefined && subscription.subString !== SUB_ALL;
    const byTag = isFiltered && isTagType(subscription.expressionType);
    const isWanted =
      told?.filters.find((each) => each.group === group)?.wanted ??
      (byTag ? matchesTag(subscription, copy.properties.get(MessageConst.TAGS)) : undefined);
    if (isFiltered && isWanted === undefined)
      this.#notTold.add(
        `whether ${group} wants it: ${broker.brokerName} does not tell for ${subscription.expressionType}`,
      );
    const { poppedBy } = pop ?? {};
    return {
      at,
      committedOffset,
      pop,
      poppedBy: online?.connections.find(({ clientAddr }) => clientAddr === poppedBy)?.clientId,
      isWanted,
      expression: isFiltered ? `${subscription.expressionType} ${subscription.subString}` : undefined,
      heldBy,
      doneBy: isBehind ? doneBy : undefined,
      isOnline: online !== undefined,
      isBroadcast,
      popsUntold: broker.tells === false && online?.consumeType === CONSUME_POP,
    };
  }

  /** What this life's dead letters became. */
  #redriven(): { readonly group: string; readonly at: StoredAt }[] {
    const { life, lives } = this.#needs;
    const found: { group: string; at: StoredAt }[] = [];
    for (const [group, copies] of life.returns) {
      const dead = new Set(copies.filter(({ kind }) => kind === "dead").map((copy) => copy.offsetMsgId));
      for (const copy of [...lives.flatMap(copiesOf), ...copies]) {
        if (copy.kind !== "dead" && dead.has(copy.properties.get(OrbitProperty.REDRIVEN_ID) ?? "")) {
          if (found.every(({ at }) => at.offsetMsgId !== copy.offsetMsgId))
            found.push({ group, at: this.#at(copy) });
        }
      }
    }
    return found;
  }
}

function redrivenFromOf(message: Copy | undefined): MessageWhere["redrivenFrom"] {
  const topic = message?.properties.get(OrbitProperty.REDRIVEN_FROM);
  const offsetMsgId = message?.properties.get(OrbitProperty.REDRIVEN_ID);
  return topic === undefined || offsetMsgId === undefined ? undefined : { topic, offsetMsgId };
}

/** Those that consumers can have, or could. */
function copiesOf({ message, returns }: Life): Copy[] {
  return [...(message === undefined ? [] : [message]), ...[...returns.values()].flat()];
}

/** A life has one copy at least: the first, which tells of its birth. */
function anyCopy(life: Life): Copy {
  const { halves, delays, parked } = life;
  return (halves[0] ?? delays[0] ?? parked ?? copiesOf(life)[0])!;
}
