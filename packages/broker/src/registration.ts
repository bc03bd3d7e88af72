/**
 * Keeps a broker known to every NameServer (RocketMQ: BrokerOuterAPI.registerBrokerAll). Each NameServer has a
 * link of its own, so that one that is down holds nobody up:
 *
 *   registering → registered   again after 30 s, at once when topics change or the connection closes
 *               → failed       again after a pause that doubles from 0.1 to 10 s
 *   any state   → unregistering → stopped
 *
 * RocketMQ sends changed topics alone and hopes for the next full registration; here every registration carries
 * the whole table, at most one is on its way per NameServer, and changes meanwhile make one more.
 */
import type { Clock, Logger, Random, TimerHandle, Timers } from "@orbitmq/host";
import {
  bodyCrc,
  encodeRegisterBrokerBody,
  isReadable,
  isWritable,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  type RpcClient,
  registerBrokerRequestHeader,
  sameDataVersion,
  type TopicConfig,
  unregisterBrokerRequestHeader,
  type WireError,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "./broker-identity.ts";
import type { BrokerTuning } from "./broker-options.ts";
import type { Topics } from "./topics/topics.ts";

export interface RegistrationNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly client: Pick<RpcClient, "request" | "onConnection" | "disconnect">;
  readonly namesrvAddrs: readonly string[];
  readonly identity: BrokerIdentity;
  readonly topics: Topics;
  readonly options: Pick<
    BrokerTuning,
    | "brokerName"
    | "brokerClusterName"
    | "brokerId"
    | "brokerPermission"
    | "registerNameServerPeriod"
    | "registerBrokerTimeoutMills"
    | "registerRetryMsMin"
    | "registerRetryMsMax"
  >;
}

/** An administrator's client gives up after five seconds. */
const SETTLE_MS_MAX = 2_000;

export class Registration {
  readonly #needs: RegistrationNeeds;
  readonly #links: readonly NameServerLink[];
  #started = false;
  #firstDone: (() => void)[] | undefined = [];
  #changeScheduled = false;

  constructor(needs: RegistrationNeeds) {
    this.#needs = needs;
    const body = registrationBody(needs);
    this.#links = [...new Set(needs.namesrvAddrs)].map(
      (address) => new NameServerLink(needs, address, body, () => this.#registered()),
    );
    needs.client.onConnection((address, _peer, open) => {
      if (!open) for (const link of this.#links) if (link.address === address) link.connectionClosed();
    });
  }

  /** NameServers, and those of them that have taken the last registration they were sent. */
  get counts(): { readonly wanted: number; readonly done: number } {
    return { wanted: this.#links.length, done: this.#links.filter((link) => link.isRegistered).length };
  }

  start(): void {
    this.#started = true;
    for (const link of this.#links) link.register();
  }

  /** The topics changed. Changes of one turn make one registration. */
  topicsChanged(): void {
    if (!this.#started || this.#changeScheduled) return;
    this.#changeScheduled = true;
    this.#needs.timers.afterTurn(() => {
      this.#changeScheduled = false;
      for (const link of this.#links) link.register();
    });
  }

  /**
   * Calls `done` once every NameServer has taken the topics as they are now, or has failed to, or has kept
   * silent for two seconds. Never synchronously.
   */
  whenSettled(done: () => void): void {
    const { timers } = this.#needs;
    let missing = this.#links.length + 1;
    const limit = timers.after(SETTLE_MS_MAX, () => {
      missing = 0;
      done();
    });
    const countDown = (): void => {
      if (--missing !== 0) return;
      limit.cancel();
      done();
    };
    for (const link of this.#links) link.whenSettled(countDown);
    timers.afterTurn(countDown);
  }

  /** Calls `done` once the first NameServer has taken the registration; at once when there are none. */
  whenFirstDone(done: () => void): void {
    if (this.#firstDone === undefined || this.#links.length === 0) done();
    else this.#firstDone.push(done);
  }

  /** Removes the broker from every NameServer that answers within `timeoutMs`; no registration follows. */
  stop(timeoutMs: number, done: () => void): void {
    let missing = this.#links.length + 1;
    const countDown = (): void => {
      if (--missing === 0) done();
    };
    for (const link of this.#links) link.stop(this.#started, timeoutMs, countDown);
    countDown();
  }

  #registered(): void {
    const waiting = this.#firstDone ?? [];
    this.#firstDone = undefined;
    for (const done of waiting) done();
  }
}

/** The body for the topics as they are, encoded once per version. */
function registrationBody({
  topics,
  options,
}: RegistrationNeeds): () => { readonly bytes: Uint8Array; readonly crc: number } {
  let version = topics.dataVersion;
  let encoded: { readonly bytes: Uint8Array; readonly crc: number } | undefined;
  return () => {
    if (encoded === undefined || !sameDataVersion(version, topics.dataVersion)) {
      version = topics.dataVersion;
      const wrapper = { topicConfigTable: allowed(topics, options.brokerPermission), dataVersion: version };
      const bytes = encodeRegisterBrokerBody({ topicConfigSerializeWrapper: wrapper, filterServerList: [] });
      encoded = { bytes, crc: bodyCrc(bytes) };
    }
    return encoded;
  };
}

/** What the broker does not allow, routes do not offer. */
function allowed(topics: Topics, permission: number): ReadonlyMap<string, TopicConfig> {
  if (isReadable(permission) && isWritable(permission)) return topics.table;
  const restricted = [...topics.table].map(
    ([name, topic]) => [name, { ...topic, perm: topic.perm & permission }] as const,
  );
  return new Map(restricted);
}

class NameServerLink {
  readonly address: string;
  readonly #needs: RegistrationNeeds;
  readonly #body: () => { readonly bytes: Uint8Array; readonly crc: number };
  readonly #onRegistered: () => void;
  #registered = false;
  #inFlight = false;
  #again = false;
  #stopped = false;
  #retryMs: number;
  #timer: TimerHandle | undefined;
  /** Those who wait for the registration after the one in flight, and for the one in flight. */
  #waitingNext: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(
    needs: RegistrationNeeds,
    address: string,
    body: () => { readonly bytes: Uint8Array; readonly crc: number },
    onRegistered: () => void,
  ) {
    this.#needs = needs;
    this.address = address;
    this.#body = body;
    this.#onRegistered = onRegistered;
    this.#retryMs = needs.options.registerRetryMsMin;
  }

  get isRegistered(): boolean {
    return this.#registered;
  }

  register(): void {
    if (this.#stopped) return;
    if (this.#inFlight) {
      this.#again = true;
      return;
    }
    this.#inFlight = true;
    this.#again = false;
    this.#timer?.cancel();
    this.#waiting = this.#waitingNext;
    this.#waitingNext = [];
    const { client, options, identity } = this.#needs;
    const { bytes, crc } = this.#body();
    client.request(
      this.address,
      {
        code: RequestCode.REGISTER_BROKER,
        header: (sink) =>
          registerBrokerRequestHeader.encode(
            {
              brokerName: options.brokerName,
              brokerAddr: identity.address,
              clusterName: options.brokerClusterName,
              haServerAddr: identity.haServerAddress,
              brokerId: options.brokerId,
              compressed: false,
              bodyCrc32: crc,
            },
            sink,
          ),
        body: [bytes],
      },
      options.registerBrokerTimeoutMills,
      (error, response) => this.#answered(error, response),
    );
  }

  whenSettled(done: () => void): void {
    if (this.#stopped) {
      done();
      return;
    }
    this.#waitingNext.push(done);
    this.register();
  }

  /** A NameServer forgets a broker with its connection, and a restarted one never knew it. */
  connectionClosed(): void {
    if (this.#inFlight || this.#stopped) return;
    this.#arm(this.#pause());
  }

  stop(started: boolean, timeoutMs: number, done: () => void): void {
    if (this.#stopped) {
      done();
      return;
    }
    this.#stopped = true;
    this.#timer?.cancel();
    this.#release();
    if (!started) {
      done();
      return;
    }
    const { client, options, identity, logger } = this.#needs;
    client.request(
      this.address,
      {
        code: RequestCode.UNREGISTER_BROKER,
        header: (sink) =>
          unregisterBrokerRequestHeader.encode(
            {
              brokerName: options.brokerName,
              brokerAddr: identity.address,
              clusterName: options.brokerClusterName,
              brokerId: options.brokerId,
            },
            sink,
          ),
      },
      timeoutMs,
      (error) => {
        if (error !== undefined) {
          logger.warn(
            { namesrv: this.address, err: error },
            "could not unregister; it will notice by itself",
          );
        }
        done();
      },
    );
  }

  #answered(error: WireError | undefined, response: RemotingCommand | undefined): void {
    this.#inFlight = false;
    for (const done of this.#waiting) done();
    this.#waiting = [];
    if (this.#stopped) return;
    if (error === undefined && response?.code === ResponseCode.SUCCESS) this.#succeeded();
    else this.#failed(error, response);
    if (this.#again) this.register();
  }

  #succeeded(): void {
    const { logger, options } = this.#needs;
    if (!this.#registered) logger.info({ namesrv: this.address }, "registered with the NameServer");
    this.#registered = true;
    this.#retryMs = options.registerRetryMsMin;
    this.#arm(options.registerNameServerPeriod);
    this.#onRegistered();
  }

  #failed(error: WireError | undefined, response: RemotingCommand | undefined): void {
    const { logger, options } = this.#needs;
    const about = { namesrv: this.address, err: error, code: response?.code, remark: response?.remark };
    // Once per loss at warn level: a NameServer that stays away is asked for days.
    const isNews = this.#registered || this.#retryMs === options.registerRetryMsMin;
    if (isNews) logger.warn(about, "could not register with the NameServer; trying again");
    else logger.debug(about, "could not register with the NameServer; trying again");
    this.#registered = false;
    // A connection that brings no answer may lead to a machine that has long been started anew.
    if (error?.code === "REQUEST_TIMEOUT") this.#needs.client.disconnect(this.address);
    this.#arm(this.#pause());
  }

  /** The pause before the next attempt, up to a quarter shorter by chance; the one after is twice as long. */
  #pause(): number {
    const { random, options } = this.#needs;
    const pauseMs = this.#retryMs * (1 - random.float() / 4);
    this.#retryMs = Math.min(this.#retryMs * 2, options.registerRetryMsMax);
    return pauseMs;
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#needs.timers.after(delayMs, () => this.register());
  }

  #release(): void {
    const waiting = [...this.#waiting, ...this.#waitingNext];
    this.#waiting = [];
    this.#waitingNext = [];
    for (const done of waiting) done();
  }
}
