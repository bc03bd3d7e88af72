import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Peer } from "@orbitmq/wire";
import { FakePeer } from "../testing/fake-peer.ts";
import { ManualHost } from "../testing/manual-host.ts";
import { LongPoll, type ParkedPull, type ResumeReason } from "./long-poll.ts";

class Pull implements ParkedPull {
  heapIndex = -1;
  readonly peer: Peer;
  readonly topic = "T";
  readonly queueId: number;
  readonly offset: number;
  readonly deadlineMs: number;
  readonly matches: ((tagsCode: number) => boolean) | undefined;
  readonly resumed: ResumeReason[] = [];

  constructor(
    host: ManualHost,
    options: { offset?: number; queueId?: number; forMs?: number; tag?: number; peer?: Peer } = {},
  ) {
    this.peer = options.peer ?? new FakePeer();
    this.queueId = options.queueId ?? 0;
    this.offset = options.offset ?? 0;
    this.deadlineMs = host.clock.monotonicMs() + (options.forMs ?? 15_000);
    const tag = options.tag;
    this.matches = tag === undefined ? undefined : (code) => code === tag;
  }

  resume(reason: ResumeReason): void {
    this.resumed.push(reason);
  }
}

function room(parkedMax = 1_000): { host: ManualHost; polls: LongPoll } {
  const host = new ManualHost();
  return { host, polls: new LongPoll(host, parkedMax) };
}

describe("LongPoll", () => {
  it("wakes a pull at the end of the turn in which its message arrives", () => {
    const { host, polls } = room();
    const pull = new Pull(host, { offset: 5 });
    polls.park(pull);
    polls.messageArrived("T", 0, 6, 0);
    assert.deepEqual(pull.resumed, []);
    host.endTurn();
    assert.deepEqual(pull.resumed, ["woken"]);
    assert.equal(polls.size, 0);
  });

  it("wakes a pull once for many messages of one turn", () => {
    const { host, polls } = room();
    const pull = new Pull(host);
    polls.park(pull);
    for (let end = 1; end <= 100; end++) polls.messageArrived("T", 0, end, 0);
    host.endTurn();
    assert.deepEqual(pull.resumed, ["woken"]);
  });

  it("wakes the pulls of a queue that goes on where it stood still, whatever they wait for", () => {
    const { host, polls } = room();
    const pulls = [new Pull(host, { offset: 5 }), new Pull(host, { offset: 9, tag: 3 })];
    const other = new Pull(host, { queueId: 1 });
    for (const pull of [...pulls, other]) polls.park(pull);
    polls.queueReleased("T", 0);
    host.endTurn();
    assert.deepEqual(
      pulls.map((pull) => pull.resumed),
      [["woken"], ["woken"]],
    );
    assert.deepEqual(other.resumed, []);
  });

  it("leaves a pull alone that waits for another queue, a later offset or another tag", () => {
    const { host, polls } = room();
    const pulls = [
      new Pull(host, { queueId: 1 }),
      new Pull(host, { offset: 9 }),
      new Pull(host, { tag: 77 }),
    ];
    for (const pull of pulls) polls.park(pull);
    polls.messageArrived("T", 0, 9, 12);
    polls.messageArrived("U", 0, 99, 77);
    host.endTurn();
    assert.deepEqual(
      pulls.flatMap((pull) => pull.resumed),
      [],
    );
    polls.messageArrived("T", 0, 10, 77);
    host.endTurn();
    assert.deepEqual(
      pulls.map((pull) => pull.resumed),
      [[], ["woken"], ["woken"]],
    );
  });

  it("expires each pull at its own deadline with a single timer", () => {
    const { host, polls } = room();
    const pulls = [3_000, 1_000, 2_000, 1_000].map((forMs) => new Pull(host, { forMs }));
    for (const pull of pulls) polls.park(pull);
    assert.equal(host.timerCount, 1);
    host.advance(999);
    assert.deepEqual(
      pulls.map((pull) => pull.resumed.length),
      [0, 0, 0, 0],
    );
    host.advance(1);
    assert.deepEqual(
      pulls.map((pull) => pull.resumed.length),
      [0, 1, 0, 1],
    );
    assert.equal(host.timerCount, 1);
    host.advance(2_000);
    assert.deepEqual(
      pulls.map((pull) => pull.resumed),
      [["expired"], ["expired"], ["expired"], ["expired"]],
    );
    assert.equal(host.timerCount, 0);
  });

  it("does not expire a pull again that was woken", () => {
    const { host, polls } = room();
    const pull = new Pull(host);
    polls.park(pull);
    polls.messageArrived("T", 0, 1, 0);
    host.advance(60_000);
    assert.deepEqual(pull.resumed, ["woken"]);
  });

  it("forgets the pulls of a connection that closes", () => {
    const { host, polls } = room();
    const peer = new FakePeer();
    const pulls = [new Pull(host, { peer }), new Pull(host, { peer, queueId: 3 }), new Pull(host)];
    for (const pull of pulls) polls.park(pull);
    peer.close();
    assert.equal(polls.size, 1);
    polls.messageArrived("T", 0, 1, 0);
    polls.messageArrived("T", 3, 1, 0);
    host.advance(60_000);
    assert.deepEqual(
      pulls.map((pull) => pull.resumed),
      [[], [], ["woken"]],
    );
    assert.equal(polls.park(new Pull(host, { peer })), false);
  });

  it("refuses to park more than its limit", () => {
    const { host, polls } = room(2);
    assert.equal(polls.park(new Pull(host)), true);
    assert.equal(polls.park(new Pull(host)), true);
    assert.equal(polls.park(new Pull(host)), false);
  });

  it("resumes everything when it stops and parks nothing afterwards", () => {
    const { host, polls } = room();
    const pulls = [new Pull(host), new Pull(host, { queueId: 1 })];
    for (const pull of pulls) polls.park(pull);
    polls.stop();
    assert.deepEqual(
      pulls.map((pull) => pull.resumed),
      [["stopped"], ["stopped"]],
    );
    assert.equal(polls.park(new Pull(host)), false);
    assert.equal(host.timerCount, 0);
  });

  it("lets a pull be parked again from its resume", () => {
    const { host, polls } = room();
    const pull = new Pull(host, { offset: 1 });
    pull.resume = (reason) => {
      pull.resumed.push(reason);
      if (pull.resumed.length < 3) polls.park(pull);
    };
    polls.park(pull);
    for (let end = 2; end < 5; end++) {
      polls.messageArrived("T", 0, end, 0);
      host.endTurn();
    }
    assert.deepEqual(pull.resumed, ["woken", "woken", "woken"]);
    assert.equal(polls.size, 0);
  });

  it("wakes or expires every pull exactly once, whatever the order of events", () => {
    let state = 7;
    const pick = (bound: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % bound;
    };
    const { host, polls } = room();
    const peers = Array.from({ length: 8 }, () => new FakePeer());
    const pulls: Pull[] = [];
    for (let step = 0; step < 4_000; step++) {
      const what = pick(10);
      if (what < 6) {
        const pull = new Pull(host, {
          peer: peers[pick(8)]!,
          offset: pick(10),
          queueId: pick(4),
          forMs: 1 + pick(500),
          ...(pick(2) === 0 ? { tag: pick(3) } : {}),
        });
        if (polls.park(pull)) pulls.push(pull);
      } else if (what < 9) polls.messageArrived("T", pick(4), pick(12), pick(3));
      else host.advance(pick(100));
      if (step === 2_000) peers[0]!.close();
    }
    host.advance(1_000);
    assert.equal(polls.size, 0);
    for (const pull of pulls) {
      if (pull.peer.closed) assert.ok(pull.resumed.length <= 1);
      else assert.equal(pull.resumed.length, 1);
    }
  });
});
