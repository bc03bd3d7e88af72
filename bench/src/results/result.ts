/**
 * What one workload under one flush mode gave, as it lies on disk: self-contained, so that files of several runs can
 * be put into one report without the code that measured them.
 */
import type { Machine } from "../measure/machine.ts";
import type { Metrics } from "../measure/metrics.ts";
import type { Goal } from "./goal.ts";

export const RESULT_FORMAT = 1;

/** One server's (or client's) turn at a workload in one round. */
export interface Turn {
  readonly round: number;
  /** The contestant whose turn it was. */
  readonly server: string;
  /** Whose figures these are: "OrbitMQ", "RocketMQ 5.5.0", "ali-ons on OrbitMQ". */
  readonly who: string;
  /** Of the disk, 4 KiB write + fdatasync per second, just before the turn. */
  readonly rawSyncPerSecond: number;
  readonly metrics: Metrics;
}

export interface Result {
  readonly format: typeof RESULT_FORMAT;
  /** `pipelined-1x64-128-sync`: also the file's name. */
  readonly name: string;
  readonly title: string;
  readonly flush: string;
  readonly goals: readonly Goal[];
  readonly roundsWanted: number;
  readonly seconds: number;
  /** Numbers of messages were multiplied with this; what is not 1 is a rehearsal. */
  readonly scale: number;
  readonly command: string;
  readonly startedAt: string;
  readonly machine: Machine;
  /** Version and flags of each who. */
  readonly about: Readonly<Record<string, string>>;
  /** Runs that did not count, and why. */
  readonly discarded: readonly string[];
  readonly turns: readonly Turn[];
}
