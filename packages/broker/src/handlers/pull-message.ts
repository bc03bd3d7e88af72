/**
 * PULL_MESSAGE (11), LITE_PULL_MESSAGE (361): messages of one queue from an offset on, filtered by tags; a pull
 * that finds nothing and may wait is parked (see long-poll). RocketMQ's checks in their order:
 *
 *   16  the broker, the group or the topic is not readable (forbiddenType 1, 2, 3), broadcasting is disabled
 *       (4), the group may not read this topic (5)
 *   26  no such group        17  no such topic        29  no such queue        23  a bad expression
 *   24  the group is not online, or not subscribed to the topic       25  a newer subscription is on its way
 *   27  the group's SQL92 expression is illegal   28  a newer one is on its way    1  only tags are filtered by
 *
 * A group whose offset an administrator has set is told so by 21 with the new offset, once.
 *
 * The offset that travels with a pull is committed on its first pass.
 */
import type { Clock } from "@orbitmq/host";
import type { GetResult, GetStatus, MessageStore } from "@orbitmq/store";
import {
  type Exchange,
  isReadable,
  isTagType,
  MASTER_ID,
  matchesTagsCode,
  newSubscriptionData,
  type Peer,
  type PullMessageRequestHeader,
  PullSysFlag,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
  SUB_ALL,
  type SubscriptionData,
  type TopicConfig,
  WireError,
} from "@orbitmq/wire";
import { BrokerError } from "../broker-error.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { SubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";
import type { RecordFilter } from "../filters/record-filter.ts";
import type { SqlFilter } from "../filters/sql-filter.ts";
import type { PullOffsets } from "../metrics/pull-offsets.ts";
import type { LongPoll, ParkedPull, ResumeReason } from "../pulling/long-poll.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { noFilter } from "./check-client-config.ts";

export interface PullMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly consumers: ConsumerGroups;
  readonly offsets: OffsetRegistry;
  readonly filters: FilterRegistry;
  readonly longPoll: LongPoll;
  readonly stats: BrokerStats;
  readonly pullOffsets: PullOffsets;
  readonly clock: Clock;
}

/** RocketMQ: ForbiddenType. */
const FORBIDDEN = { BROKER: 1, GROUP: 2, TOPIC: 3, BROADCASTING: 4, SUBSCRIPTION: 5 } as const;

export function pullMessage(needs: PullMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = pullMessageRequestHeader.decode(request.ext);
    const { options, topics, groups } = needs;
    if (!isReadable(options.brokerPermission)) {
      return forbid(
        exchange,
        FORBIDDEN.BROKER,
        `the broker[${options.brokerName}] pulling message is forbidden`,
      );
    }
    const group = groups.find(header.consumerGroup);
    if (group === undefined) {
      throw new Refusal(
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        `subscription group [${header.consumerGroup}] does not exist`,
      );
    }
    if (!group.consumeEnable) {
      return forbid(exchange, FORBIDDEN.GROUP, `subscription group no permission, ${group.groupName}`);
    }
    const topic = topics.get(header.topic);
    if (topic === undefined) {
      throw new Refusal(
        ResponseCode.TOPIC_NOT_EXIST,
        `topic[${header.topic}] not exist, apply first please!`,
      );
    }
    if (!isReadable(topic.perm)) {
      return forbid(exchange, FORBIDDEN.TOPIC, `the topic[${header.topic}] pulling message is forbidden`);
    }
    if (header.queueId < 0 || header.queueId >= topic.readQueueNums) {
      throw new Refusal(
        ResponseCode.INVALID_PARAMETER,
        `queueId[${header.queueId}] is illegal, topic:[${header.topic}] topicConfig.readQueueNums:[${topic.readQueueNums}]`,
      );
    }
    const subscription =
      (header.sysFlag & PullSysFlag.SUBSCRIPTION) !== 0
        ? ownSubscription(header)
        : knownSubscription(needs, header, group, exchange);
    if (subscription === undefined) return;
    const filter = sqlFilter(needs, header, subscription);
    if ((header.sysFlag & PullSysFlag.COMMIT_OFFSET) !== 0) {
      needs.offsets.commit(
        header.consumerGroup,
        header.topic,
        header.queueId,
        header.commitOffset,
        exchange.peer.address,
      );
    }
    new Pull(needs, header, exchange, topic, group, filter ?? tagsFilter(subscription)).run();
  };
}

/** The subscription a request carries itself. */
function ownSubscription(header: PullMessageRequestHeader): SubscriptionData {
  try {
    return newSubscriptionData(header.topic, header.subscription, header.subVersion, header.expressionType);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new Refusal(
      ResponseCode.SUBSCRIPTION_PARSE_FAILED,
      `parse the consumer's subscription failed: ${error.message}`,
    );
  }
}

/** The subscription of the group's heartbeats; `undefined` when the request was answered here. */
function knownSubscription(
  { consumers, groups }: PullMessageNeeds,
  header: PullMessageRequestHeader,
  group: SubscriptionGroupConfig,
  exchange: Exchange,
): SubscriptionData | undefined {
  const online = consumers.get(header.consumerGroup);
  if (online === undefined) {
    throw new Refusal(ResponseCode.SUBSCRIPTION_NOT_EXIST, "the consumer's group info not exist");
  }
  if (!group.consumeBroadcastEnable && online.messageModel === "BROADCASTING") {
    const remark = `the consumer group[${header.consumerGroup}] can not consume by broadcast way`;
    forbid(exchange, FORBIDDEN.BROADCASTING, remark);
    return undefined;
  }
  if (groups.groups.isReadForbidden(header.consumerGroup, header.topic)) {
    const remark = `the consumer group[${header.consumerGroup}] is forbidden for topic[${header.topic}]`;
    forbid(exchange, FORBIDDEN.SUBSCRIPTION, remark);
    return undefined;
  }
  const subscription = online.subscriptions.get(header.topic);
  if (subscription === undefined) {
    throw new Refusal(ResponseCode.SUBSCRIPTION_NOT_EXIST, "the consumer's subscription not exist");
  }
  if (subscription.subVersion < header.subVersion) {
    throw new Refusal(ResponseCode.SUBSCRIPTION_NOT_LATEST, "the consumer's subscription not latest");
  }
  return subscription;
}

/** The filter of a subscription by SQL92: compiled from the request, or the one the group's heartbeat brought. */
function sqlFilter(
  { filters, options }: PullMessageNeeds,
  header: PullMessageRequestHeader,
  { expressionType, subString, classFilterMode }: SubscriptionData,
): SqlFilter | undefined {
  if (isTagType(expressionType)) return undefined;
  let filter: SqlFilter;
  if ((header.sysFlag & PullSysFlag.SUBSCRIPTION) !== 0) {
    const compiled = filters.compile(expressionType, subString);
    if (compiled instanceof BrokerError) {
      throw new Refusal(
        ResponseCode.SUBSCRIPTION_PARSE_FAILED,
        `parse the consumer's subscription failed: ${compiled.message}`,
      );
    }
    filter = compiled;
  } else {
    const known = filters.get(header.topic, header.consumerGroup);
    if (known === undefined) {
      throw new Refusal(
        ResponseCode.FILTER_DATA_NOT_EXIST,
        "The broker's consumer filter data is not exist!Your expression may be wrong!",
      );
    }
    if (known.clientVersion < header.subVersion) {
      throw new Refusal(
        ResponseCode.FILTER_DATA_NOT_LATEST,
        "the consumer's consumer filter data not latest",
      );
    }
    filter = known.filter;
  }
  if (!options.enablePropertyFilter) throw noFilter(expressionType);
  return classFilterMode ? undefined : filter;
}

function tagsFilter(subscription: SubscriptionData): ((tagsCode: number) => boolean) | undefined {
  if (!isTagType(subscription.expressionType)) return undefined;
  if (subscription.classFilterMode || subscription.subString === SUB_ALL) return undefined;
  return (tagsCode) => matchesTagsCode(subscription, tagsCode);
}

function forbid(exchange: Exchange, forbiddenType: number, remark: string): void {
  exchange.reply({
    code: ResponseCode.NO_PERMISSION,
    remark,
    header: (sink) => sink.put("forbiddenType", String(forbiddenType)),
  });
}

/** One pull from its first look into the queue to its answer; what the store hands out is released exactly once. */
class Pull implements ParkedPull {
  readonly peer: Peer;
  readonly topic: string;
  readonly queueId: number;
  /** Moves on while it is parked, past messages its filter does not want. */
  offset: number;
  readonly matches: ((tagsCode: number) => boolean) | undefined;
  readonly #filter: RecordFilter | undefined;
  /** It was parked: what does not match does not end it. */
  #wasParked = false;
  #hasMoved = false;
  readonly deadlineMs: number;
  heapIndex = -1;
  readonly #needs: PullMessageNeeds;
  readonly #exchange: Exchange;
  readonly #topicSysFlag: number;
  readonly group: string;
  readonly #groupSysFlag: number;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #maySuspend: boolean;

  constructor(
    needs: PullMessageNeeds,
    header: PullMessageRequestHeader,
    exchange: Exchange,
    topic: TopicConfig,
    group: SubscriptionGroupConfig,
    filter: SqlFilter | ((tagsCode: number) => boolean) | undefined,
  ) {
    const { options } = needs;
    this.#needs = needs;
    this.#exchange = exchange;
    this.peer = exchange.peer;
    this.topic = header.topic;
    this.queueId = header.queueId;
    this.offset = header.queueOffset;
    if (typeof filter === "function") this.matches = filter;
    else if (filter !== undefined) this.#filter = needs.filters.recordFilter(filter);
    this.#topicSysFlag = topic.topicSysFlag;
    this.group = group.groupName;
    this.#groupSysFlag = group.groupSysFlag;
    this.#messagesMax = within(header.maxMsgNums, options.maxTransferCountOnMessageInMemory);
    this.#bytesMax = within(header.maxMsgBytes, options.maxTransferBytesOnMessageInMemory);
    const asked = options.longPollingEnable ? header.suspendTimeoutMillis : options.shortPollingTimeMills;
    const suspendMs = Math.min(asked, options.suspendTimeoutMillisMax);
    this.#maySuspend = (header.sysFlag & PullSysFlag.SUSPEND) !== 0 && suspendMs > 0;
    this.deadlineMs = needs.clock.monotonicMs() + suspendMs;
  }

  run(): void {
    const { offsets, store } = this.#needs;
    const reset = offsets.takeReset(this.group, this.topic, this.queueId);
    if (reset !== undefined) {
      this.#answer(ResponseCode.PULL_OFFSET_MOVED, "OFFSET_RESET", {
        nextBeginOffset: reset,
        minOffset: store.minOffset(this.topic, this.queueId),
        maxOffset: store.readableEnd(this.topic, this.queueId),
      });
      return;
    }
    this.#filter?.begin();
    store.get(
      {
        topic: this.topic,
        queueId: this.queueId,
        offset: this.offset,
        messagesMax: this.#messagesMax,
        bytesMax: this.#bytesMax,
        matches: this.matches,
        matchesRecord: this.#filter?.matches,
        stopBefore: this.#filter?.isOver,
      },
      (result) => this.#looked(result),
    );
  }

  resume(reason: ResumeReason): void {
    this.#wasParked = true;
    if (this.#filter === undefined || reason !== "woken") this.#maySuspend = false;
    if (reason !== "stopped") {
      this.run();
      return;
    }
    const { store } = this.#needs;
    this.#answer(ResponseCode.PULL_NOT_FOUND, "the broker is stopping", {
      nextBeginOffset: this.offset,
      minOffset: store.minOffset(this.topic, this.queueId),
      maxOffset: store.readableEnd(this.topic, this.queueId),
    });
  }

  #looked(result: GetResult): void {
    const { store, longPoll, stats, pullOffsets } = this.#needs;
    pullOffsets.note(this.group, this.topic, this.queueId, result.nextBeginOffset);
    let code = codeOf(result.status, this.offset);
    if (code === ResponseCode.SUCCESS) {
      stats.got(result.messageCount, result.byteCount, this.topic, this.group);
      this.#answer(code, result.status, result, result);
      return;
    }
    result.release();
    if (this.#isPassed(result)) {
      this.offset = result.nextBeginOffset;
      this.#hasMoved = true;
      code = ResponseCode.PULL_NOT_FOUND;
    }
    if (code === ResponseCode.PULL_NOT_FOUND && this.#maySuspend) {
      // What arrived between the look and now would never wake this pull: look again.
      if (store.readableEnd(this.topic, this.queueId) > result.maxOffset) {
        this.run();
        return;
      }
      if (longPoll.park(this)) return;
    }
    // Whoever pulls takes the new offset from this code, too.
    const moved = this.#hasMoved && code === ResponseCode.PULL_NOT_FOUND;
    stats.missed();
    if (moved) this.#answer(ResponseCode.PULL_RETRY_IMMEDIATELY, "NO_MATCHED_MESSAGE", result);
    else this.#answer(code, result.status, result);
  }

  /** It was parked, and nothing up to the queue's end is wanted: it may go on waiting behind that. */
  #isPassed({ status, nextBeginOffset, maxOffset }: GetResult): boolean {
    return (
      this.#filter !== undefined &&
      this.#wasParked &&
      status === "NO_MATCHED_MESSAGE" &&
      nextBeginOffset >= maxOffset
    );
  }

  #answer(
    code: number,
    remark: string,
    offsets: { readonly nextBeginOffset: number; readonly minOffset: number; readonly maxOffset: number },
    found?: GetResult,
  ): void {
    const { nextBeginOffset, minOffset, maxOffset } = offsets;
    this.#exchange.reply({
      code,
      remark,
      header: (sink) =>
        pullMessageResponseHeader.encode(
          {
            suggestWhichBrokerId: MASTER_ID,
            nextBeginOffset,
            minOffset,
            maxOffset,
            topicSysFlag: this.#topicSysFlag,
            groupSysFlag: this.#groupSysFlag,
          },
          sink,
        ),
      body: found?.slices,
      isLongPolling: this.#wasParked,
      written: found === undefined ? undefined : () => found.release(),
    });
  }
}

/** At least one, at most `max`; absent or no positive number: `max`. */
function within(asked: number | undefined, max: number): number {
  return asked === undefined || asked <= 0 ? max : Math.min(asked, max);
}

function codeOf(status: GetStatus, offset: number): number {
  switch (status) {
    case "FOUND":
      return ResponseCode.SUCCESS;
    case "MESSAGE_WAS_REMOVING":
    case "NO_MATCHED_MESSAGE":
      return ResponseCode.PULL_RETRY_IMMEDIATELY;
    case "NO_MATCHED_LOGIC_QUEUE":
    case "NO_MESSAGE_IN_QUEUE":
      return offset === 0 ? ResponseCode.PULL_NOT_FOUND : ResponseCode.PULL_OFFSET_MOVED;
    case "OFFSET_FOUND_NULL":
    case "OFFSET_OVERFLOW_ONE":
      return ResponseCode.PULL_NOT_FOUND;
    case "OFFSET_OVERFLOW_BADLY":
    case "OFFSET_TOO_SMALL":
      return ResponseCode.PULL_OFFSET_MOVED;
  }
}
