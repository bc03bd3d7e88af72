/** What timers need of the broker, and their settings. */
import type { Clock, Files, Logger, Timers } from "@orbitmq/host";
import type { MessageStore, StateFile } from "@orbitmq/store";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface TimerServiceNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: Files;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly topics: Pick<TopicRegistry, "recover">;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
  readonly options: TimerServiceOptions;
  /** orbitmq-timer-damaged.json; absent: not kept. */
  readonly damagedFile: StateFile | undefined;
}

export interface TimerServiceOptions {
  /** storePathRootDir; absent: there are no timers. */
  readonly timerHome?: string | undefined;
  readonly timerWheelEnable: boolean;
  readonly timerRollWindowSlot: number;
  readonly timerFlushIntervalMs: number;
  readonly timerCongestNumEachSlot: number;
  readonly mappedFileSizeTimerLog: number;
  /** Of the wheel; others than 1,209,600 only for tests. */
  readonly timerWheelSlots: number;
  readonly timerKeptRetryMs: number;
  readonly propertiesBytesMax: number;
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
}
