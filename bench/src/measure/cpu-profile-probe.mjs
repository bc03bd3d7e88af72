// Loaded with --import into a server that is measured: V8's profile of its event loop while it is under load. SIGURG
// begins, SIGCONT ends (both are ignored where this is not loaded; so is one that changes nothing). In
// $BENCH_PROFILE_FOLDER a stretch leaves 1.begun when it begins and 1.json when it has ended, the next one 2.begun: the
// profile, and what it cannot tell. V8 calls the loop idle whenever it runs no JavaScript between two turns, reads of
// sockets included; how long it really waited follows from what the scheduler counts. (What libuv counts around epoll
// does not serve: each sample interrupts epoll, and it begins anew.)
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

/** Each sample wakes a loop that waits, which takes it some 15 µs. */
const INTERVAL_US = 1_000;
const folder = process.env.BENCH_PROFILE_FOLDER;
if (folder !== undefined) {
  // Functions that were optimized, and others into them, before the profile begins keep their names in it.
  setFlagsFromString("--detailed-line-info");
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  // Of the main thread, whose id is the process's: nanoseconds on a core, and ready without one.
  const look = () => {
    const [coreNs, readyNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
    return { coreUs: coreNs / 1e3, readyUs: readyNs / 1e3 };
  };
  let before;
  let count = 0;
  process.on("SIGURG", () => {
    if (before !== undefined) return;
    writeFileSync(join(folder, `${++count}.begun`), "");
    session.post("Profiler.start");
    before = look();
  });
  process.on("SIGCONT", () => {
    if (before === undefined) return;
    const after = look();
    const since = Object.fromEntries(Object.entries(after).map(([name, us]) => [name, us - before[name]]));
    before = undefined;
    session.post("Profiler.stop", (error, stopped) => {
      if (error !== null) throw new Error("the profile could not be ended", { cause: error });
      const file = join(folder, `${count}.json`);
      writeFileSync(`${file}.tmp`, JSON.stringify({ ...since, profile: stopped.profile }));
      renameSync(`${file}.tmp`, file);
    });
  });
}
