/** `orbitmq consumer list|status|stack|consume`. */
import type { MemberRunningInfo } from "@orbitmq/client";
import { ServerError, serverErrors } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags, WatchFlags } from "../client/client-flags.ts";
import { jsonLine, report } from "../client/report.ts";
import { pairs, rateText, timeText } from "../client/texts.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

export interface ConsumeDirectlyFlags extends ClientFlags {
  readonly client?: string;
}

export function listConsumers(
  group: string,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: (admin) => admin.consumerConnections(group),
    text: ({ connections, subscriptions, consumeType, messageModel, consumeFromWhere }) => {
      if (connections.length === 0) return `${group}: nobody is online\n`;
      const parts = [
        `${group}: ${messageModel}, ${consumeType}, ${consumeFromWhere}\n`,
        table(
          ["CLIENT", "ADDRESS", "LANGUAGE", "VERSION", "BROKERS"],
          connections.map(({ clientId, address, language, version, brokers }) => [
            clientId,
            address,
            language,
            version,
            brokers.join(", "),
          ]),
        ),
        table(
          ["TOPIC", "TYPE", "EXPRESSION"],
          subscriptions.map(({ topic, expressionType, expression }) => [topic, expressionType, expression]),
        ),
      ];
      return parts.join("\n");
    },
  });
}

export function consumerStatus(
  group: string,
  clientId: string,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: (admin) => admin.consumerRunningInfo(group, clientId),
    text: statusText,
  });
}

function statusText({ properties, subscriptions, queues, topics }: MemberRunningInfo): string {
  return [
    pairs(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))),
    table(
      ["TOPIC", "TYPE", "EXPRESSION"],
      subscriptions.map(({ topic, expressionType, expression }) => [topic, expressionType, expression]),
    ),
    table(
      ["TOPIC", "BROKER", "QUEUE", "COMMITTED", "IN FLIGHT", "LAST PULL", "LAST CONSUMED"],
      queues.map(({ queue, commitOffset, inFlight, lastPullTimestamp, lastConsumeTimestamp }) => [
        queue.topic,
        queue.brokerName,
        queue.queueId,
        commitOffset,
        inFlight,
        timeText(lastPullTimestamp),
        timeText(lastConsumeTimestamp),
      ]),
    ),
    table(
      ["TOPIC", "PULLED/S", "PULL MS", "OK/S", "FAILED/S", "CONSUME MS", "FAILED"],
      Object.entries(topics).map(([topic, each]) => [
        topic,
        rateText(each.pullTPS),
        rateText(each.pullRT),
        rateText(each.consumeOKTPS),
        rateText(each.consumeFailedTPS),
        rateText(each.consumeRT),
        each.consumeFailedMsgs,
      ]),
    ),
  ].join("\n");
}

export function consumerStack(
  group: string,
  clientId: string,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => {
      const { jstack } = await admin.consumerRunningInfo(group, clientId, { jstack: true });
      if (jstack === "")
        throw new ServerError(
          "REQUEST_FAILED",
          `${clientId} gives no stacks: clients of Java have threads to tell of, a Node process does not`,
        );
      return { group, clientId, jstack };
    },
    text: ({ jstack }) => (jstack.endsWith("\n") ? jstack : `${jstack}\n`),
  });
}

/** Ends with the code of a failed request unless the member says that it has consumed the message. */
export function consumeDirectly(
  group: string,
  topic: string,
  id: string,
  flags: ConsumeDirectlyFlags,
  terminal: Terminal,
): Promise<number> {
  return withAdmin(flags, terminal, async (admin) => {
    const { offsetMsgId, queue } = await admin.viewMessage(topic, id);
    const options = { group, topic, offsetMsgId, clientId: flags.client };
    const result = await admin.consumeDirectly(queue.brokerName, options);
    const { clientId, consumeResult, remark, spentTimeMills } = result;
    const why = remark === "" ? "" : `: ${remark}`;
    await terminal.out(
      flags.json === true
        ? jsonLine({ group, topic, offsetMsgId, ...result })
        : `${clientId}: ${consumeResult} after ${spentTimeMills} ms${why}\n`,
    );
    return consumeResult === "CR_SUCCESS" || consumeResult === "CR_COMMIT"
      ? 0
      : serverErrors.REQUEST_FAILED[0];
  });
}
