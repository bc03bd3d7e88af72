/** What a {@link Send} needs of its producer. */
import type { Host, Logger } from "@orbitmq/host";
import type { RpcClient } from "@orbitmq/wire";
import type { RouteCache } from "../connection/route-cache.ts";
import type { Namespace } from "../names/namespace.ts";
import type { AttemptWatch } from "./attempt-watch.ts";
import type { FaultTable } from "./faults/fault-table.ts";
import type { PublishInfos } from "./publish-infos.ts";
import type { SendMode } from "./retry.ts";
import type { Send } from "./send.ts";

export interface SendContext {
  readonly host: Host;
  readonly logger: Logger;
  readonly rpc: RpcClient;
  readonly routes: RouteCache;
  readonly publishInfos: PublishInfos;
  readonly group: string;
  readonly defaultTopicQueueNums: number;
  readonly sendTimeoutMs: number;
  /** Of one attempt that may have another; `undefined`: none but the send's own. */
  readonly attemptTimeoutMs: number | undefined;
  readonly retriesStoredBadly: boolean;
  readonly namespace: Namespace;
  /** `undefined`: nobody is interested. */
  readonly watch: AttemptWatch | undefined;
  readonly faults: FaultTable | undefined;
  /** Where a broker takes sends. */
  vipAddress(address: string): string;
  /** Attempts a send of this mode has in all. */
  attemptsMax(mode: SendMode): number;
  /** A request to this address went unanswered. */
  suspect(address: string): void;
  /** A send to this topic has another attempt. */
  retried(topic: string): void;
  /** The send is over, its callback comes next. */
  settled(send: Send): void;
  /** Nothing of the send is in flight any more. */
  reusable(send: Send): void;
}
