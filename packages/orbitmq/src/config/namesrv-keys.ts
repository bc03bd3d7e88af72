/** What a NameServer is asked for and tells, in `orbitmq namesrv` and in `orbitmq server` alike. */
import type { SupportedKey } from "./supported-keys.ts";
import { flag, text } from "./value-kinds.ts";

export const nameServerKeys: readonly SupportedKey[] = [
  {
    key: "kvConfigPath",
    kind: text,
    default: "",
    rocketmqDefault: "~/namesrv/kvConfig.json",
    description:
      "The file of the NameServer's KV configuration; empty: `config/kvConfig.json` in the store's folder, of `orbitmq namesrv` `./namesrv/kvConfig.json`. It is made when something is put into it.",
  },
  {
    key: "orderMessageEnable",
    kind: flag,
    default: "false",
    description:
      "Whether the NameServer's routes name the order of ordered topics (KV configuration, namespace ORDER_TOPIC_CONFIG).",
  },
  {
    key: "returnOrderTopicConfigToBroker",
    kind: flag,
    default: "true",
    description: "Whether the NameServer tells brokers that register which topics are ordered.",
  },
  {
    key: "enableAllTopicList",
    kind: flag,
    default: "true",
    description: "Whether the NameServer tells the names of all topics.",
  },
  {
    key: "enableTopicList",
    kind: flag,
    default: "true",
    description: "Whether the NameServer tells the names of topics by cluster and by unit.",
  },
];
