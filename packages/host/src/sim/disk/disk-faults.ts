/**
 * What a simulated disk has been told to refuse: single operations that fail once, and kinds of files for which
 * there is no space. Everything here is called off by `disarm`.
 */

/** `open` fails for want of descriptors (EMFILE), the others with EIO. */
export type DiskFault = "write" | "sync" | "read" | "open";

type PathTest = (path: string) => boolean;

interface ArmedFault {
  readonly fault: DiskFault;
  readonly matches: PathTest;
}

/** Names the faults are counted by. */
const NAMES: Readonly<Record<DiskFault, string>> = {
  write: "write-eio",
  sync: "sync-eio",
  read: "read-eio",
  open: "emfile",
};

export class DiskFaults {
  #armed: ArmedFault[] = [];
  #noSpaceFor: PathTest | undefined;
  readonly #tell: (name: string, path: string) => void;

  /** `tell` is called whenever a fault takes effect. */
  constructor(tell: (name: string, path: string) => void) {
    this.#tell = tell;
  }

  /** The next `times` operations of this kind on paths that match fail. */
  failNext(fault: DiskFault, matches: PathTest = () => true, times = 1): void {
    for (let i = 0; i < times; i++) this.#armed.push({ fault, matches });
  }

  /** Writes that need new blocks of paths that match fail with ENOSPC; undefined: none do. */
  setNoSpaceFor(matches: PathTest | undefined): void {
    this.#noSpaceFor = matches;
  }

  disarm(): void {
    this.#armed = [];
    this.#noSpaceFor = undefined;
  }

  /** Whether this operation fails; an armed fault is used up. */
  take(fault: DiskFault, path: string): boolean {
    if (this.#armed.length === 0) return false;
    const index = this.#armed.findIndex((armed) => armed.fault === fault && armed.matches(path));
    if (index < 0) return false;
    this.#armed.splice(index, 1);
    this.#tell(NAMES[fault], path);
    return true;
  }

  hasNoSpaceFor(path: string): boolean {
    if (this.#noSpaceFor?.(path) !== true) return false;
    this.#tell("no-space", path);
    return true;
  }
}
