/** What a starting server says about itself on stderr: who listens where, what clients will be told, what is safe. */
import { resolve as absolutePath } from "node:path";
import { styleText } from "node:util";
import { isLoopback, joinAddress } from "../../addresses.ts";
import type { Server } from "../../server.ts";

export interface BannerFacts {
  readonly version: string;
  readonly pid: number;
  readonly nodeVersion: string;
  /** How this command is called, for the lines to try. */
  readonly program: string;
  /** Of the configuration. */
  readonly warnings: readonly string[];
}

/** Label and text, in order; `try` lines have an empty label. */
export type BannerLine = readonly [label: string, text: string];

const DURABILITY = {
  SYNC_FLUSH: "SYNC_FLUSH: a message is acknowledged when it is on disk",
  ASYNC_FLUSH:
    "ASYNC_FLUSH: a message is acknowledged before it is on disk; a crash of the machine loses the last ones",
};

export function bannerLines(server: Server, facts: BannerFacts): BannerLine[] {
  const { settings, addresses, advertisement } = server;
  const { config } = settings;
  const lines: BannerLine[] = [["OrbitMQ", `${facts.version}, pid ${facts.pid}, Node ${facts.nodeVersion}`]];
  const { namesrvListens, brokerListens, vipListens } = addresses;
  if (namesrvListens !== undefined)
    lines.push(["NameServer", `listens on ${joinAddress(namesrvListens.host, namesrvListens.port)}`]);
  if (brokerListens !== undefined) {
    const vip = vipListens === undefined ? "no VIP listener" : `VIP ${vipListens.port}`;
    lines.push([
      "broker",
      `listens on ${joinAddress(brokerListens.host, brokerListens.port)} (${vip}); ${config.text("brokerName")} in ${config.text("brokerClusterName")}`,
    ]);
    const others = config.text("namesrvAddr");
    if (settings.role === "broker")
      lines.push(["NameServers", others || "none: nobody will find this broker"]);
    else if (others !== "")
      lines.push(["NameServers", `registered with ${others}, too (${config.sourceOf("namesrvAddr").where})`]);
    lines.push(["clients", `are told ${addresses.brokerAddr} (${advertisement?.because})`]);
    lines.push(["store", storeLine(server)]);
    lines.push([
      "durability",
      settings.store === "memory"
        ? "none: messages are kept in memory only"
        : DURABILITY[config.text("flushDiskType") === "ASYNC_FLUSH" ? "ASYNC_FLUSH" : "SYNC_FLUSH"],
    ]);
  }
  const warnings = [...facts.warnings, ...(advertisement?.warnings ?? []), ...farNameServers(server)];
  for (const warning of warnings) lines.push(["warning", warning]);
  if (settings.role === "server") {
    const at = addresses.namesrvAddr === "127.0.0.1:9876" ? "" : ` -n ${addresses.namesrvAddr}`;
    lines.push(["try", `${facts.program} send hello "first message"${at}`]);
    lines.push(["", `${facts.program} consume hello --from first${at}`]);
  }
  return lines;
}

/** A NameServer elsewhere that hands out an address only this machine can use misleads everybody who asks it. */
function farNameServers({ settings, advertisement }: Server): string[] {
  if (advertisement === undefined || !isLoopback(advertisement.host)) return [];
  const { value, where } = settings.config.sourceOf("namesrvAddr");
  const far = String(value)
    .split(";")
    .filter((address) => address !== "" && !isLoopback(address.slice(0, address.lastIndexOf(":"))));
  return far.map(
    (address) =>
      `${where}: the NameServer ${address} will tell everybody that this broker is at ${advertisement.host}; use --host and --advertise, or leave it out`,
  );
}

function storeLine(server: Server): string {
  const { settings, createdStore } = server;
  if (settings.store === "memory") return "in memory";
  const home = absolutePath(settings.config.text("storePathRootDir"));
  if (createdStore) return `${home}: new store`;
  const status = server.storeStatus();
  const count = status?.messageCount ?? 0;
  if (count === 0) return `${home}: no messages`;
  const last = new Date(status?.lastStoreTimestamp ?? 0).toISOString();
  return `${home}: ${String(count).replace(/\B(?=(\d{3})+$)/g, ",")} ${count === 1 ? "message" : "messages"}, last at ${last}`;
}

/** As text for people; labels in colour where there is a terminal that shows it. */
export function bannerText(lines: readonly BannerLine[], colours = false): string {
  const width = Math.max(...lines.map(([label]) => label.length));
  const paint = (label: string) => {
    const padded = label.padEnd(width);
    return colours
      ? styleText(label === "warning" ? "yellow" : "cyan", padded, { validateStream: false })
      : padded;
  };
  return lines.map(([label, text]) => `${paint(label)}  ${text}\n`).join("");
}
