/** Brokers: what they tell of themselves, their configuration, counters, cleaning, and whether routes show them. */
import {
  addWritePermOfBrokerRequestHeader,
  addWritePermOfBrokerResponseHeader,
  type BrokerStatsData,
  decodeJavaProperties,
  formatJavaProperties,
  getBrokerConsumeStatsRequestHeader,
  type HaStatus,
  parseBrokerConsumeStats,
  parseBrokerStatsData,
  parseHaStatus,
  parseJavaProperties,
  parseKvTable,
  RequestCode,
  viewBrokerStatsDataRequestHeader,
  wipeWritePermOfBrokerRequestHeader,
  wipeWritePermOfBrokerResponseHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError, type ServerFailure } from "../errors/errors.ts";
import type { BrokerTarget } from "./admin-types.ts";
import { changeEach, lookAtEach } from "./ask-each.ts";
import { allMasters, nameServersOf, oneBroker, type Server } from "./servers.ts";

/** What a broker says of itself; a number it does not give is 0. */
export interface BrokerRuntime {
  readonly brokerName: string;
  /** `host:port`. */
  readonly address: string;
  /** `V5_5_0` */
  readonly version: string;
  /** Ms since the epoch. */
  readonly bootTimestamp: number;
  /** Messages stored per second over the last 10 s. */
  readonly putTps: number;
  /** Messages given to consumers per second over the last 10 s. */
  readonly getTps: number;
  /** Since the broker started. */
  readonly messagesPut: number;
  readonly messagesGot: number;
  /** Where the log begins and ends, bytes. */
  readonly commitLogMinOffset: number;
  readonly commitLogMaxOffset: number;
  /** How full the disk of the log is, 0 to 1. */
  readonly diskRatio: number;
  /** Bytes of the log that queues or the index do not have yet. */
  readonly dispatchBehindBytes: number;
  /** Store time of the oldest message that is there, ms since the epoch. */
  readonly earliestMessageTimestamp: number;
  /** Everything it said, under RocketMQ's names. */
  readonly table: Readonly<Record<string, string>>;
}

export interface BrokerRuntimes {
  readonly brokers: readonly BrokerRuntime[];
  readonly failures: readonly ServerFailure[];
}

/** One counter of a broker over the last minute, hour and day. */
export interface BrokerStats extends BrokerStatsData {
  readonly brokerName: string;
}

/** How far one group is in one topic on one broker. */
export interface GroupTopicProgress {
  readonly brokerName: string;
  readonly group: string;
  readonly topic: string;
  /** Messages still to be consumed. */
  readonly lag: number;
  /** Consumed per second over the last minute. */
  readonly consumeTps: number;
  /** Store time of the last consumed message of any queue, ms since the epoch; 0 when there is none. */
  readonly lastTimestamp: number;
}

/** Of every master named (28), by name. */
export async function brokerRuntimes(
  instance: ClientInstance,
  target: BrokerTarget,
): Promise<BrokerRuntimes> {
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address, name) =>
    runtimeOf(instance, { name, address }),
  );
  return { brokers: answers.map(({ value }) => value), failures };
}

/** Of any broker, slaves too (28). */
export async function runtimeOf(
  instance: ClientInstance,
  { name: brokerName, address }: Server & { readonly address: string },
): Promise<BrokerRuntime> {
  const request = { code: RequestCode.GET_BROKER_RUNTIME_INFO };
  const table = await instance.ask(address, request, ({ body }) => parseKvTable(body));
  const number = (name: string): number => {
    const value = Number((table.get(name) ?? "").trim().split(/\s+/)[0]);
    return Number.isFinite(value) ? value : 0;
  };
  return {
    brokerName,
    address,
    version: table.get("brokerVersionDesc") ?? "",
    bootTimestamp: number("bootTimestamp"),
    putTps: number("putTps"),
    // 4.x spells it otherwise.
    getTps: number(table.has("getTransferredTps") ? "getTransferredTps" : "getTransferedTps"),
    messagesPut: number("msgPutTotalTodayNow"),
    messagesGot: number("msgGetTotalTodayNow"),
    commitLogMinOffset: number("commitLogMinOffset"),
    commitLogMaxOffset: number("commitLogMaxOffset"),
    diskRatio: number("commitLogDiskRatio"),
    dispatchBehindBytes: number("dispatchBehindBytes"),
    earliestMessageTimestamp: number("earliestMessageTimeStamp"),
    table: Object.fromEntries([...table].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Every key of a broker's configuration (26). */
export async function brokerConfig(
  instance: ClientInstance,
  broker: string,
): Promise<Readonly<Record<string, string>>> {
  const { address } = await oneBroker(instance, broker);
  return instance.ask(address, { code: RequestCode.GET_BROKER_CONFIG }, ({ body }) => propertiesOf(body));
}

/** Changes keys while the brokers run (25). Names of the brokers that did it. */
export async function updateBrokerConfig(
  instance: ClientInstance,
  values: Readonly<Record<string, string>>,
  target: BrokerTarget,
): Promise<string[]> {
  const request = { code: RequestCode.UPDATE_BROKER_CONFIG, body: [propertiesBody(values)] };
  return change(instance, await allMasters(instance, target), request);
}

/** Expired ConsumeQueue files go now (306). Names of the brokers that did it. */
export async function cleanExpiredQueues(instance: ClientInstance, target: BrokerTarget): Promise<string[]> {
  const request = { code: RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE };
  return change(instance, await allMasters(instance, target), request);
}

/** Expired files of the log go now (329). Names of the brokers that did it. */
export async function deleteExpiredLog(instance: ClientInstance, target: BrokerTarget): Promise<string[]> {
  const request = { code: RequestCode.DELETE_EXPIRED_COMMITLOG };
  return change(instance, await allMasters(instance, target), request);
}

async function change(
  instance: ClientInstance,
  servers: readonly Server[],
  request: { readonly code: number; readonly body?: readonly Uint8Array[] },
): Promise<string[]> {
  const done = await changeEach(servers, (address) => instance.ask(address, request, () => undefined));
  return done.map(({ server }) => server);
}

/** One counter (315), of the masters that have it: TOPIC_PUT_NUMS by topic, GROUP_GET_NUMS by topic@group, …. */
export async function brokerStats(
  instance: ClientInstance,
  statsName: string,
  statsKey: string,
  servers: readonly Server[],
): Promise<{ readonly brokers: readonly BrokerStats[]; readonly failures: readonly ServerFailure[] }> {
  const header = { statsName, statsKey };
  const { answers, failures } = await lookAtEach(servers, async (address, brokerName) => {
    try {
      return await instance.ask(
        address,
        {
          code: RequestCode.VIEW_BROKER_STATS_DATA,
          header: (sink) => viewBrokerStatsDataRequestHeader.encode(header, sink),
        },
        ({ body }) => ({ brokerName, ...parseBrokerStatsData(body) }),
      );
    } catch (error) {
      // 1: nothing has been counted under that name there.
      if (error instanceof OrbitError && error.responseCode === 1) return undefined;
      throw error;
    }
  });
  const brokers = answers.flatMap(({ value }) => (value === undefined ? [] : [value]));
  return { brokers, failures };
}

/** Every group in every topic it consumes, on every master named (317). */
export async function consumeProgress(
  instance: ClientInstance,
  target: BrokerTarget,
): Promise<{ readonly groups: readonly GroupTopicProgress[]; readonly failures: readonly ServerFailure[] }> {
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.GET_BROKER_CONSUME_STATS,
        header: (sink) => getBrokerConsumeStatsRequestHeader.encode({ isOrder: false }, sink),
      },
      ({ body }) => parseBrokerConsumeStats(body).groups,
    ),
  );
  const groups: GroupTopicProgress[] = [];
  for (const { server: brokerName, value } of answers)
    for (const [group, topics] of value)
      for (const { consumeTps, offsets } of topics) {
        const topic = offsets[0]?.queue.topic;
        if (topic === undefined) continue;
        let lag = 0;
        let lastTimestamp = 0;
        for (const offset of offsets) {
          lag += Math.max(0, offset.brokerOffset - offset.consumerOffset);
          lastTimestamp = Math.max(lastTimestamp, offset.lastTimestamp);
        }
        groups.push({ brokerName, group, topic, lag, consumeTps, lastTimestamp });
      }
  const key = ({ group, topic, brokerName }: GroupTopicProgress) => `${group} ${topic} ${brokerName}`;
  return { groups: groups.sort((a, b) => (key(a) < key(b) ? -1 : 1)), failures };
}

/** A master and its slaves (907). */
export async function haStatus(instance: ClientInstance, broker: string): Promise<HaStatus> {
  const { address } = await oneBroker(instance, broker);
  return instance.ask(address, { code: RequestCode.GET_BROKER_HA_STATUS }, ({ body }) => parseHaStatus(body));
}

/** Whether routes of every NameServer show a broker's topics as writable (205, 327): topics changed, by NameServer. */
export async function setWritable(
  instance: ClientInstance,
  brokerName: string,
  writable: boolean,
): Promise<Readonly<Record<string, number>>> {
  const done = await changeEach(nameServersOf(instance), (address) =>
    writable
      ? instance.ask(
          address,
          {
            code: RequestCode.ADD_WRITE_PERM_OF_BROKER,
            header: (sink) => addWritePermOfBrokerRequestHeader.encode({ brokerName }, sink),
          },
          ({ ext }) => addWritePermOfBrokerResponseHeader.decode(ext).addTopicCount,
        )
      : instance.ask(
          address,
          {
            code: RequestCode.WIPE_WRITE_PERM_OF_BROKER,
            header: (sink) => wipeWritePermOfBrokerRequestHeader.encode({ brokerName }, sink),
          },
          ({ ext }) => wipeWritePermOfBrokerResponseHeader.decode(ext).wipeTopicCount,
        ),
  );
  return Object.fromEntries(done.map(({ server, value }) => [server, value]));
}

/** Of a configuration's body, by key. Throws WireError PROPERTIES_MALFORMED. */
export function propertiesOf(body: Uint8Array): Record<string, string> {
  const entries = parseJavaProperties(decodeJavaProperties(body), "configuration");
  return Object.fromEntries(
    entries.map(({ key, value }) => [key, value]).sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
  );
}

/** Throws INVALID_ARGUMENT when there is nothing to change. */
export function propertiesBody(values: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(values);
  if (entries.length === 0) throw new OrbitError("INVALID_ARGUMENT", "name a key to change");
  return Buffer.from(formatJavaProperties(entries), "utf8");
}
