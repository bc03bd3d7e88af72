/** The hostile machine room: deterministic from one seed, in one thread. For the simulator and for tests. */

export type { DiskFault } from "./disk/disk-faults.ts";
export type { SimDisk } from "./disk/sim-disk.ts";
export type { CrashPolicy } from "./disk/sim-inode.ts";
export type { SimConnection } from "./network/sim-connection.ts";
export type { SimFabric } from "./network/sim-fabric.ts";
export { SeededRandom } from "./seeded-random.ts";
export type { SimHost } from "./sim-host.ts";
export type { SimMachine } from "./sim-machine.ts";
export type { DiskOptions, NetworkOptions, Range, SimOptions } from "./sim-options.ts";
export { DEFAULT_SIM_OPTIONS } from "./sim-options.ts";
export { SimWorld, type SimWorldOptions } from "./sim-world.ts";
export type { Trace, TraceKind } from "./trace.ts";
export { TRACE_KINDS } from "./trace.ts";
