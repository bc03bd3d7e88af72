/**
 * Who is online in which consumer group, and what the group subscribes to (RocketMQ: ConsumerManager,
 * ConsumerGroupInfo). A pure table: it changes through the methods below only, time comes in as `nowMs`
 * (monotonic), and every method that can change a group's members or topics returns the groups whose members
 * must be told.
 *
 * A member is a connection with a client id. It enters with its first heartbeat and leaves when it unregisters,
 * when its connection closes, or when it was silent for too long; a group without members is forgotten. A
 * group's attributes are those of the last heartbeat; a topic's subscription is replaced by a newer one, and
 * topics missing in a full heartbeat are dropped.
 */
import type { ConsumerData, Peer, SubscriptionData } from "@orbitmq/wire";
import { SubscriptionTexts, subscriptionText } from "./subscription-differences.ts";

export interface GroupMember {
  readonly peer: Peer;
  readonly clientId: string;
  lastSeenMs: number;
  /** What it subscribes to, as one text; undefined until it has said so. */
  subscriptionText: string | undefined;
}

export interface ConsumerGroup {
  readonly name: string;
  consumeType: string;
  messageModel: string;
  consumeFromWhere: string;
  readonly members: ReadonlyMap<Peer, GroupMember>;
  /** Grows whenever a member comes, goes or changes its id. */
  readonly membersVersion: number;
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
  /** What its members subscribe to: more than one text when they differ. */
  readonly texts: SubscriptionTexts;
}

interface MutableGroup extends ConsumerGroup {
  readonly members: Map<Peer, GroupMember>;
  membersVersion: number;
  readonly subscriptions: Map<string, SubscriptionData>;
  /** Fingerprint of the last heartbeat (version 2); 0 when none. */
  fingerprint: number;
}

export interface ConsumerHeartbeat {
  readonly peer: Peer;
  readonly clientId: string;
  readonly consumer: ConsumerData;
  /** 0 in version 1. */
  readonly fingerprint: number;
  /** The subscriptions are left out because they are taken to be known. */
  readonly withoutSub: boolean;
}

export interface HeartbeatOutcome {
  /** Members or topics changed: the group must be told. */
  readonly changed: boolean;
  /** The client must send its subscriptions in full. */
  readonly subChanged: boolean;
  /** The member subscribes to something else than others of its group, and did not before. */
  readonly differs: boolean;
}

const BROADCASTING = "BROADCASTING";

export class ConsumerGroups {
  readonly #groups = new Map<string, MutableGroup>();
  readonly #byPeer = new Map<Peer, Set<MutableGroup>>();
  readonly #onGone: (group: string) => void;

  /** `onGone` is told of each group that is forgotten. */
  constructor(onGone: (group: string) => void = () => undefined) {
    this.#onGone = onGone;
  }

  get size(): number {
    return this.#groups.size;
  }

  get(group: string): ConsumerGroup | undefined {
    return this.#groups.get(group);
  }

  /** The groups online. */
  all(): Iterable<ConsumerGroup> {
    return this.#groups.values();
  }

  /** Ids of the members online, each once. */
  clientIds(group: string): string[] {
    const members = this.#groups.get(group)?.members.values() ?? [];
    return [...new Set([...members].map((member) => member.clientId))];
  }

  subscription(group: string, topic: string): SubscriptionData | undefined {
    return this.#groups.get(group)?.subscriptions.get(topic);
  }

  /** Names of the groups online that subscribe to a topic. */
  subscribedTo(topic: string): string[] {
    const names: string[] = [];
    for (const group of this.#groups.values()) if (group.subscriptions.has(topic)) names.push(group.name);
    return names;
  }

  heartbeat(
    { peer, clientId, consumer, fingerprint, withoutSub }: ConsumerHeartbeat,
    nowMs: number,
  ): HeartbeatOutcome {
    const group = this.#groups.get(consumer.groupName) ?? this.#create(consumer);
    group.consumeType = consumer.consumeType;
    group.messageModel = consumer.messageModel;
    group.consumeFromWhere = consumer.consumeFromWhere;
    const joined = this.#join(group, peer, clientId, nowMs);
    // A group we know no fingerprint of has subscriptions we do not know (we restarted): ask for them.
    const subChanged =
      fingerprint !== 0 && group.fingerprint !== fingerprint && (withoutSub || group.fingerprint !== 0);
    let subscribed = false;
    let differs = false;
    if (!withoutSub) {
      differs = noteSubscriptions(group, peer, consumer.subscriptionDataSet);
      subscribed = replaceSubscriptions(group, consumer.subscriptionDataSet);
      group.fingerprint = fingerprint;
    }
    return { changed: (joined || subscribed) && !isBroadcast(group), subChanged, differs };
  }

  /** What others of the group subscribe to that this heartbeat would differ from; empty when from nothing. */
  differences({ peer, consumer, withoutSub }: ConsumerHeartbeat): readonly string[] {
    const group = this.#groups.get(consumer.groupName);
    if (group === undefined || withoutSub) return [];
    const text = subscriptionText(consumer.subscriptionDataSet);
    const old = group.members.get(peer)?.subscriptionText;
    return group.texts.wouldDiffer(old, text) ? group.texts.others(text) : [];
  }

  /** Names of the groups online whose members subscribe to different things. */
  differing(): string[] {
    return [...this.#groups.values()].filter(({ texts }) => texts.size > 1).map(({ name }) => name);
  }

  /** The connection's member leaves one group. Returns the groups to tell. */
  unregister(group: string, peer: Peer): ConsumerGroup[] {
    const known = this.#groups.get(group);
    return known !== undefined && this.#leave(known, peer) ? toTell([known]) : [];
  }

  /** The connection's members leave every group. Returns the groups to tell. */
  peerClosed(peer: Peer): ConsumerGroup[] {
    const groups = [...(this.#byPeer.get(peer) ?? [])];
    return toTell(groups.filter((group) => this.#leave(group, peer)));
  }

  /** Members that were silent for longer than `timeoutMs` leave. Returns them and the groups to tell. */
  expire(
    nowMs: number,
    timeoutMs: number,
  ): { readonly gone: GroupMember[]; readonly groups: ConsumerGroup[] } {
    const gone: GroupMember[] = [];
    const groups = new Set<MutableGroup>();
    for (const group of this.#groups.values()) {
      for (const member of group.members.values()) {
        if (nowMs - member.lastSeenMs <= timeoutMs) continue;
        gone.push(member);
        groups.add(group);
      }
    }
    for (const group of groups) {
      for (const member of gone) this.#leave(group, member.peer);
    }
    return { gone, groups: toTell([...groups]) };
  }

  #create(consumer: ConsumerData): MutableGroup {
    const group: MutableGroup = {
      name: consumer.groupName,
      consumeType: consumer.consumeType,
      messageModel: consumer.messageModel,
      consumeFromWhere: consumer.consumeFromWhere,
      members: new Map(),
      membersVersion: 0,
      subscriptions: new Map(),
      texts: new SubscriptionTexts(),
      fingerprint: 0,
    };
    this.#groups.set(group.name, group);
    return group;
  }

  /** Returns whether the connection is new in the group. */
  #join(group: MutableGroup, peer: Peer, clientId: string, nowMs: number): boolean {
    const known = group.members.get(peer);
    if (known !== undefined && known.clientId === clientId) {
      known.lastSeenMs = nowMs;
      return false;
    }
    const subscriptionText = known?.subscriptionText;
    group.membersVersion++;
    group.members.set(peer, { peer, clientId, lastSeenMs: nowMs, subscriptionText });
    const groups = this.#byPeer.get(peer);
    if (groups === undefined) this.#byPeer.set(peer, new Set([group]));
    else groups.add(group);
    return true;
  }

  #leave(group: MutableGroup, peer: Peer): boolean {
    group.texts.replace(group.members.get(peer)?.subscriptionText, undefined);
    if (!group.members.delete(peer)) return false;
    group.membersVersion++;
    if (group.members.size === 0) {
      this.#groups.delete(group.name);
      this.#onGone(group.name);
    }
    const groups = this.#byPeer.get(peer);
    groups?.delete(group);
    if (groups?.size === 0) this.#byPeer.delete(peer);
    return true;
  }
}

function isBroadcast(group: ConsumerGroup): boolean {
  return group.messageModel === BROADCASTING;
}

/** Members of a broadcasting group do not share queues: a change is nothing to them. */
function toTell(groups: readonly ConsumerGroup[]): ConsumerGroup[] {
  return groups.filter((group) => group.members.size > 0 && !isBroadcast(group));
}

/** Returns whether the member newly differs from others. */
function noteSubscriptions(
  group: MutableGroup,
  peer: Peer,
  subscriptions: readonly SubscriptionData[],
): boolean {
  const member = group.members.get(peer);
  if (member === undefined) return false;
  const text = subscriptionText(subscriptions);
  const old = member.subscriptionText;
  if (old === text) return false;
  group.texts.replace(old, text);
  member.subscriptionText = text;
  return group.texts.size > 1;
}

/** Returns whether the set of topics changed; a changed expression alone is nobody else's business. */
function replaceSubscriptions(group: MutableGroup, subscriptions: readonly SubscriptionData[]): boolean {
  let changed = false;
  const topics = new Set<string>();
  for (const subscription of subscriptions) {
    topics.add(subscription.topic);
    const known = group.subscriptions.get(subscription.topic);
    if (known === undefined) changed = true;
    if (known === undefined || subscription.subVersion > known.subVersion) {
      group.subscriptions.set(subscription.topic, subscription);
    }
  }
  for (const topic of group.subscriptions.keys()) {
    if (topics.has(topic)) continue;
    group.subscriptions.delete(topic);
    changed = true;
  }
  return changed;
}
