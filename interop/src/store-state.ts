/**
 * The small state beside a store's log, as config/*.json has it after a clean stop, and whether the broker that opens the
 * store next knows it all: topics, subscription groups, consumer offsets. Delay offsets can only be seen by what they do,
 * and in the file.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PlainConnection } from "./plain-remoting.ts";

const RequestCode = {
  QUERY_CONSUMER_OFFSET: 14,
  GET_ALL_TOPIC_CONFIG: 21,
  GET_ALL_SUBSCRIPTIONGROUP_CONFIG: 201,
} as const;

type Settings = Readonly<Record<string, unknown>>;

export interface StoreState {
  readonly topics: Readonly<Record<string, Settings>>;
  readonly groups: Readonly<Record<string, Settings>>;
  /** By "topic@group", then by queue. */
  readonly offsets: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** By delay level: the next offset to deliver. */
  readonly delayOffsets: Readonly<Record<string, number>>;
}

export function readState(home: string): StoreState {
  const read = (name: string) => {
    // RocketMQ's JSON has numbers for names of members.
    const text = readFileSync(join(home, "config", name), "utf8");
    return JSON.parse(text.replaceAll(/([{,]\s*)(-?\d+)\s*:/g, '$1"$2":')) as Record<string, never>;
  };
  return {
    topics: read("topics.json")["topicConfigTable"]!,
    groups: read("subscriptionGroup.json")["subscriptionGroupTable"]!,
    offsets: read("consumerOffset.json")["offsetTable"]!,
    delayOffsets: read("delayOffset.json")["offsetTable"]!,
  };
}

/** The same of a broker that runs; nothing while it replaces one of the files. */
export function readStateOfRunning(home: string): StoreState | undefined {
  try {
    return readState(home);
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Every topic and group is there with every setting it had, and every group is where it was in every queue. */
export async function assertStateKept(address: string, state: StoreState, where: string): Promise<void> {
  const broker = await PlainConnection.open(address);
  try {
    const tableOf = async (code: number, name: string) => {
      const { body } = await broker.demand(code);
      return (JSON.parse(body.toString("utf8")) as Record<string, Record<string, Settings>>)[name]!;
    };
    assertIn(
      await tableOf(RequestCode.GET_ALL_TOPIC_CONFIG, "topicConfigTable"),
      state.topics,
      `${where}, topic`,
    );
    assertIn(
      await tableOf(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, "subscriptionGroupTable"),
      state.groups,
      `${where}, group`,
    );
    for (const [name, queues] of Object.entries(state.offsets)) {
      const [topic = "", consumerGroup = ""] = name.split("@");
      for (const [queueId, offset] of Object.entries(queues)) {
        const fields = { topic, consumerGroup, queueId };
        const answer = await broker.demand(RequestCode.QUERY_CONSUMER_OFFSET, fields);
        assert.equal(Number(answer.fields["offset"]), offset, `${where}, offset of ${name} in ${queueId}`);
      }
    }
  } finally {
    broker.close();
  }
}

function assertIn(
  table: Readonly<Record<string, Settings>>,
  known: Readonly<Record<string, Settings>>,
  what: string,
): void {
  for (const [name, settings] of Object.entries(known)) {
    const found = table[name];
    assert.ok(found !== undefined, `${what} ${name} is gone`);
    for (const [key, value] of Object.entries(settings))
      if (value !== null) assert.deepEqual(found[key] ?? null, value, `${what} ${name}: ${key}`);
  }
}
