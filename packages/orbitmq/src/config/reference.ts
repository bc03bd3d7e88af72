/** Writes docs/configuration.md from the key table, so that the page cannot say anything else than the code. */
import { type KeyDefinition, keyTable } from "./key-table.ts";
import { isRuntimeKey } from "./runtime-keys.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");
const code = (text: string): string => (text === "" ? "" : `\`${cell(text)}\``);

function supportedRows(keys: readonly KeyDefinition[]): string[] {
  return keys.map(({ key, default: fallback, kind, description, rocketmqDefault, own }) => {
    const atRunTime = isRuntimeKey(key) ? " Can be changed at run time." : "";
    const rocketmq = own ? "no such key" : (rocketmqDefault ?? "the same");
    return `| \`${key}\` | ${code(fallback) || "none"} | ${cell(rocketmq)} | ${cell(kind.expected)} | ${cell(description)}${atRunTime} |`;
  });
}

function inertGroups(keys: readonly KeyDefinition[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { key, description, default: fallback } of keys) {
    const shown = fallback === "" ? `\`${key}\`` : `\`${key}\` (${cell(fallback)})`;
    groups.set(description, [...(groups.get(description) ?? []), shown]);
  }
  return [...groups].map(([reason, names]) => `- **${reason}**: ${names.join(", ")}`);
}

const SUPPORTED_HEAD = [
  "| key | default | RocketMQ's default | values | what it does |",
  "|---|---|---|---|---|",
];

export function configurationReference(): string {
  const broker = [...keyTable("broker").values()];
  const namesrv = [...keyTable("namesrv").values()];
  const having = (keys: readonly KeyDefinition[], status: KeyDefinition["status"]) =>
    keys.filter((key) => key.status === status);
  return [
    "# Configuration",
    "",
    "<!-- Written by `npm run docs` from packages/orbitmq/src/config; a test compares the two. -->",
    "",
    "OrbitMQ reads RocketMQ's own `broker.conf` and `namesrv.conf`, with RocketMQ's keys. A value comes from, in this",
    "order: a flag, `-o key=value`, the environment, the file given with `-c`, the default. In the environment a key is",
    "`ORBITMQ_<KEY>`, in any case and with or without underscores: `ORBITMQ_FLUSH_DISK_TYPE` is `flushDiskType`.",
    "`NAMESRV_ADDR` is `namesrvAddr`, as in RocketMQ.",
    "",
    "- `orbitmq config show -c broker.conf` prints every value in force and where it comes from, secrets masked.",
    "- `orbitmq config check -c broker.conf` says what is wrong; its exit code is 2 when a server would not start.",
    "- A wrong value stops the start with file, line, key and what was expected; also when something stronger overrides it.",
    "- An unknown key is named with a warning, and with the key that was probably meant.",
    "- The file is Java's properties format, read as UTF-8 (and as ISO-8859-1 when it is not UTF-8).",
    "",
    "## Changes at run time",
    "",
    "`mqadmin updateBrokerConfig`, `updateNamesrvConfig` and what else sends these requests change the keys below that say",
    "so, all that are named or none; others are refused by name, with the reason. A change counts at once and is kept in",
    "`config/orbitmq-config.json` of the store (of `orbitmq namesrv`: beside kvConfig.json), which stands above flags,",
    "environment and file; none of these is rewritten. A value that is changed there by hand afterwards has the last word:",
    "the kept one is dropped at the next start, with a warning. Setting a key back to what is written by hand ends it,",
    "too. `fileReservedTime` can only be raised while a broker runs.",
    "",
    "## Keys of broker.conf",
    "",
    ...SUPPORTED_HEAD,
    ...supportedRows(having(broker, "supported")),
    "",
    "## Keys of namesrv.conf",
    "",
    ...SUPPORTED_HEAD,
    ...supportedRows(having(namesrv, "supported")),
    "",
    "## Keys that stop the start",
    "",
    "They promise a safety that is not built yet. Starting without it would break the promise in silence, so a value",
    "other than the one given here stops the start, unless the key is named in `--ignore-keys`.",
    "",
    "| key | starts with | promises |",
    "|---|---|---|",
    ...having(broker, "safety").map(
      ({ key, default: fallback, description }) =>
        `| \`${key}\` | ${code(fallback)} | ${cell(description)} |`,
    ),
    "",
    "## Keys without effect",
    "",
    "Accepted with a warning each, so that a file written for RocketMQ starts as it is. In brackets RocketMQ's default.",
    "",
    "### broker.conf",
    "",
    ...inertGroups(having(broker, "without-effect")),
    "",
    "### namesrv.conf",
    "",
    ...inertGroups(having(namesrv, "without-effect")),
    "",
  ].join("\n");
}
