/**
 * Says, before old messages are removed, which of them a group never consumed: topic, group and count, one line
 * each. A group is known by the offsets it has committed for the topic; one that never committed any is not seen.
 * (RocketMQ removes them in silence.)
 */
import type { Logger } from "@orbitmq/host";
import type { RemovalListener, RemovedMessages } from "@orbitmq/store";
import type { Offsets } from "./offsets.ts";

/** Lines of one removal; what is beyond is summed up in one more. */
const LINES_MAX = 100;

export class UnconsumedWarning implements RemovalListener {
  readonly #offsets: Offsets;
  readonly #logger: Logger;

  constructor(offsets: Offsets, logger: Logger) {
    this.#offsets = offsets;
    this.#logger = logger;
  }

  messagesRemoved(removed: readonly RemovedMessages[]): void {
    let lines = 0;
    let silent = 0;
    for (const [topic, groups] of this.#unconsumed(removed)) {
      for (const [group, count] of groups) {
        lines += 1;
        if (lines > LINES_MAX) silent += count;
        else
          this.#logger.warn({ topic, group, count }, "messages are deleted that the group has not consumed");
      }
    }
    if (lines <= LINES_MAX) return;
    this.#logger.warn(
      { count: silent, groups: lines - LINES_MAX },
      "further messages are deleted that groups have not consumed",
    );
  }

  /** topic → group → messages not consumed. */
  #unconsumed(removed: readonly RemovedMessages[]): Map<string, Map<string, number>> {
    const ranges = new Map<string, RemovedMessages>();
    for (const range of removed) ranges.set(`${range.queueId}@${range.topic}`, range);
    const topics = new Map<string, Map<string, number>>();
    for (const { topic, group, queueId, offset } of this.#offsets.entries()) {
      const range = ranges.get(`${queueId}@${topic}`);
      if (range === undefined || offset >= range.to) continue;
      let groups = topics.get(topic);
      if (groups === undefined) {
        groups = new Map();
        topics.set(topic, groups);
      }
      groups.set(group, (groups.get(group) ?? 0) + range.to - Math.max(offset, range.from));
    }
    return topics;
  }
}
