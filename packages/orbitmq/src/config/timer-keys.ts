/** The configuration keys of messages that are delivered at a time, under RocketMQ's names and with its defaults. */
import type { SupportedKey } from "./supported-keys.ts";
import { flag, integer } from "./value-kinds.ts";

const TEN_YEARS_SEC = 10 * 365 * 86_400;

export const timerKeys: readonly SupportedKey[] = [
  {
    key: "timerWheelEnable",
    kind: flag,
    default: "true",
    description:
      "Whether messages may be sent for a time (TIMER_DELIVER_MS and its like); if not, they are refused.",
  },
  {
    key: "timerMaxDelaySec",
    kind: integer(1, TEN_YEARS_SEC, "seconds"),
    default: "259200",
    description: "How far ahead a message may be sent for a time.",
  },
  {
    key: "timerRollWindowSlot",
    kind: integer(2, 604_740, "seconds"),
    default: "172800",
    description:
      "How long such a message waits at a stretch; then it is put into the log again. At most two thirds of fileReservedTime count.",
  },
  {
    key: "timerFlushIntervalMs",
    kind: integer(1, 3_600_000, "ms"),
    default: "1000",
    description:
      "The progress of timed messages is saved this long after it changed; what it lacks is delivered again after a crash.",
  },
  {
    key: "timerCongestNumEachSlot",
    kind: integer(1, 2_147_483_647),
    default: "2147483647",
    description: "Messages due in one second beyond which some are refused; beyond twice as many all are.",
  },
  {
    key: "mappedFileSizeTimerLog",
    kind: integer(68, 1_073_741_824, "bytes"),
    default: "104857600",
    description: "Length of the files of `timerlog/`; a store with others has them made anew.",
  },
  {
    key: "recallMessageEnable",
    kind: flag,
    default: "false",
    description: "Whether a sender may take back a message that waits for its time.",
  },
  {
    key: "allowRecallWhenBrokerNotWriteable",
    kind: flag,
    default: "true",
    description: "Whether that is so while brokerPermission lets nobody write.",
  },
];
