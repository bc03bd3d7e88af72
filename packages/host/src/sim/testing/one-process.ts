/** A world with one machine and one process, and file operations as promises, for tests. */
import type { Lane, OpenFile } from "../../files.ts";
import type { SimHost } from "../sim-host.ts";
import type { SimMachine } from "../sim-machine.ts";
import { SimWorld, type SimWorldOptions } from "../sim-world.ts";

export interface OneProcess {
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly host: SimHost;
}

export function oneProcess(seed: number, options: SimWorldOptions = {}): OneProcess {
  const world = new SimWorld(seed, options);
  const machine = world.addMachine("m1");
  return { world, machine, host: world.spawn(machine, "p1") };
}

/** Power loss, power on, and a new process on the same machine. */
export function crashAndRestart({ world, machine }: OneProcess): SimHost {
  world.crash(machine);
  world.start(machine);
  return world.spawn(machine, "p1");
}

export function settle(start: (done: (error: Error | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    start((error) => (error === undefined ? resolve() : reject(error))),
  );
}

export const sync = (file: OpenFile, lane: Lane = "log"): Promise<void> =>
  settle((done) => file.fdatasync(lane, done));

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function contents(host: SimHost, path: string): string | undefined {
  const bytes = host.files.readWholeSync(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
