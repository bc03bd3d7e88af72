/** The NameServer: who serves which topic (RocketMQ: NamesrvController). Skeleton; the behaviour follows. */
import { type Host, type Logger, type SocketAddress, silentLogger } from "@orbitmq/host";
import type { NameServerOptions } from "./nameserver-options.ts";

export class NameServer {
  constructor(_host: Host, _options: NameServerOptions = {}, _logger: Logger = silentLogger) {}

  /** Listens on `local` (port 0: any free one) and resolves with the real address. Rejects with HostError. */
  start(_local: SocketAddress): Promise<SocketAddress> {
    throw new Error("not there yet");
  }

  /** Answers what is in flight, then closes; at most `timeoutMs` (default 3000). Idempotent. */
  stop(_timeoutMs?: number): Promise<void> {
    throw new Error("not there yet");
  }
}
