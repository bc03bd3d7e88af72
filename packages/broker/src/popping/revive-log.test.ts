import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PopRoom, RETRY_TOPIC, TOPIC } from "../testing/pop-room.ts";
import { REVIVE_GROUP, ReviveLog } from "./revive-log.ts";
import { ackMessage, checkPointMessage } from "./revive-records.ts";

const REVIVE_TOPIC = "rmq_sys_REVIVE_LOG_DefaultCluster";

describe("the revive log", () => {
  /** A checkpoint as RocketMQ's timer brings it. */
  function foreign(room: PopRoom, offsets: readonly number[], popTime: number) {
    const { clock } = room.room;
    const place = { topic: REVIVE_TOPIC, queueId: 3, nowMs: popTime, storeHost: new Uint8Array(8) };
    const of = {
      group: "billing",
      topic: TOPIC,
      queueId: 0,
      startOffset: 0,
      popTime,
      brokerName: "broker-a",
    };
    const ck = { ...of, invisibleTime: 60_000, offsets, ackedBits: 0, rePutTimes: 0 };
    const append = (message: ReturnType<typeof ackMessage>): void => {
      room.room.store.append(message, "flushed", { appendSettled: () => undefined });
      room.room.host.endTurn();
    };
    assert.ok(popTime < clock.wallMs());
    return {
      bringCheckPoint: () => append(checkPointMessage(ck, place)),
      bringAck: (offset: number) => append(ackMessage(of, [offset], place)),
    };
  }

  it("brings back what another broker has popped, after its acknowledgements could come", () => {
    const room = new PopRoom();
    room.room.groups.find("billing");
    room.send(["a", "b", "c"]);
    const { bringCheckPoint, bringAck } = foreign(room, [0, 2], room.room.clock.wallMs() - 60_000);
    bringCheckPoint();
    assert.equal(room.room.popping.log.table.size, 1);
    room.advance(1_500);
    bringAck(2);
    assert.equal(room.committed(REVIVE_TOPIC, 3, REVIVE_GROUP), undefined, "the checkpoint is needed");
    room.advance(1_499);
    assert.equal(room.room.store.queues.get(`${RETRY_TOPIC}@0`), undefined);
    room.advance(1);
    assert.deepEqual(
      room.room.store.queues.get(`${RETRY_TOPIC}@0`)!.map(({ body }) => body),
      ["a"],
    );
    room.advance(2_000);
    assert.equal(room.room.popping.log.table.size, 0);
    assert.equal(room.committed(REVIVE_TOPIC, 3, REVIVE_GROUP), 2);
  });

  it("passes over what is none, and what is of a checkpoint nobody knows", () => {
    const room = new PopRoom();
    const { bringAck } = foreign(room, [0], 1_000);
    bringAck(0);
    room.send(["garbage"], 3, "TAGS\u0001ck\u0002", REVIVE_TOPIC);
    room.send(["{}"], 3, "TAGS\u0001ack\u0002", REVIVE_TOPIC);
    room.send(["?"], 3, "", REVIVE_TOPIC);
    room.advance(2_000);
    assert.equal(room.room.popping.log.table.size, 0);
    assert.equal(room.committed(REVIVE_TOPIC, 3, REVIVE_GROUP), 3);
  });

  it("writes a checkpoint again that lies far behind, so that a start need not read so much", () => {
    const room = new PopRoom();
    const { store, host } = room.room;
    const options = { ...room.room.options, brokerClusterName: "Other" };
    const log = new ReviveLog({ ...room.room, options }, 10);
    const nobody = { appendSettled: () => log.follow() };
    const ck = (startOffset: number, invisibleTime: number) => ({
      ...{ group: "billing", topic: TOPIC, queueId: 0, startOffset, popTime: 1, brokerName: "broker-a" },
      ...{ invisibleTime, offsets: [startOffset, startOffset + 1], ackedBits: 0, rePutTimes: 0 },
    });
    const old = log.checkPoint(ck(0, 3_600_000), 0, nobody);
    assert.ok("checkPoint" in old);
    log.done(old.checkPoint, 1);
    for (let i = 1; i <= 20; i++) {
      const made = log.checkPoint(ck(10 * i, 1_000), 0, nobody);
      if ("checkPoint" in made) log.done(made.checkPoint, 3);
    }
    host.advance(3_000);
    assert.equal(log.table.size, 1);
    const end = store.queues.get(`${log.topic}@0`)!.length;
    assert.equal(end, 43, "one more");
    assert.match(store.queues.get(`${log.topic}@0`)!.at(-1)!.body, /"bm":1/);
    assert.equal(log.table.progress(0, end), end - 2);
  });
});
