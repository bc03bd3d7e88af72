/** Commands under which calls on a store's CommitLog fail as on a broken disk. Needs strace. */
import { spawnSync } from "node:child_process";

/** `false` when tests that need strace can run, else why not. */
export const skipWithoutStrace = spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";

/** Segments of the CommitLog that calls are made to fail on. */
const SEGMENTS = 200;

/**
 * From each thread's `when`-th call on, the call fails with EIO on the segments of the store in `home`, which are
 * `segmentBytes` long. Calls on other files work.
 */
export function failingCall(
  call: "fdatasync" | "pwrite64",
  when: number,
  home: string,
  segmentBytes: number,
): string[] {
  const segments = Array.from({ length: SEGMENTS }, (_, index) => [
    "-P",
    `${home}/commitlog/${String(index * segmentBytes).padStart(20, "0")}`,
  ]);
  const inject = `inject=${call}:error=EIO:when=${when}+`;
  return [
    "strace",
    "-D",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    ...segments.flat(),
    "-e",
    `trace=${call}`,
    "-e",
    inject,
  ];
}
