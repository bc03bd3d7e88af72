/** The broker: requests → store → answers (RocketMQ: BrokerController). Skeleton; the behaviour follows. */
import { type Host, type Logger, type SocketAddress, silentLogger } from "@orbitmq/host";
import type { BrokerOptions } from "./broker-options.ts";

export class Broker {
  constructor(_host: Host, _options: BrokerOptions, _logger: Logger = silentLogger) {}

  /**
   * Loads topics, groups and offsets, listens, and begins to register; the store must be running. Resolves
   * once requests are served. Rejects with HostError (EADDRINUSE, …) or BrokerError.
   */
  start(): Promise<void> {
    throw new Error("not there yet");
  }

  /** Where it listens, once started. */
  get local(): SocketAddress {
    throw new Error("not there yet");
  }

  /** What clients are told, `host:port`. */
  get address(): string {
    throw new Error("not there yet");
  }

  /** The VIP listener, when there is one. */
  get vip(): SocketAddress | undefined {
    throw new Error("not there yet");
  }

  /** Resolves when the first NameServer has taken the registration; at once when there are none to ask. */
  whenRegistered(): Promise<void> {
    throw new Error("not there yet");
  }

  /**
   * Unregisters from every NameServer, refuses what is new, answers what is in flight (parked pulls get 19),
   * writes the offsets, closes; at most `timeoutMs`. The store is the caller's to stop, afterwards.
   * Resolves with the number of requests left unanswered. Idempotent.
   */
  stop(_timeoutMs: number): Promise<{ readonly left: number }> {
    throw new Error("not there yet");
  }
}
