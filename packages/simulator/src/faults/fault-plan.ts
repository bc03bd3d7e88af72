/** Which faults happen when, drawn from the seed before the run begins. */
import type { SeededRandom } from "@orbitmq/host/sim";
import type { Scenario } from "../scenario.ts";
import { CRASH_KINDS, DISK_KINDS, FAULT_KINDS, type FaultKind } from "./fault-table.ts";

export interface PlannedFault {
  readonly atMs: number;
  readonly kind: FaultKind;
}

/** Faults start when the cluster has had time to come up. */
const FIRST_MS = 1_500;

export function planFaults(
  random: SeededRandom,
  options: Pick<Scenario, "busyMs" | "faults" | "crashesMin" | "diskFaultsMin" | "expiries">,
): PlannedFault[] {
  const kinds: FaultKind[] = [];
  for (let i = 0; i < options.crashesMin; i++) kinds.push(random.pick(CRASH_KINDS));
  // Different ones, as there are more kinds than a seed has room for.
  const diskKinds = [...DISK_KINDS];
  for (let i = 0; i < options.diskFaultsMin; i++) {
    kinds.push(...diskKinds.splice(random.int(diskKinds.length), 1));
  }
  for (let i = 0; i < options.expiries; i++) kinds.push("hours-pass");
  while (kinds.length < options.faults) kinds.push(random.pick(FAULT_KINDS));
  // Some plans crowd their faults together: crashes during recovery, faults on top of faults.
  const crowded = random.chance(0.3);
  const centreMs = random.between(FIRST_MS, options.busyMs);
  const plan = kinds.map((kind) => {
    const anywhereMs = random.between(FIRST_MS, options.busyMs - 500);
    const nearMs = Math.min(
      options.busyMs - 500,
      Math.max(FIRST_MS, centreMs + random.between(-1_500, 1_500)),
    );
    return { kind, atMs: crowded && random.chance(0.6) ? nearMs : anywhereMs };
  });
  return plan.sort((a, b) => a.atMs - b.atMs);
}
