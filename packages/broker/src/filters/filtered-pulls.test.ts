import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Logger } from "@orbitmq/host";
import { encodeHeartbeatData, newSubscriptionData, newTopicConfig, PullSysFlag } from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { requestHandlers } from "../request-handlers.ts";
import { type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { type Answer, call, type FakeExchange } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { SqlFilter } from "./sql-filter.ts";

const { SUSPEND, SUBSCRIPTION } = PullSysFlag;
const [PULL_MESSAGE, HEART_BEAT, UNREGISTER_CLIENT, CHECK_CLIENT_CONFIG] = [11, 34, 35, 46];

const FIELDS = {
  consumerGroup: "group",
  topic: "orders",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: SUBSCRIPTION as number,
  commitOffset: 0,
  suspendTimeoutMillis: 15_000,
  subscription: "a > 5",
  subVersion: 0,
  expressionType: "SQL92",
};

class Room {
  readonly room: BrokerRoom;
  readonly peer = new FakePeer();
  readonly warnings: object[] = [];

  constructor(tuning: Partial<BrokerTuning> = {}) {
    const quiet = () => undefined;
    const logger = {
      info: quiet,
      debug: quiet,
      error: quiet,
      warn: (o: object) => void this.warnings.push(o),
    };
    this.room = brokerRoom({ tuning, logger: logger as unknown as Logger });
    this.room.topics.topics.apply({ kind: "topic-put", topic: newTopicConfig("orders"), atMs: 0 });
    this.room.store.autoFlush = false;
  }

  start(
    code: number,
    ext: Record<string, string | number>,
    body: Uint8Array = new Uint8Array(),
  ): FakeExchange {
    return call(requestHandlers(this.room).get(code)!, { code, ext, body, peer: this.peer });
  }

  ask(code: number, ext: Record<string, string | number>, body?: Uint8Array): Answer {
    const exchange = this.start(code, ext, body);
    this.room.host.endTurn();
    if (exchange.answer === undefined) throw new Error("not answered");
    return exchange.answer;
  }

  pull(fields: Partial<typeof FIELDS> = {}): Answer {
    return this.ask(PULL_MESSAGE, { ...FIELDS, ...fields });
  }

  /** One message for each value of `a`; "" for none. */
  arrive(...values: readonly string[]): void {
    const host = new Uint8Array(8);
    const messages = values.map((value) => ({
      topic: "orders",
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: host,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(value),
      properties: value === "" ? "" : `a\u0001${value}\u0002`,
    }));
    this.room.store.appendBatch(messages, "flushed", { appendSettled: () => {} });
    this.room.store.flush();
    this.room.host.endTurn();
  }

  heartbeat(expression: string, version = 5, type = "SQL92"): Answer {
    const consumer = {
      groupName: "group",
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: [newSubscriptionData("orders", expression, version, type)],
      unitMode: false,
    };
    const body = encodeHeartbeatData({
      clientID: "c",
      consumerDataSet: [consumer],
      producerGroups: [],
      heartbeatFingerprint: 0,
      withoutSub: false,
    });
    return this.ask(HEART_BEAT, {}, body);
  }

  check(expression: string, expressionType = "SQL92"): Answer {
    const subscriptionData = { topic: "orders", subString: expression, expressionType };
    const body = Buffer.from(JSON.stringify({ clientId: "c", group: "group", subscriptionData }));
    return this.ask(CHECK_CLIENT_CONFIG, {}, body);
  }
}

const next = (answer: Answer | undefined) => answer?.ext.get("nextBeginOffset");

describe("a pull with a SQL92 filter", () => {
  it("is given what matches, and goes on behind what does not", () => {
    const at = new Room();
    at.arrive("1", "6", "", "six", "7", "2");
    const answer = at.pull();
    assert.deepEqual([answer.code, answer.body.toString(), next(answer)], [0, "<6><7>", "6"]);
    const rest = at.pull({ queueOffset: 5 });
    assert.deepEqual([rest.code, rest.remark, next(rest)], [20, "NO_MATCHED_MESSAGE", "6"]);
    assert.equal(at.room.store.released, at.room.store.gets);
  });

  it("uses the filter of the group's heartbeats when it brings none", () => {
    const at = new Room();
    at.arrive("1", "6", "7");
    assert.equal(at.pull({ sysFlag: 0 }).code, 24);
    at.heartbeat("a > 5");
    assert.equal(at.pull({ sysFlag: 0, subVersion: 5 }).body.toString(), "<6><7>");
    at.heartbeat("a > 6", 6);
    assert.equal(at.pull({ sysFlag: 0, subVersion: 6 }).body.toString(), "<7>");
    at.heartbeat("1", 7, "TAG");
    assert.equal(at.pull({ sysFlag: 0, subVersion: 7 }).code, 20, "tags again");
  });

  it("is told 23 for an illegal expression, 27 when its heartbeat brought one, 28 when a newer is on its way", () => {
    const at = new Room();
    assert.match(at.pull({ subscription: "a >" }).remark ?? "", /at its end: a value or a property/);
    assert.equal(at.pull({ subscription: "a >" }).code, 23);
    assert.equal(at.pull({ subscription: "" }).code, 23);
    assert.equal(at.pull({ expressionType: "XPATH" }).code, 23);
    assert.equal(at.heartbeat("a >").code, 0);
    assert.equal(at.pull({ sysFlag: 0 }).code, 27);
    at.heartbeat("a > 5", 6);
    assert.equal(at.pull({ sysFlag: 0, subVersion: 6 }).code, 19);
    at.room.filters.register("group", [newSubscriptionData("orders", "a > 5", 6, "SQL92")]);
    at.room.consumers.heartbeat(
      {
        peer: at.peer,
        clientId: "c",
        consumer: {
          groupName: "group",
          consumeType: "CONSUME_PASSIVELY",
          messageModel: "CLUSTERING",
          consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
          subscriptionDataSet: [newSubscriptionData("orders", "a > 5", 7, "SQL92")],
          unitMode: false,
        },
        fingerprint: 0,
        withoutSub: false,
      },
      0,
    );
    assert.equal(at.pull({ sysFlag: 0, subVersion: 7 }).code, 28);
  });

  it("is told 1 where only tags are filtered by", () => {
    const at = new Room({ enablePropertyFilter: false });
    at.heartbeat("a > 5");
    for (const sysFlag of [0, SUBSCRIPTION]) {
      const answer = at.pull({ sysFlag });
      assert.equal(answer.code, 1);
      assert.match(answer.remark ?? "", /filter message by SQL92/);
    }
  });

  it("waits on while nothing matches, and is answered by the first that does", () => {
    const at = new Room();
    const parked = at.start(PULL_MESSAGE, { ...FIELDS, sysFlag: SUBSCRIPTION | SUSPEND });
    at.arrive("1", "2");
    at.arrive("", "six");
    assert.deepEqual([parked.isAnswered, at.room.longPoll.size], [false, 1]);
    at.arrive("3", "6");
    assert.deepEqual([parked.answer?.body.toString(), next(parked.answer)], ["<6>", "6"]);
    assert.equal(at.room.longPoll.size, 0);
    const filter = at.room.filters.compile("SQL92", FIELDS.subscription);
    assert.ok(filter instanceof SqlFilter);
    assert.equal(filter.failures, 1, "it looks at each message once");
    assert.equal(at.room.store.released, at.room.store.gets);
  });

  it("tells where to go on when nothing has matched until its time is over", () => {
    const at = new Room();
    const parked = at.start(PULL_MESSAGE, { ...FIELDS, sysFlag: SUBSCRIPTION | SUSPEND });
    at.arrive("1", "2");
    at.room.host.advance(15_000);
    const { answer } = parked;
    assert.deepEqual([answer?.code, answer?.remark, next(answer)], [20, "NO_MATCHED_MESSAGE", "2"]);
    const unmoved = at.start(PULL_MESSAGE, { ...FIELDS, queueOffset: 2, sysFlag: SUBSCRIPTION | SUSPEND });
    at.room.host.advance(15_000);
    assert.deepEqual([unmoved.answer?.code, next(unmoved.answer)], [19, "2"]);
  });

  it("is answered with what it has when its filter has worked or looked for too long", () => {
    const at = new Room({ filterMsMax: 0 });
    const { clock } = at.room;
    const monotonicMs = clock.monotonicMs.bind(clock);
    let extraMs = 0;
    Object.assign(clock, { monotonicMs: () => monotonicMs() + extraMs++ });
    at.arrive("1", "2", "6");
    assert.deepEqual([at.pull().code, next(at.pull())], [20, "1"]);
    assert.equal(at.pull({ queueOffset: 2 }).body.toString(), "<6>");
    const short = new Room({ filterBytesMax: 150 });
    short.arrive("1", "2", "6");
    assert.equal(next(short.pull()), "2");
  });

  it("says once that a filter fails on messages", () => {
    const at = new Room();
    at.arrive("six", "seven");
    at.pull();
    at.pull();
    assert.deepEqual(at.warnings, [{ expression: "a > 5", reason: "cannot compare 'six' > 5" }]);
  });
});

describe("a group's filter", () => {
  it("is dead when its last member has left", () => {
    const at = new Room();
    at.heartbeat("a > 5");
    assert.equal(at.room.filters.get("orders", "group")?.deadTime, 0);
    at.ask(UNREGISTER_CLIENT, { clientID: "c", consumerGroup: "group" });
    assert.notEqual(at.room.filters.get("orders", "group")?.deadTime, 0);
    at.heartbeat("a > 5");
    assert.equal(at.room.filters.get("orders", "group")?.deadTime, 0);
  });
});

describe("check-client-config", () => {
  it("compiles the expression", () => {
    const at = new Room();
    assert.equal(at.check("a > 5 AND b = 'x'").code, 0);
    const illegal = at.check("a > 5 AND b LIKE 'x'");
    assert.equal(illegal.code, 23);
    assert.match(illegal.remark ?? "", /at 12, "LIKE 'x'"/);
    assert.equal(at.check("a", "XPATH").code, 23);
    assert.equal(new Room({ enablePropertyFilter: false }).check("a > 5").code, 1);
  });
});
