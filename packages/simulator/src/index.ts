/** Whole clusters on the hostile machine room, and the checker of what they promise. */
export type { CheckCounts, CheckOptions, CheckResult, Invariant, Violation } from "./checker/check.ts";
export { check, INVARIANTS } from "./checker/check.ts";
export type { History, HistoryEvent } from "./checker/history.ts";
export { FAULT_KINDS } from "./faults/fault-table.ts";
export { type SimulationOptions, type SimulationResult, simulate } from "./simulation.ts";
