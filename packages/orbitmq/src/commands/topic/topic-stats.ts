/** `orbitmq topic stats`: what flows into a topic, out of it to each of its groups, and what each has before it. */
import type { Admin, BrokerStats, ServerFailure } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags, WatchFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { rateText } from "../client/texts.ts";
import { table } from "../table.ts";

interface Flow {
  /** Messages per second over the last minute. */
  readonly perSecond: number;
  readonly lastHour: number;
  readonly lastDay: number;
}

interface TopicStats {
  readonly topic: string;
  readonly in: Flow;
  /** Bytes that came in during the last day. */
  readonly inBytesLastDay: number;
  readonly groups: readonly {
    readonly group: string;
    readonly out: Flow;
    /** Messages before it. */
    readonly lag: number;
  }[];
  readonly failures: readonly ServerFailure[];
}

export function topicStats(
  topic: string,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, { look: (admin) => statsOf(admin, topic), text: statsText });
}

async function statsOf(admin: Admin, topic: string): Promise<TopicStats> {
  const [put, bytes, { groups, failures }, progress] = await Promise.all([
    admin.brokerStats("TOPIC_PUT_NUMS", topic),
    admin.brokerStats("TOPIC_PUT_SIZE", topic),
    admin.groupsOfTopic(topic),
    admin.consumeProgress(),
  ]);
  const outs = await Promise.all(
    groups.map((group) => admin.brokerStats("GROUP_GET_NUMS", `${topic}@${group}`)),
  );
  return {
    topic,
    in: flowOf(put.brokers),
    inBytesLastDay: flowOf(bytes.brokers).lastDay,
    groups: groups.map((group, index) => ({
      group,
      out: flowOf(outs[index]?.brokers ?? []),
      lag: progress.groups
        .filter((each) => each.group === group && each.topic === topic)
        .reduce((sum, each) => sum + each.lag, 0),
    })),
    failures,
  };
}

function flowOf(brokers: readonly BrokerStats[]): Flow {
  let perSecond = 0;
  let lastHour = 0;
  let lastDay = 0;
  for (const { statsMinute, statsHour, statsDay } of brokers) {
    perSecond += statsMinute.tps;
    lastHour += statsHour.sum;
    lastDay += statsDay.sum;
  }
  return { perSecond, lastHour, lastDay };
}

function statsText({ in: put, groups, topic }: TopicStats): string {
  return table(
    ["FLOW", "PER SECOND", "LAST HOUR", "LAST DAY", "LAG"],
    [
      [`into ${topic}`, rateText(put.perSecond), put.lastHour, put.lastDay, ""],
      ...groups.map(({ group, out, lag }) => [
        `to ${group}`,
        rateText(out.perSecond),
        out.lastHour,
        out.lastDay,
        lag,
      ]),
    ],
  );
}
