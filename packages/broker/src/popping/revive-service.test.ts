import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Popped, PopRoom, RETRY_TOPIC } from "../testing/pop-room.ts";

const COUNT = 200;

/** A room where so many messages were popped one by one at the same time, and wait to come again. */
function popped(count = COUNT): { readonly room: PopRoom; readonly all: readonly Popped[] } {
  const room = new PopRoom();
  room.send(Array.from({ length: count }, (_, index) => `m${index}`));
  const all: Popped[] = [];
  for (let index = 0; index < count; index++) {
    all.push(...room.pop({ queueId: 0, maxMsgNums: 1, invisibleTime: 5_000 }));
  }
  assert.equal(all.length, count);
  return { room, all };
}

const came = (room: PopRoom): string[] =>
  (room.room.store.queues.get(`${RETRY_TOPIC}@0`) ?? []).map(({ body }) => body);

describe("what comes again in masses", () => {
  it("comes many in a turn, and never so many that a turn has no end", () => {
    const { room, all } = popped();
    const { store, timers } = room.room;
    let turn = 0;
    const perTurn = new Map<number, number>();
    const append = store.append.bind(store);
    store.append = (message, ...rest) => {
      if (message.topic !== RETRY_TOPIC) return append(message, ...rest);
      if (!perTurn.has(turn)) timers.afterTurn(() => void turn++);
      perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
      return append(message, ...rest);
    };
    room.advance(5_000);
    assert.deepEqual(came(room).sort(), all.map(({ body }) => body).sort());
    assert.deepEqual([...perTurn.values()], [64, 64, 64, 8]);
  });

  it("is read 32 at a time where reading takes its time, and comes once each", () => {
    const { room, all } = popped();
    const { store } = room.room;
    const reads: (() => void)[] = [];
    const get = store.get.bind(store);
    store.get = (request, done) => {
      if (request.topic === "orders") reads.push(() => get(request, done));
      else get(request, done);
    };
    room.advance(5_000);
    const counts: number[] = [];
    while (reads.length > 0) {
      counts.push(reads.length);
      // The last asked is answered first.
      for (const read of reads.splice(0).reverse()) read();
      room.advance(0);
    }
    assert.deepEqual(counts, [32, 32, 32, 32, 32, 32, 8]);
    assert.deepEqual(came(room).sort(), all.map(({ body }) => body).sort());
    room.advance(2_000);
    assert.equal(room.room.popping.log.table.size, 0);
  });

  it("does not come when it is acknowledged while others are read", () => {
    const { room, all } = popped(3);
    const { store } = room.room;
    const reads: (() => void)[] = [];
    const get = store.get.bind(store);
    store.get = (request, done) => void reads.push(() => get(request, done));
    room.advance(5_000);
    store.get = get;
    assert.equal(room.ack(all[1]!).code, 0);
    for (const read of reads) read();
    room.advance(2_000);
    assert.deepEqual(came(room), ["m0", "m2"]);
    assert.equal(room.room.popping.log.table.size, 0);
  });
});
