/**
 * Which producers are online, per producer group (RocketMQ: ProducerManager); transactions ask one of them back
 * later. A pure table like consumer-groups.
 */
import type { Peer } from "@orbitmq/wire";

export interface ProducerMember {
  readonly peer: Peer;
  readonly clientId: string;
  lastSeenMs: number;
}

export class ProducerGroups {
  readonly #groups = new Map<string, Map<Peer, ProducerMember>>();
  readonly #byPeer = new Map<Peer, Set<string>>();
  /** The newest connection of each client id. */
  readonly #byClientId = new Map<string, Peer>();
  readonly #groupsMax: number;

  constructor(groupsMax: number) {
    this.#groupsMax = groupsMax;
  }

  get size(): number {
    return this.#groups.size;
  }

  /** One per group and connection. */
  *peers(): Generator<Peer> {
    for (const members of this.#groups.values()) yield* members.keys();
  }

  members(group: string): readonly ProducerMember[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  /** Groups that somebody is online in. */
  names(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** The connection of a producer, by its client id (RocketMQ: findChannel). */
  peerOf(clientId: string): Peer | undefined {
    return this.#byClientId.get(clientId);
  }

  /** A group beyond the limit is passed over. */
  heartbeat(group: string, peer: Peer, clientId: string, nowMs: number): void {
    let members = this.#groups.get(group);
    if (members === undefined) {
      if (this.#groups.size >= this.#groupsMax) return;
      members = new Map();
      this.#groups.set(group, members);
    }
    members.set(peer, { peer, clientId, lastSeenMs: nowMs });
    this.#byClientId.set(clientId, peer);
    const groups = this.#byPeer.get(peer);
    if (groups === undefined) this.#byPeer.set(peer, new Set([group]));
    else groups.add(group);
  }

  unregister(group: string, peer: Peer): void {
    const members = this.#groups.get(group);
    const clientId = members?.get(peer)?.clientId;
    members?.delete(peer);
    if (members?.size === 0) this.#groups.delete(group);
    const groups = this.#byPeer.get(peer);
    groups?.delete(group);
    if (groups === undefined || groups.size > 0) return;
    this.#byPeer.delete(peer);
    if (clientId !== undefined && this.#byClientId.get(clientId) === peer) this.#byClientId.delete(clientId);
  }

  peerClosed(peer: Peer): void {
    for (const group of [...(this.#byPeer.get(peer) ?? [])]) this.unregister(group, peer);
  }

  /** Members that were silent for longer than `timeoutMs` leave; returns them. */
  expire(nowMs: number, timeoutMs: number): ProducerMember[] {
    const gone: ProducerMember[] = [];
    for (const [group, members] of this.#groups) {
      for (const member of members.values()) {
        if (nowMs - member.lastSeenMs <= timeoutMs) continue;
        gone.push(member);
        this.unregister(group, member.peer);
      }
    }
    return gone;
  }
}
