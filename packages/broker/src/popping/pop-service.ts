/**
 * POP consumption of a broker: its parts, put together, and what its handlers ask of it. Messages are popped by
 * pop-run, wait in pop-long-poll, come again by revive-service; what must be remembered of them is in the revive log
 * (and, in order, in order-infos).
 */
import type { Clock, Host, Logger, Random, Timers } from "@orbitmq/host";
import type { AppendWaiter, MessageStore, StateFile } from "@orbitmq/store";
import {
  type Exchange,
  type NotificationRequestHeader,
  type PopMessageRequestHeader,
  popNormalTopicOf,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { CheckPoint } from "./check-points.ts";
import { NotificationWait } from "./notification-wait.ts";
import { OrderInfos } from "./order-infos.ts";
import { PopLongPoll } from "./pop-long-poll.ts";
import { PopQueues } from "./pop-queues.ts";
import { type PopFilter, PopRun } from "./pop-run.ts";
import { ReviveListener } from "./revive-listener.ts";
import { loadReviveLog } from "./revive-load.ts";
import { type Refused, ReviveLog } from "./revive-log.ts";
import type { CheckPointName } from "./revive-records.ts";
import { ReviveService } from "./revive-service.ts";

export interface PopServiceNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Pick<Random, "int">;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly options: ResolvedBrokerOptions;
  readonly identity: BrokerIdentity;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly offsets: OffsetRegistry;
  readonly filters: FilterRegistry;
  readonly stats: BrokerStats;
  /** consumerOrderInfo.json; absent: nothing is kept. */
  readonly file: StateFile | undefined;
}

export class PopService {
  readonly needs: PopServiceNeeds;
  readonly log: ReviveLog;
  readonly orders: OrderInfos;
  readonly queues: PopQueues;
  /** Pops that wait. */
  readonly pops: PopLongPoll;
  /** Those who wait to be told that there is something to pop. */
  readonly notifications: PopLongPoll;
  readonly #revive: ReviveService;
  readonly #listener: ReviveListener;
  #ends: ReadonlyMap<number, number> = new Map();

  constructor(needs: PopServiceNeeds) {
    const { options, store, offsets } = needs;
    const host: Pick<Host, "clock" | "timers"> = needs;
    this.needs = needs;
    this.log = new ReviveLog(needs);
    const { flushConsumerOrderInfoInterval, popInvisibleTimeMillisMax } = options;
    this.orders = new OrderInfos({ ...needs, flushConsumerOrderInfoInterval, popInvisibleTimeMillisMax });
    this.queues = new PopQueues({
      store,
      offsets,
      log: this.log,
      initPopOffsetByCheckMsgInMem: options.initPopOffsetByCheckMsgInMem,
      onReset: (group, topic, queueId) => this.orders.clear(group, topic, queueId),
    });
    this.pops = new PopLongPoll(host, options);
    this.notifications = new PopLongPoll(host, options);
    this.#revive = new ReviveService({ ...needs, log: this.log });
    this.#listener = new ReviveListener({ ...needs, log: this.log });
  }

  /** Reads what must come again, before anything is served; offsets are loaded, the store runs. */
  async load(): Promise<void> {
    this.orders.load();
    this.#ends = await loadReviveLog({ ...this.needs, log: this.log });
    this.needs.offsets.markPops((atReset) => this.log.popMark(atReset));
  }

  /** Begins to hear of messages and to bring them back. Once. */
  start(): void {
    const { store } = this.needs;
    store.subscribeArrivals(this.pops);
    store.subscribeArrivals(this.notifications);
    this.#listener.start(this.#ends);
    this.#revive.start();
  }

  /** Answers who waits. */
  stopWaiting(): void {
    this.pops.stop();
    this.notifications.stop();
  }

  /** Ends bringing back, and commits how far the revive log is done with; before the offsets are saved. */
  stop(): void {
    this.#revive.stop();
    this.log.stop();
  }

  pop(header: PopMessageRequestHeader, exchange: Exchange, filter: PopFilter): void {
    new PopRun(this, header, exchange, filter).run();
  }

  notifyOf(
    header: NotificationRequestHeader,
    exchange: Exchange,
    matches: NotificationWait["matches"],
  ): void {
    new NotificationWait(this, header, exchange, matches).run();
  }

  /** The checkpoint of a handle, and the bits of those offsets it still waits for. */
  find(
    name: Omit<CheckPointName, "brokerName">,
    offsets: readonly number[],
  ): { readonly checkPoint: CheckPoint; readonly open: number; readonly acked: number } | undefined {
    const checkPoint = this.log.table.find({ ...name, brokerName: this.needs.options.brokerName });
    if (checkPoint === undefined) return undefined;
    const bits = checkPoint.bitsOf(offsets);
    return {
      checkPoint,
      open: bits & ~checkPoint.ackedBits,
      acked: bits & checkPoint.ackedBits & ~checkPoint.revivedBits,
    };
  }

  /** Appends that messages are acknowledged. */
  acknowledge(checkPoint: CheckPoint, bits: number, waiter: AppendWaiter): Refused | undefined {
    const refused = this.log.done(checkPoint, bits, waiter);
    const { group, topic } = checkPoint;
    if (refused === undefined) this.needs.stats.counted.pops(group, topic).acknowledgements++;
    return refused;
  }

  /** Acknowledges a message popped in order. False: it was not popped, or by another pop. */
  acknowledgeInOrder(name: Omit<CheckPointName, "brokerName" | "startOffset">, offset: number): boolean {
    const { group, topic, queueId, popTime } = name;
    const next = this.orders.acknowledge(group, topic, queueId, offset, popTime);
    if (next === undefined) return false;
    if (next > (this.needs.offsets.get(group, topic, queueId) ?? 0)) {
      this.queues.commitInOrder(group, topic, queueId, next);
    }
    if (this.orders.closedUntilMs(group, topic, queueId, undefined) === undefined) {
      this.pops.wake(group, popNormalTopicOf(topic, group), queueId);
      this.notifications.wake(group, popNormalTopicOf(topic, group), queueId);
    }
    return true;
  }
}
