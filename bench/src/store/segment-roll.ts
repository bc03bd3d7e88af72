/**
 * What an append feels of a segment's end: latencies of the appends that fall into a roll, beside those of the others
 * in the same run. Segments are small, so that there are many. A roll begins where the zeros that run ahead of the
 * log need a new segment, and ends a little behind its start.
 */
import { rawSyncRate } from "../measure/raw-sync.ts";
import { appendFor, percentile } from "./appending.ts";
import type { StoreWorkload } from "./workload.ts";

const MIB = 1024 * 1024;
const SEGMENT_BYTES = 16 * MIB;
const ZERO_AHEAD_BYTES = 4 * MIB;
const MARGIN_BYTES = MIB / 2;
const WAITING = 64;
const GOAL = 2;
/** Fewer say nothing. */
const ROLLS_MIN = 5;

export const segmentRoll: StoreWorkload = {
  id: "segment-roll",
  about: "p99.9 of append latency while segments of 16 MiB end, beside that of the appends between",
  seconds: 13,
  run: (bench) =>
    bench.inFolder(async (home) => {
      const raw = rawSyncRate(home, 500);
      const store = await bench.opened({
        home,
        mappedFileSizeCommitLog: SEGMENT_BYTES,
        zeroAheadBytes: ZERO_AHEAD_BYTES,
      });
      const during: number[] = [];
      const between: number[] = [];
      const { perSecond } = await appendFor(
        bench.host,
        store,
        WAITING,
        "flushed",
        bench.seconds * 4_000,
        (offset, ms) => {
          const within = offset % SEGMENT_BYTES;
          const isRoll =
            within >= SEGMENT_BYTES - ZERO_AHEAD_BYTES - MARGIN_BYTES ||
            (within < MARGIN_BYTES && offset > MARGIN_BYTES);
          (isRoll ? during : between).push(ms);
        },
      );
      const rolls = Math.floor(store.status().writtenOffset / SEGMENT_BYTES);
      await store.stop();
      const p999 = (latencies: number[]) => percentile(Float64Array.from(latencies).sort(), 0.999);
      const [inRoll, elsewhere] = [p999(during), p999(between)];
      const beside = `p99.9 between ${elsewhere.toFixed(3)} ms; ${rolls} rolls, ${Math.round(perSecond).toLocaleString("en")} appends/s; raw sync ${Math.round(raw).toLocaleString("en")}/s`;
      bench.tell("p99.9 of appends during a segment roll", inRoll, "ms", beside, {
        is: "at most",
        bound: GOAL,
        measured: rolls >= ROLLS_MIN ? inRoll / elsewhere : undefined,
        unit: "times that without",
      });
    }),
};
