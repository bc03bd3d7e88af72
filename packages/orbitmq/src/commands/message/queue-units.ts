/** `orbitmq message units`: what a ConsumeQueue holds, for looking into. */
import type { MessageQueue } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { table } from "../table.ts";

export interface QueueUnitsFlags extends ClientFlags {
  readonly from?: number;
  readonly count: number;
  readonly group?: string;
}

export function queueUnits(
  queue: MessageQueue,
  { from, count, group, ...flags }: QueueUnitsFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => {
      const first = from ?? (await admin.queueBounds(queue)).minOffset;
      return { queue, from: first, ...(await admin.consumeQueue(queue, { from: first, count, group })) };
    },
    text: ({ from: first, queueData = [], minQueueIndex, maxQueueIndex, subscriptionData }) => {
      const rows = queueData.map(({ physicOffset, physicSize, tagsCode }, index) => [
        first + index,
        physicOffset,
        physicSize,
        tagsCode,
      ]);
      const wants =
        group === undefined ? "" : `${group} subscribes to ${subscriptionData?.subString ?? "nothing"}\n`;
      const head = `offsets ${minQueueIndex} to ${maxQueueIndex}\n${wants}`;
      return `${head}\n${table(["OFFSET", "LOG OFFSET", "BYTES", "TAGS CODE"], rows)}`;
    },
    json: ({ subscriptionData, ...rest }) => ({
      ...rest,
      subscription: subscriptionData?.subString ?? null,
    }),
  });
}
