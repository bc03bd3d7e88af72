import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PopTrail } from "./pop-trail.ts";

const QUEUE = { group: "billing", topic: "orders", queueId: 0 };

/** Follows pops `[start, next, end of the checkpoint in the log]`; returns the offset afterwards. */
function followed(
  committed: number | undefined,
  mark: number | undefined,
  pops: readonly (readonly [number, number | undefined, number])[],
  isBroken = false,
): number | undefined {
  const trail = new PopTrail(mark);
  for (const [startOffset, nextOffset, end] of pops) {
    const rest = { popTime: end, brokerName: "a", invisibleTime: 1, ackedBits: 0, rePutTimes: 0 };
    const moved = nextOffset === undefined ? {} : { nextOffset };
    trail.add({ ...QUEUE, ...rest, startOffset, offsets: [startOffset], ...moved }, end);
  }
  trail.isBroken = isBroken;
  let offset = committed;
  trail.follow({
    get: () => offset,
    commit: (_group, _topic, _queueId, to) => {
      offset = to;
    },
  });
  return offset;
}

describe("the trail of pops in the revive log", () => {
  it("leads on from the committed offset, in the order of the log", () => {
    assert.equal(
      followed(4, 100, [
        [6, 9, 300],
        [4, 6, 200],
      ]),
      9,
    );
  });

  it("begins with the first pop of a group that has committed nothing", () => {
    assert.equal(
      followed(undefined, 100, [
        [4, 6, 200],
        [6, 9, 300],
      ]),
      9,
    );
  });

  it("leaves alone what the offsets know of: they may have been set back since", () => {
    assert.equal(
      followed(4, 200, [
        [4, 6, 200],
        [6, 9, 300],
      ]),
      4,
    );
  });

  it("follows a pop that began further back, as the queue did", () => {
    assert.equal(
      followed(4, 100, [
        [4, 9, 200],
        [2, 5, 300],
      ]),
      5,
    );
  });

  it("stops where a pop began further on: what lies between is nobody's yet", () => {
    assert.equal(
      followed(4, 100, [
        [4, 6, 200],
        [7, 9, 300],
      ]),
      6,
    );
  });

  it("counts neither checkpoints written again nor RocketMQ's", () => {
    assert.equal(followed(40, 100, [[4, undefined, 200]]), 40);
  });

  it("is not followed when the log has a gap, or nobody can tell what the offsets know of", () => {
    assert.equal(followed(4, 100, [[4, 6, 200]], true), 4);
    assert.equal(followed(4, undefined, [[4, 6, 200]]), 4);
  });
});
