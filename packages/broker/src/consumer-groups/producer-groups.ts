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
  readonly #groupsMax: number;

  constructor(groupsMax: number) {
    this.#groupsMax = groupsMax;
  }

  get size(): number {
    return this.#groups.size;
  }

  members(group: string): readonly ProducerMember[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
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
    const groups = this.#byPeer.get(peer);
    if (groups === undefined) this.#byPeer.set(peer, new Set([group]));
    else groups.add(group);
  }

  unregister(group: string, peer: Peer): void {
    const members = this.#groups.get(group);
    members?.delete(peer);
    if (members?.size === 0) this.#groups.delete(group);
    const groups = this.#byPeer.get(peer);
    groups?.delete(group);
    if (groups?.size === 0) this.#byPeer.delete(peer);
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
