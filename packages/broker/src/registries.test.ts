import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostError, type Logger, silentLogger } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import { newTopicConfig } from "@orbitmq/wire";
import { GroupRegistry } from "./consumer-groups/group-registry.ts";
import { OffsetRegistry } from "./consumer-groups/offset-registry.ts";
import { Offsets, parseOffsets } from "./consumer-groups/offsets.ts";
import { newSubscriptionGroupConfig } from "./consumer-groups/subscription-group-config.ts";
import { parseSubscriptionGroups, SubscriptionGroups } from "./consumer-groups/subscription-groups.ts";
import { ManualHost } from "./testing/manual-host.ts";
import { TopicRegistry } from "./topics/topic-registry.ts";
import { parseTopics, Topics } from "./topics/topics.ts";

/** A state file in memory whose saves end when the test says so. */
class FakeFile {
  content: string | undefined;
  readonly pending: { text: string; done: (error: HostError | undefined) => void }[] = [];
  syncSaves = 0;
  isLost = false;
  from: "file" | "backup" = "file";

  load<T>(parse: (text: string) => T): { value: T; from: "file" | "backup" } | undefined {
    return this.content === undefined ? undefined : { value: parse(this.content), from: this.from };
  }

  save(text: string, done: (error: HostError | undefined) => void): void {
    this.pending.push({ text, done });
  }

  saveSync(text: string): void {
    this.syncSaves++;
    this.content = text;
  }

  closed = false;
  close(): void {
    this.closed = true;
  }

  finish(error?: HostError): void {
    const { text, done } = this.pending.shift()!;
    if (error === undefined) this.content = text;
    done(error);
  }

  get stateFile(): StateFile {
    return this as unknown as StateFile;
  }
}

/** A file whose content, and its backup's, cannot be read. */
function lostFile(): FakeFile {
  const file = new FakeFile();
  file.isLost = true;
  return file;
}

function errors(): { logger: Logger; said: string[] } {
  const said: string[] = [];
  const note = (first: object | string, message?: string): void => {
    said.push(typeof first === "string" ? first : (message ?? ""));
  };
  return { logger: { ...silentLogger, warn: note, error: note }, said };
}

function warnings(): { logger: Logger; lines: (object & { message?: string })[] } {
  const lines: object[] = [];
  const warn = (bindings: object | string, message?: string): void => {
    lines.push({ ...(typeof bindings === "string" ? {} : bindings), message });
  };
  return { logger: { ...silentLogger, warn }, lines };
}

const noSpace = new HostError("ENOSPC", "disk full");

describe("TopicRegistry", () => {
  function registry(file: FakeFile | undefined = new FakeFile(), logger = silentLogger) {
    const host = new ManualHost();
    const changes: number[] = [];
    const topics = new TopicRegistry({
      ...host,
      logger,
      topics: new Topics([newTopicConfig("TBW102")], host.clock.wallMs()),
      file: file?.stateFile,
      onChanged: () => void changes.push(1),
    });
    return { host, file: file!, topics, changes };
  }
  const noStore = { topics: () => [], queuesOf: () => [] };

  it("finds its topics again after a restart, with their version", () => {
    const { host, file, topics } = registry();
    topics.put(newTopicConfig("orders", { readQueueNums: 3, attributes: { "message.type": "FIFO" } }));
    host.endTurn();
    file.finish();
    const again = registry(file).topics;
    again.load(noStore);
    assert.deepEqual(again.get("orders"), topics.get("orders"));
    assert.deepEqual(again.topics.dataVersion, topics.topics.dataVersion);
    assert.equal(again.topics.dataVersion.counter, 1);
    assert.notEqual(again.get("TBW102"), undefined);
  });

  it("recovers topics that only the store's queues remember, and says so", () => {
    const { logger, lines } = warnings();
    const { topics, changes } = registry(undefined, logger);
    topics.load({ topics: () => ["orders", "TBW102"], queuesOf: () => [0, 5, 2] });
    assert.equal(topics.get("orders")?.readQueueNums, 6);
    assert.equal(topics.get("orders")?.perm, 6);
    assert.deepEqual(
      lines.map((line) => (line as { topic?: string }).topic),
      ["orders"],
    );
    assert.equal(changes.length, 1);
  });

  it("gives a topic of the backup the queues back that it has had messages in since, but not one of the file", () => {
    const file = new FakeFile();
    const first = registry(file);
    first.topics.put(newTopicConfig("orders", { readQueueNums: 2, writeQueueNums: 2 }));
    first.host.endTurn();
    first.file.finish();
    const store = { topics: () => ["orders"], queuesOf: () => [0, 1, 5] };
    const shrunk = registry(file).topics;
    shrunk.load(store);
    assert.equal(shrunk.get("orders")?.readQueueNums, 2, "somebody wanted it so");
    file.from = "backup";
    const { logger, lines } = warnings();
    const again = registry(file, logger).topics;
    again.load(store);
    assert.deepEqual([again.get("orders")?.readQueueNums, again.get("orders")?.writeQueueNums], [6, 6]);
    assert.deepEqual(
      lines.map((line) => (line as { topic?: string }).topic),
      ["orders"],
    );
  });

  it("has a queue read that a message comes to only now, whatever the topic has since become", () => {
    const { topics } = registry(undefined);
    topics.put(newTopicConfig("orders", { readQueueNums: 1, writeQueueNums: 1 }));
    topics.recover("orders", 0);
    assert.equal(topics.get("orders")?.readQueueNums, 1);
    topics.recover("orders", 2);
    assert.deepEqual([topics.get("orders")?.readQueueNums, topics.get("orders")?.writeQueueNums], [3, 1]);
    topics.recover("gone", 1);
    assert.equal(topics.get("gone")?.readQueueNums, 2);
  });

  it("says when all it knew is lost", () => {
    const { logger, said } = errors();
    registry(lostFile(), logger).topics.load({ topics: () => ["orders"], queuesOf: () => [0] });
    assert.match(said[0]!, /topics.json is lost/);
    assert.match(said[1]!, /recovered it/);
  });

  it("counts everything as persisted where nothing is kept", () => {
    const { host, topics } = registry(undefined);
    // `undefined` picks the default above; this one really has no file.
    const bare = new TopicRegistry({
      ...host,
      logger: silentLogger,
      topics: new Topics([], 0),
      file: undefined,
      onChanged: () => {},
    });
    bare.put(newTopicConfig("orders"));
    assert.equal(bare.isPersisted("orders"), true);
    let told = 0;
    bare.whenPersisted("orders", () => told++);
    assert.equal(told, 0);
    host.endTurn();
    assert.equal(told, 1);
    bare.stop();
    assert.equal(topics.isPersisted("orders"), true);
  });

  it("tells who waits when the save that holds the topic ends", () => {
    const { host, file, topics } = registry();
    const told: string[] = [];
    topics.put(newTopicConfig("a"));
    topics.whenPersisted("a", () => told.push("a early"));
    host.endTurn();
    topics.whenPersisted("a", () => told.push("a during"));
    topics.put(newTopicConfig("b"));
    topics.whenPersisted("b", () => told.push("b"));
    assert.equal(file.pending.length, 1);
    assert.equal(topics.isPersisted("a"), false);
    file.finish();
    assert.deepEqual(told, ["a early", "a during"]);
    assert.equal(topics.isPersisted("a"), true);
    assert.equal(topics.isPersisted("b"), false);
    file.finish();
    assert.deepEqual(told, ["a early", "a during", "b"]);
    assert.deepEqual([...parseTopics(file.content!).topics].map(({ topicName }) => topicName).sort(), [
      "TBW102",
      "a",
      "b",
    ]);
  });

  it("waits for the newest state of a topic that changes while it is saved", () => {
    const { host, file, topics } = registry();
    const told: string[] = [];
    topics.put(newTopicConfig("a"));
    host.endTurn();
    topics.put(newTopicConfig("a", { readQueueNums: 9 }));
    topics.whenPersisted("a", () => told.push("newest"));
    file.finish();
    assert.deepEqual(told, []);
    file.finish();
    assert.deepEqual(told, ["newest"]);
    assert.equal(topics.isPersisted("a"), true);
  });

  it("tells of a failed save, and saves again for the next who asks and at stop", () => {
    const { host, file, topics } = registry();
    const told: (string | undefined)[] = [];
    topics.put(newTopicConfig("a"));
    topics.whenPersisted("a", (error) => told.push(error?.code));
    host.endTurn();
    file.finish(noSpace);
    assert.deepEqual(told, ["ENOSPC"]);
    assert.equal(topics.isPersisted("a"), false);
    topics.whenPersisted("a", (error) => told.push(error?.code ?? "none"));
    host.endTurn();
    file.finish(noSpace);
    assert.deepEqual(told, ["ENOSPC", "ENOSPC"]);
    topics.stop();
    assert.equal(file.syncSaves, 1);
  });
});

describe("GroupRegistry", () => {
  function registry(file = new FakeFile(), options: { autoCreate?: boolean; groupsMax?: number } = {}) {
    const host = new ManualHost();
    const groups = new GroupRegistry({
      ...host,
      logger: silentLogger,
      groups: new SubscriptionGroups(host.clock.wallMs()),
      file: file.stateFile,
      autoCreateSubscriptionGroup: options.autoCreate ?? true,
      groupsMax: options.groupsMax ?? 100,
    });
    return { host, file, groups };
  }

  it("makes a group on first use and finds it again after a restart", () => {
    const { host, file, groups } = registry();
    assert.equal(groups.get("g"), undefined);
    assert.equal(groups.find("g")?.retryMaxTimes, 16);
    groups.put({ ...newSubscriptionGroupConfig("slow"), consumeEnable: false, rest: { future: { a: 1 } } });
    host.endTurn();
    assert.equal(file.pending.length, 1);
    file.finish();
    groups.stop();
    assert.equal(file.syncSaves, 0);
    const again = registry(file, { autoCreate: false }).groups;
    again.load();
    assert.deepEqual(again.get("slow"), groups.get("slow"));
    assert.notEqual(again.find("g"), undefined);
    assert.equal(again.find("unknown"), undefined);
  });

  it("writes at stop what is not written yet", () => {
    const { file, groups } = registry();
    groups.find("g");
    groups.stop();
    assert.equal(file.syncSaves, 1);
    assert.ok(parseSubscriptionGroups(file.content!).groups.some(({ groupName }) => groupName === "g"));
  });
});

describe("OffsetRegistry", () => {
  function registry(file = new FakeFile(), ends: Record<string, number> = {}, logger: Logger = silentLogger) {
    const host = new ManualHost();
    const offsets = new OffsetRegistry({
      ...host,
      logger,
      offsets: new Offsets(500, host.clock.wallMs()),
      store: { readableEnd: (topic, queueId) => (ends[`${topic}${queueId}`] ?? 0) as never },
      file: file.stateFile,
      flushConsumerOffsetInterval: 5_000,
    });
    return { host, file, offsets };
  }

  it("writes its file five seconds after the first change, once", () => {
    const { host, file, offsets } = registry(undefined, { T0: 100 });
    offsets.commit("g", "T", 0, 1, "test");
    host.advance(2_000);
    offsets.commit("g", "T", 0, 2, "test");
    host.advance(2_999);
    assert.equal(file.pending.length, 0);
    host.advance(1);
    assert.equal(file.pending.length, 1);
    file.finish();
    assert.deepEqual(parseOffsets(file.content!).entries, [
      { topic: "T", group: "g", queueId: 0, offset: 2 },
    ]);
    host.advance(60_000);
    assert.equal(file.pending.length, 0);
    assert.equal(host.timerCount, 0);
  });

  it("has no timer running when a commit changes nothing", () => {
    const { host, offsets } = registry(undefined, { T0: 100 });
    offsets.commit("g", "T", 0, -1, "test");
    assert.equal(host.timerCount, 0);
    offsets.commit("g", "T", 0, 5, "test");
    host.advance(5_000);
    offsets.commit("g", "T", 0, 5, "test");
    assert.equal(host.timerCount, 0);
  });

  it("writes at stop what is not written, also after a failed write", () => {
    const { host, file, offsets } = registry(undefined, { T0: 100 });
    offsets.commit("g", "T", 0, 7, "test");
    host.advance(5_000);
    file.finish(noSpace);
    offsets.stop();
    assert.equal(file.syncSaves, 1);
    assert.equal(parseOffsets(file.content!).entries[0]?.offset, 7);
    offsets.stop();
    assert.equal(file.syncSaves, 1);
  });

  it("writes at stop what a save in flight may not have written, and closes its file", () => {
    const { host, file, offsets } = registry(undefined, { T0: 100 });
    offsets.commit("g", "T", 0, 7, "test");
    host.advance(5_000);
    assert.equal(file.pending.length, 1);
    offsets.stop();
    assert.equal(file.syncSaves, 1);
    assert.equal(file.closed, true);
    offsets.commit("g", "T", 0, 8, "test");
    assert.equal(host.timerCount, 0);
  });

  it("keeps the end of the queue for a commit beyond it, and says so", () => {
    const { logger, lines } = warnings();
    const { offsets } = registry(undefined, { T0: 3 }, logger);
    offsets.commit("g", "T", 0, 9, "10.0.0.1:1");
    assert.equal(offsets.get("g", "T", 0), 3);
    assert.equal(lines.length, 1);
  });

  it("says when offsets are lost, all of them or those since the backup", () => {
    const lost = errors();
    registry(lostFile(), {}, lost.logger).offsets.load();
    assert.match(lost.said.join(), /all committed offsets are lost/);
    const file = new FakeFile();
    const first = registry(file, { T0: 9 });
    first.offsets.commit("g", "T", 0, 5, "test");
    first.offsets.stop();
    file.from = "backup";
    const older = errors();
    const again = registry(file, { T0: 9 }, older.logger).offsets;
    again.load();
    assert.equal(again.get("g", "T", 0), 5);
    assert.match(older.said.join(), /lost: groups get what came since once more/);
  });

  it("sets offsets beyond a shortened queue back to its end at start, and says how many messages that are", () => {
    const file = new FakeFile();
    const first = registry(file, { T0: 100, T1: 100 });
    first.offsets.commit("g", "T", 0, 80, "test");
    first.offsets.commit("g", "T", 1, 10, "test");
    first.offsets.stop();
    const { logger, lines } = warnings();
    const again = registry(file, { T0: 60, T1: 60 }, logger);
    again.offsets.load();
    assert.equal(again.offsets.get("g", "T", 0), 60);
    assert.equal(again.offsets.get("g", "T", 1), 10);
    assert.equal(lines.length, 1);
    const { group, topic, queueId, from, to, count } = lines[0] as Record<string, unknown>;
    assert.deepEqual([group, topic, queueId, from, to, count], ["g", "T", 0, 80, 60, 20]);
    // On disk before anything is appended: the queue could grow past the old offset and be killed.
    assert.equal(again.host.timerCount, 0);
    assert.deepEqual(
      parseOffsets(file.content!)
        .entries.map(({ offset }) => offset)
        .sort(),
      [10, 60],
    );
  });
});

describe("files of state", () => {
  it("of a Java broker are read", () => {
    // Written by RocketMQ 5.5.0, shortened; integer keys are bare, older versions wrote them on one line.
    const offsets = parseOffsets(`{
	"dataVersion":{
		"counter":2,
		"stateVersion":0,
		"timestamp":1668161453567
	},
	"groupTopicMap":{
		"g":[
			"TopicTest"
		]
	},
	"offsetTable":{
		"%RETRY%g@g":{0:0
		},
		"TopicTest@g":{0:250,1:251
		},
		"odd":{0:1
		}
	}
}`);
    assert.deepEqual(offsets.entries, [
      { topic: "%RETRY%g", group: "g", queueId: 0, offset: 0 },
      { topic: "TopicTest", group: "g", queueId: 0, offset: 250 },
      { topic: "TopicTest", group: "g", queueId: 1, offset: 251 },
    ]);
    assert.equal(offsets.dataVersion.counter, 2);
    const groups = parseSubscriptionGroups(`{
	"dataVersion":{"counter":1,"stateVersion":0,"timestamp":1},
	"forbiddenTable":{"g":{"T":4}},
	"subscriptionGroupTable":{
		"g":{
			"attributes":{},
			"brokerId":0,
			"consumeBroadcastEnable":false,
			"consumeEnable":true,
			"consumeFromMinEnable":true,
			"consumeMessageOrderly":false,
			"consumeTimeoutMinute":15,
			"groupName":"g",
			"groupRetryPolicy":{
				"type":"CUSTOMIZED"
			},
			"groupSysFlag":0,
			"notifyConsumerIdsChangedEnable":true,
			"retryMaxTimes":16,
			"retryQueueNums":1,
			"whichBrokerWhenConsumeSlowly":1
		}
	}
}`);
    assert.deepEqual(groups.groups, [{ ...newSubscriptionGroupConfig("g"), consumeBroadcastEnable: false }]);
    const table = new SubscriptionGroups(0);
    table.restore(groups);
    assert.deepEqual([table.isReadForbidden("g", "T"), table.isReadForbidden("g", "U")], [true, false]);
    assert.deepEqual(parseSubscriptionGroups(table.format()).forbidden, groups.forbidden);
  });

  it("keep what they were written from", () => {
    const offsets = new Offsets(2, 1_000);
    for (let i = 0; i < 5; i++) {
      offsets.apply({
        kind: "offset-commit",
        topic: "T",
        group: `g${i % 2}`,
        queueId: i,
        offset: i * 10,
        atMs: 2_000 + i,
      });
    }
    assert.deepEqual(offsets.entries().length, 5);
    const read = parseOffsets(offsets.format());
    assert.deepEqual(read.dataVersion, { counter: 2, stateVersion: 0, timestamp: 2_003 });
    const again = new Offsets(2, 0);
    again.restore(read);
    assert.equal(again.format(), offsets.format());
  });

  it("that are none are refused", () => {
    for (const text of [
      "",
      "{",
      "[]",
      '{"offsetTable":[]}',
      '{"offsetTable":{"a@b":7}}',
      '{"offsetTable":{"a@b":{0:"x"}}}',
    ]) {
      assert.throws(() => parseOffsets(text), { code: "JSON_MALFORMED" }, text);
    }
    assert.throws(() => parseTopics('{"topicConfigTable":{"a":7}}'), { code: "JSON_MALFORMED" });
    assert.throws(() => parseSubscriptionGroups('{"subscriptionGroupTable":{"a":[]}}'), {
      code: "JSON_MALFORMED",
    });
  });
});
