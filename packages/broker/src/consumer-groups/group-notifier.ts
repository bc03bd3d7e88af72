/**
 * Tells the members of a group that it changed (40 NOTIFY_CONSUMER_IDS_CHANGED, one-way), so that they rebalance
 * at once. Changes of one turn make one notification per member: a hundred members that join together would
 * otherwise cause ten thousand. And a group is told again only after a pause of a millisecond for every ten members,
 * or thousands that join one by one would cause millions, each answered with a request.
 *
 *   resting ─changed→ due (end of turn) ─told→ pausing ─over→ resting
 *                                              pausing ─changed→ pausing, due ─over→ told → pausing
 */
import type { TimerHandle, Timers } from "@orbitmq/host";
import { notifyConsumerIdsChangedRequestHeader, RequestCode } from "@orbitmq/wire";
import type { ConsumerGroups } from "./consumer-groups.ts";
import type { GroupRegistry } from "./group-registry.ts";

/** Notifications of one group in a millisecond, on average. */
const NOTIFICATIONS_PER_MS = 10;
/** Members hear of a change within this time, however many they are. */
const PAUSE_MS_MAX = 1_000;

export interface GroupNotifierNeeds {
  readonly timers: Timers;
  readonly consumers: ConsumerGroups;
  readonly groups: GroupRegistry;
  readonly notifyConsumerIdsChangedEnable: boolean;
}

interface Pause {
  readonly timer: TimerHandle;
  /** Changed since its members were told. */
  due: boolean;
}

export class GroupNotifier {
  readonly #needs: GroupNotifierNeeds;
  #changed = new Set<string>();
  readonly #pausing = new Map<string, Pause>();
  #stopped = false;

  constructor(needs: GroupNotifierNeeds) {
    this.#needs = needs;
  }

  groupChanged(group: string): void {
    const { timers, groups, notifyConsumerIdsChangedEnable } = this.#needs;
    if (!notifyConsumerIdsChangedEnable || this.#stopped) return;
    if (groups.get(group)?.notifyConsumerIdsChangedEnable === false) return;
    const pause = this.#pausing.get(group);
    if (pause !== undefined) {
      pause.due = true;
      return;
    }
    if (this.#changed.size === 0) timers.afterTurn(() => this.#tellChanged());
    this.#changed.add(group);
  }

  /** Nobody is told anything any more. */
  stop(): void {
    this.#stopped = true;
    this.#changed.clear();
    for (const { timer } of this.#pausing.values()) timer.cancel();
    this.#pausing.clear();
  }

  #tellChanged(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const group of changed) this.#tell(group);
  }

  #tell(consumerGroup: string): void {
    const members = this.#needs.consumers.get(consumerGroup)?.members;
    if (members === undefined) return;
    for (const { peer } of members.values()) {
      peer.oneway({
        code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
        header: (sink) => notifyConsumerIdsChangedRequestHeader.encode({ consumerGroup }, sink),
      });
    }
    this.#pause(consumerGroup, members.size);
  }

  #pause(group: string, members: number): void {
    const pauseMs = Math.min(Math.floor(members / NOTIFICATIONS_PER_MS), PAUSE_MS_MAX);
    if (pauseMs === 0) return;
    const timer = this.#needs.timers.after(pauseMs, () => {
      const due = this.#pausing.get(group)?.due === true;
      this.#pausing.delete(group);
      if (due) this.#tell(group);
    });
    this.#pausing.set(group, { timer, due: false });
  }
}
