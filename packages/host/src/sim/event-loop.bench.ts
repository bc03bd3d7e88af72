/** How many events a second the loop runs: `npx tsx packages/host/src/sim/event-loop.bench.ts`. Goal ≥ 500,000/s. */
import { EventLoop } from "./event-loop.ts";
import { Trace } from "./trace.ts";

async function measure(name: string, internal: boolean): Promise<void> {
  const loop = new EventLoop(new Trace(), (_owner, error) => {
    throw error;
  });
  const chains = 500;
  const eventsPerChain = 2_000;
  for (let chain = 0; chain < chains; chain++) {
    let left = eventsPerChain;
    const next = () => {
      if (--left > 0) schedule();
    };
    const schedule = () => {
      if (internal) loop.scheduleInternal(1 + (left % 97), undefined, "timer", 0, next);
      else loop.schedule(1 + (left % 97), undefined, "timer", 0, next);
    };
    schedule();
  }
  const start = performance.now();
  await loop.run(Number.MAX_SAFE_INTEGER);
  const perSecond = Math.round((loop.eventCount / (performance.now() - start)) * 1000);
  console.log(`${name}: ${perSecond.toLocaleString("en")} events/s`);
}

for (let round = 0; round < 3; round++) {
  await measure("with microtasks drained", false);
  await measure("internal events", true);
}
