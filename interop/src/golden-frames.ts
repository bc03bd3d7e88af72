/**
 * Picks, from all frames that pass a tap, one of each kind per set-up, names its file after the command and what is
 * particular about it, and keeps the index that tells where each came from. Request and answer are picked together.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FrameHead, frameHead } from "./frame-head.ts";
import type { TappedConnection } from "./frame-tap.ts";

/** Names of the commands that occur; a code without one is recorded under its number alone. */
const COMMANDS: Readonly<Record<number, string>> = {
  10: "send-message",
  11: "pull-message",
  12: "query-message",
  14: "query-consumer-offset",
  15: "update-consumer-offset",
  17: "update-and-create-topic",
  21: "get-all-topic-config",
  26: "get-broker-config",
  28: "get-broker-runtime-info",
  29: "search-offset-by-timestamp",
  30: "get-max-offset",
  31: "get-min-offset",
  33: "view-message-by-id",
  34: "heart-beat",
  35: "unregister-client",
  36: "consumer-send-msg-back",
  37: "end-transaction",
  38: "get-consumer-list-by-group",
  39: "check-transaction-state",
  40: "notify-consumer-ids-changed",
  41: "lock-batch-mq",
  42: "unlock-batch-mq",
  103: "register-broker",
  104: "unregister-broker",
  105: "get-routeinfo-by-topic",
  106: "get-broker-cluster-info",
  200: "update-and-create-subscriptiongroup",
  201: "get-all-subscriptiongroup-config",
  202: "get-topic-stats-info",
  203: "get-consumer-connection-list",
  204: "get-producer-connection-list",
  206: "get-all-topic-list-from-nameserver",
  208: "get-consume-stats",
  220: "reset-consumer-client-offset",
  221: "get-consumer-status-from-client",
  222: "invoke-broker-to-reset-offset",
  223: "invoke-broker-to-get-consumer-status",
  307: "get-consumer-running-info",
  310: "send-message-v2",
  320: "send-batch-message",
  322: "query-data-version",
  351: "get-topic-config",
};

export interface GoldenFrame {
  readonly file: string;
  readonly kind: "request" | "oneway" | "response";
  /** Request code of the conversation, also for a response. */
  readonly command: number;
  /** The code in the frame's own header. */
  readonly code: number;
  readonly encoding: "JSON" | "ROCKETMQ";
  /** Version number in the header: 513 is 5.5.0, 409 is 4.9.8. */
  readonly version: number;
  /** Who sent it; the other side of a client is a server of 5.5.0 and the other way round. */
  readonly from: string;
}

// The longest answers, kept from one set-up only: what is in them depends on neither client nor encoding.
const LONG_ANSWERS: readonly number[] = [26, 201];
const LONG_ANSWERS_SETUP = "client-5.5.0-json";

interface Pending {
  readonly head: FrameHead;
  readonly frame: Buffer;
  readonly fromServer: boolean;
}

export interface Peers {
  readonly client: string;
  readonly server: string;
}

export class GoldenFrames {
  readonly #pending = new Map<TappedConnection, Map<string, Pending>>();
  readonly #frames = new Map<string, { readonly entry: GoldenFrame; readonly frame: Buffer }>();

  /**
   * Takes note of a frame; `connection.label` is the set-up, which is also the folder. Returns the command when the
   * frame answers one.
   */
  see(connection: TappedConnection, peers: Peers, fromServer: boolean, frame: Buffer): number | undefined {
    const head = frameHead(frame);
    let open = this.#pending.get(connection);
    if (open === undefined) {
      open = new Map();
      this.#pending.set(connection, open);
    }
    if (!head.isResponse) {
      const request = { head, frame, fromServer };
      if (head.isOneway) this.#pick(connection.label, peers, request, undefined);
      else open.set(`${fromServer}:${head.opaque}`, request);
      return undefined;
    }
    const key = `${!fromServer}:${head.opaque}`;
    const request = open.get(key);
    if (request === undefined)
      throw new Error(`${connection.label}: a response to no request, opaque ${head.opaque}`);
    open.delete(key);
    this.#pick(connection.label, peers, request, { head, frame, fromServer });
    return request.head.code;
  }

  #pick(setup: string, peers: Peers, request: Pending, response: Pending | undefined): void {
    const { code } = request.head;
    const command = COMMANDS[code];
    const name = `${setup}/${code}${command === undefined ? "" : `-${command}`}${variant(request, response)}`;
    const kind = response === undefined ? "oneway" : "request";
    if (this.#frames.has(fileOf(name, kind)) || (LONG_ANSWERS.includes(code) && setup !== LONG_ANSWERS_SETUP))
      return;
    this.#keep(name, kind, code, peers, request);
    if (response !== undefined) this.#keep(name, "response", code, peers, response);
  }

  #keep(name: string, kind: GoldenFrame["kind"], command: number, peers: Peers, seen: Pending): void {
    const file = fileOf(name, kind);
    const { code, encoding, version } = seen.head;
    const from = seen.fromServer ? peers.server : peers.client;
    const entry = { file, kind, command, code, encoding, version, from };
    this.#frames.set(file, { entry, frame: seen.frame });
  }

  /** Writes every picked frame below `directory` and returns the index. */
  async write(directory: string): Promise<readonly GoldenFrame[]> {
    const files = [...this.#frames.keys()].sort();
    const index: GoldenFrame[] = [];
    for (const file of files) {
      const { entry, frame } = this.#frames.get(file)!;
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), frame);
      index.push(entry);
    }
    return index;
  }
}

function fileOf(name: string, kind: GoldenFrame["kind"]): string {
  return `frames/${name}.${kind}.bin`;
}

const PULL_RESULTS: Readonly<Record<number, string>> = {
  0: "-found",
  19: "-not-found",
  20: "-no-match",
  21: "-offset-moved",
};
const SUSPEND = 2;
const SUBSCRIPTION = 4;

/** What is particular about an exchange beyond its command. */
function variant(request: Pending, response: Pending | undefined): string {
  const { code, ext } = request.head;
  const result = response?.head.code ?? 0;
  if (code === 11) {
    const sysFlag = Number(ext["sysFlag"]);
    const held = (sysFlag & SUSPEND) !== 0 ? "-held" : "";
    const subscription = (sysFlag & SUBSCRIPTION) !== 0 ? "-with-subscription" : "";
    return `${subscription}${held}${PULL_RESULTS[result] ?? `-${result}`}`;
  }
  let text = "";
  const properties = ext["i"] ?? ext["properties"];
  if (code === 310 || code === 10) {
    if (properties?.includes("TRAN_MSG\u0001") === true) text = "-half";
    else if (properties?.includes("KEYS\u0001") !== true) text = "-bare";
  }
  if (code === 103 && request.frame.includes("topicConfigTable") && !request.frame.includes("TBW102"))
    text = "-increment";
  if (code === 35) text = ext["consumerGroup"] === undefined ? "-producer" : "-consumer";
  if (code === 34) text = request.frame.includes('"consumerDataSet":[]') ? "-producer" : "-consumer";
  return result === 0 ? text : `${text}-refused-${result}`;
}
