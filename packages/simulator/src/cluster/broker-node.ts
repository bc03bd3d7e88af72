/**
 * A broker and its store as one process. A store that fail-stops ends the process, at once or after having
 * stayed up read-only for a while, as an operator or `--on-write-failure exit` would.
 */
import { Broker } from "@orbitmq/broker";
import type { Logger } from "@orbitmq/host";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import {
  type KeyQuery,
  type KeyQueryResult,
  type MessageStore,
  openMessageStore,
  StoreError,
} from "@orbitmq/store";
import { queueKey } from "../checker/history.ts";
import type { Scenario } from "../scenario.ts";
import { timerOptions } from "../timer-mode.ts";
import { transactionOptions } from "../transaction-mode.ts";
import { describe, type NodeContext, SimNode } from "./sim-node.ts";

export const BROKER_PORT = 10_911;
const HOME = "/var/orbitmq/store";

/** Short, lest seeds wait for retries. */
const DELAY_LEVELS = "1s 2s 2s 2s 3s 3s 3s 4s 4s 4s 5s 5s 5s 5s 5s 5s 5s 5s";

/** Longer than a member believes in a lock that it cannot renew; RocketMQ's minute would make seeds wait for the dead. */
const LOCK_LIVE_MS = 40_000;

/** Starting again helps; the disk was told to fail, or is full. */
const PASSING = new Set(["IO", "NO_SPACE", "LOCKED"]);

/** What a broker says when its log is damaged where it tells which transactions have ended. */
const TRANSACTIONS_DOUBTFUL = "a part of the log cannot be read, and is passed over";

/** Tells of every error, too. */
function listening(logger: Logger, heard: (message: string) => void): Logger {
  const error: Logger["error"] = (bindings: object | string, message?: string) => {
    heard(message ?? String(bindings));
    if (typeof bindings === "string") logger.error(bindings);
    else logger.error(bindings, message);
  };
  const { trace, debug, info, warn, fatal } = logger;
  return { trace, debug, info, warn, error, fatal };
}

/** A record begins with its own length, big-endian. */
function recordBytes(head: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = head;
  return Math.max(8, (a << 24) | (b << 16) | (c << 8) | d);
}

export class BrokerNode extends SimNode {
  readonly address: string;
  readonly #scenario: Scenario;
  readonly #namesrvAddrs: readonly string[];
  readonly #logger: Logger;
  #store: MessageStore | undefined;
  #broker: Broker | undefined;
  #serving = false;
  #logBegan = 0;
  readonly #segmentPaths: string[] = [];
  /** A record of its log is damaged for a while; starting may be refused meanwhile. */
  rotten = false;
  #whenServing: (() => void)[] = [];
  #whenEnded: (() => void)[] = [];

  constructor(
    context: NodeContext,
    machine: SimMachine,
    name: string,
    scenario: Scenario,
    namesrvAddrs: readonly string[],
    logger: Logger,
  ) {
    super(context, machine, name);
    this.#scenario = scenario;
    this.#namesrvAddrs = namesrvAddrs;
    this.#logger = listening(logger, (message) => {
      if (message.startsWith(TRANSACTIONS_DOUBTFUL))
        context.recorder.add({ kind: "transactions-doubtful", broker: name });
    });
    this.address = `${machine.address}:${BROKER_PORT}`;
    const { disk } = machine;
    const count = disk.onFault;
    disk.onFault = (fault, path) => {
      count(fault, path);
      context.log(`${name}'s disk: ${fault}, ${path}`);
      if (path.includes("orbitmq-locks") || path.endsWith("/config"))
        context.recorder.add({ kind: "locks-doubtful", broker: name });
      const isUnread = fault === "read-eio" || fault === "emfile";
      if (isUnread && path.includes("/config/"))
        context.recorder.add({ kind: "offsets-doubtful", broker: name });
    };
  }

  /** Between a completed start and the end of the process. */
  get serving(): boolean {
    return this.#serving;
  }

  /** Whether the record at this position of the log would survive any crash of the machine now. */
  survives(physicalOffset: number): boolean {
    const segmentBytes = this.#scenario.store.mappedFileSizeCommitLog as number;
    const at = physicalOffset % segmentBytes;
    const path = this.#segmentPath((physicalOffset - at) / segmentBytes, segmentBytes);
    // A bit that rotted says nothing of what was written.
    if (this.rotten) return true;
    return this.machine.disk.survives(path, at, recordBytes) || physicalOffset < this.#logBegin();
  }

  /** Where the log began, as of this process or the last; what lay below it was removed for its age. */
  #logBegin(): number {
    if (this.#serving) this.#logBegan = Math.max(this.#logBegan, this.#store?.status().minOffset ?? 0);
    return this.#logBegan;
  }

  #segmentPath(index: number, segmentBytes: number): string {
    let path = this.#segmentPaths[index];
    if (path === undefined) {
      path = `${HOME}/commitlog/${String(index * segmentBytes).padStart(20, "0")}`;
      this.#segmentPaths[index] = path;
    }
    return path;
  }

  /**
   * How many bytes from its log's begin on the next start knows to have been whole, after a crash of the machine or
   * after a kill; 0 when it does not serve.
   */
  knownBytes(after: "crash" | "kill"): number {
    if (!this.#serving || this.#store === undefined) return 0;
    const { minOffset, recoversFrom, recoversFromAfterKill } = this.#store.status();
    return (after === "kill" ? recoversFromAfterKill : recoversFrom) - minOffset;
  }

  get segmentBytes(): number {
    return this.#scenario.store.mappedFileSizeCommitLog as number;
  }

  get store(): MessageStore | undefined {
    return this.#store;
  }

  /** Asks the store in an event of its process; false when it does not serve. `done` never comes if it dies. */
  queryByKey(query: KeyQuery, done: (result: KeyQueryResult) => void): boolean {
    const { host } = this;
    const store = this.#store;
    if (!this.#serving || host === undefined || store === undefined) return false;
    host.callLater(() => store.queryByKey(query, done));
    return true;
  }

  /** Starts a second process on the same folder, which must be refused. False when this one does not serve. */
  startSecond(): boolean {
    const { world, recorder } = this.context;
    if (!this.#serving) return false;
    const host = world.spawn(this.machine, `${this.name}-second`);
    const end = (refusal: string) => {
      // It names its folder on disk before it asks for the lock, and may be the one whom a failing sync meets.
      const isRefused = refusal === "LOCKED" || refusal === "IO";
      if (!isRefused) recorder.failure("starts", `a second ${this.name}: ${refusal}, not LOCKED`);
      world.after(0, () => {
        if (host.alive) world.kill(host);
      });
    };
    this.#openStore(host)
      .start()
      .then(
        () => end("it opened the store"),
        (error: unknown) => end(error instanceof StoreError ? error.code : describe(error)),
      );
    return true;
  }

  #openStore(host: SimHost): MessageStore {
    const { flush: flushDiskType, store } = this.#scenario;
    return openMessageStore(host, { ...store, home: HOME, flushDiskType }, this.#logger);
  }

  protected async begin(host: SimHost): Promise<void> {
    const { flush, transactions, timers, store: storeOptions } = this.#scenario;
    const store = this.#openStore(host);
    this.#store = store;
    store.onFailed((error) => this.#writesFailed(host, error));
    store.onRemoval({
      messagesRemoved: (removed) => {
        this.context.world.countFault("expiry", this.name);
        for (const { topic, queueId, from, to } of removed) {
          const queue = queueKey(topic, this.name, queueId);
          this.context.recorder.add({ kind: "removed", queue, from, to });
        }
      },
    });
    try {
      await store.start();
      const broker = new Broker(
        host,
        {
          store,
          listen: { host: "0.0.0.0", port: BROKER_PORT },
          brokerIP1: this.machine.address,
          namesrvAddrs: this.#namesrvAddrs,
          configFolder: `${HOME}/config`,
          brokerName: this.name,
          flushDiskType: flush,
          vipListener: false,
          // Counts where brokers divide the queues.
          defaultMessageRequestMode: "POP",
          messageDelayLevel: DELAY_LEVELS,
          defaultTopicQueueNums: 2,
          rebalanceLockMaxLiveTime: LOCK_LIVE_MS,
          maxMessageSize: storeOptions.maxMessageSize ?? 12_288,
          ...(transactions === undefined ? {} : transactionOptions(transactions)),
          ...(timers === undefined ? {} : { timerHome: HOME, ...timerOptions(timers) }),
        },
        this.#logger,
      );
      this.#broker = broker;
      await broker.start();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#startFailed(host, error);
      return;
    }
    this.#serving = true;
    this.context.log(`${this.name} serves`);
    const waiting = this.#whenServing;
    this.#whenServing = [];
    for (const then of waiting) then();
  }

  /** Calls `then` once, when the broker serves requests the next time, or at once when it does. */
  whenServing(then: () => void): void {
    if (this.#serving) then();
    else this.#whenServing.push(then);
  }

  /** Calls `then` once, when the process ends. */
  whenEnded(then: () => void): void {
    this.#whenEnded.push(then);
  }

  protected async finish(host: SimHost): Promise<void> {
    if (!this.#serving) return;
    this.#serving = false;
    const store = this.#store;
    await this.#broker?.stop(5_000);
    try {
      await store?.stop();
    } catch (error) {
      if (!(error instanceof StoreError) || !PASSING.has(error.code)) throw error;
      this.context.log(`${this.name} (p${host.id}) could not stop its store: ${error.message}`);
    }
  }

  protected forget(): void {
    this.context.recorder.add({ kind: "broker-ended", broker: this.name });
    this.#logBegin();
    this.#store = undefined;
    this.#broker = undefined;
    this.#serving = false;
    const waiting = this.#whenEnded;
    this.#whenEnded = [];
    for (const then of waiting) then();
  }

  #startFailed(host: SimHost, error: StoreError): void {
    this.context.log(`${this.name} cannot start: ${error.code} ${error.message}`);
    if (!PASSING.has(error.code) && !(error.code === "DAMAGED" && this.rotten)) {
      this.context.recorder.failure("starts", `${this.name}: ${error.code} ${error.message}`);
    }
    this.#exit(host, 0);
  }

  #writesFailed(host: SimHost, error: Error): void {
    this.context.log(`${this.name} stops its writes: ${error.message}`);
    const { random } = this.context;
    this.#exit(host, random.chance(0.5) ? random.int(20) : random.between(200, 3_000));
  }

  #exit(host: SimHost, delayMs: number): void {
    const { world, random } = this.context;
    world.after(delayMs, () => {
      if (this.host !== host) return;
      // Memory pressure may drop what a failed sync had marked clean.
      if (random.chance(0.3) && this.machine.disk.evictClean() > 0) {
        world.countFault("evict-clean", this.name);
        this.context.recorder.add({ kind: "cache-lost", broker: this.name });
      }
      this.kill(random.between(20, 1_000));
    });
  }
}
