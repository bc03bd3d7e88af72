/**
 * Tells the members of a group that it changed (40 NOTIFY_CONSUMER_IDS_CHANGED, one-way), so that they rebalance
 * at once. Changes of one turn make one notification per member: a hundred members that join together would
 * otherwise cause ten thousand.
 */
import type { Timers } from "@orbitmq/host";
import { notifyConsumerIdsChangedRequestHeader, RequestCode } from "@orbitmq/wire";
import type { ConsumerGroups } from "./consumer-groups.ts";
import type { GroupRegistry } from "./group-registry.ts";

export interface GroupNotifierNeeds {
  readonly timers: Timers;
  readonly consumers: ConsumerGroups;
  readonly groups: GroupRegistry;
  readonly notifyConsumerIdsChangedEnable: boolean;
}

export class GroupNotifier {
  readonly #needs: GroupNotifierNeeds;
  #changed = new Set<string>();

  constructor(needs: GroupNotifierNeeds) {
    this.#needs = needs;
  }

  groupChanged(group: string): void {
    const { timers, groups, notifyConsumerIdsChangedEnable } = this.#needs;
    if (!notifyConsumerIdsChangedEnable) return;
    if (groups.get(group)?.notifyConsumerIdsChangedEnable === false) return;
    if (this.#changed.size === 0) timers.afterTurn(() => this.#tell());
    this.#changed.add(group);
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const consumerGroup of changed) {
      for (const { peer } of this.#needs.consumers.get(consumerGroup)?.members.values() ?? []) {
        peer.oneway({
          code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
          header: (sink) => notifyConsumerIdsChangedRequestHeader.encode({ consumerGroup }, sink),
        });
      }
    }
  }
}
