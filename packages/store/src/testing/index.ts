/** Test doubles of the store for the packages above it: `@orbitmq/store/testing`. */

export { CrashModel, LOSE_ALL } from "./crash-model.ts";
export { type Exploration, explore, type Found, Tally } from "./crash-states/explore.ts";
export { fail } from "./crash-states/judge.ts";
export { bodyOf, Recorder, type Recording } from "./crash-states/recorder.ts";
export { type Campaign, replay, runCampaign } from "./crash-states/report.ts";
export { RUNS, type RunKind } from "./crash-states/runs.ts";
export { betweenOf } from "./crash-states/seeded-between.ts";
export type { DiskImage } from "./fake-disk.ts";
export { HOME, message, StoreDriver } from "./store-driver.ts";
