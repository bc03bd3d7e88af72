/**
 * Subscription groups with their file: known groups, groups that come into being on first use, and
 * subscriptionGroup.json. Nothing waits for the file: a group that is forgotten is made again on its next use.
 */
import type { Clock, HostError, Logger, Timers } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import { groupNameProblem } from "../names.ts";
import { newSubscriptionGroupConfig, type SubscriptionGroupConfig } from "./subscription-group-config.ts";
import { type GroupChange, parseSubscriptionGroups, type SubscriptionGroups } from "./subscription-groups.ts";

export interface GroupRegistryNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly groups: SubscriptionGroups;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
  readonly autoCreateSubscriptionGroup: boolean;
  readonly groupsMax: number;
}

export class GroupRegistry {
  readonly groups: SubscriptionGroups;
  readonly #needs: GroupRegistryNeeds;
  #saveScheduled = false;
  #dirty = false;

  constructor(needs: GroupRegistryNeeds) {
    this.groups = needs.groups;
    this.#needs = needs;
  }

  load(): void {
    const loaded = this.#needs.file?.load(parseSubscriptionGroups);
    if (loaded !== undefined) this.groups.restore(loaded.value);
    else if (this.#needs.file?.isLost === true) {
      this.#needs.logger.error(
        "the settings of all consumer groups are lost: groups begin with the defaults",
      );
    }
  }

  /** A group that exists. */
  get(group: string): SubscriptionGroupConfig | undefined {
    return this.groups.get(group);
  }

  /** A group that exists or comes into being now; `undefined` when it may not (RocketMQ: findSubscriptionGroupConfig). */
  find(group: string): SubscriptionGroupConfig | undefined {
    const known = this.groups.get(group);
    if (known !== undefined) return known;
    const { autoCreateSubscriptionGroup, groupsMax, logger } = this.#needs;
    if (!autoCreateSubscriptionGroup || groupNameProblem(group) !== undefined) return undefined;
    if (this.groups.size >= groupsMax) {
      logger.warn({ group, groupsMax }, "a subscription group was not created: there are too many");
      return undefined;
    }
    const created = newSubscriptionGroupConfig(group);
    this.put(created);
    return created;
  }

  put(group: SubscriptionGroupConfig): void {
    this.#apply({ kind: "group-put", group, atMs: this.#needs.clock.wallMs() });
  }

  /** Forgets a group; its next use makes it again where that is allowed. */
  delete(group: string): void {
    if (this.groups.get(group) === undefined && !this.groups.forbidden.has(group)) return;
    this.#apply({ kind: "group-delete", group, atMs: this.#needs.clock.wallMs() });
  }

  forbidReading(group: string, topic: string, forbidden: boolean): void {
    if (this.groups.isReadForbidden(group, topic) === forbidden) return;
    this.#apply({ kind: "read-forbid", group, topic, forbidden, atMs: this.#needs.clock.wallMs() });
  }

  #apply(change: GroupChange): void {
    this.groups.apply(change);
    this.#dirty = true;
    this.#scheduleSave();
  }

  /** Writes what is not written for certain. Throws HostError. */
  stop(): void {
    const { file } = this.#needs;
    try {
      if (this.#dirty) file?.saveSync(this.groups.format());
      this.#dirty = false;
    } finally {
      file?.close();
    }
  }

  #scheduleSave(): void {
    const { file, timers } = this.#needs;
    if (this.#saveScheduled || file === undefined) return;
    this.#saveScheduled = true;
    timers.afterTurn(() => {
      this.#saveScheduled = false;
      const version = this.groups.dataVersion;
      file.save(this.groups.format(), (error: HostError | undefined) => {
        if (error === undefined && this.groups.dataVersion === version) this.#dirty = false;
      });
    });
  }
}
