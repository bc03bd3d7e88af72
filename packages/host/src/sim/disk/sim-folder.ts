/**
 * Names on a simulated disk. What processes see and what is on disk are two maps; the changes between them
 * are kept in order until their folder is synced, and a machine crash may undo any of them: a new file loses
 * its name, a removed one has it back, a rename (one change, both names) is as if it had not been.
 */
import type { SeededRandom } from "../seeded-random.ts";
import { SimInode } from "./sim-inode.ts";

export type FolderEntry = SimFolder | SimInode;

export class SimFolder {
  readonly id: number;
  readonly entries = new Map<string, FolderEntry>();
  readonly durable = new Map<string, FolderEntry>();

  constructor(id: number) {
    this.id = id;
  }
}

interface NameChange {
  readonly folder: SimFolder;
  readonly name: string;
  /** undefined removes the name. */
  readonly entry: FolderEntry | undefined;
}

/** Changes that happen together or not at all. */
interface NameStep {
  readonly sequence: number;
  readonly changes: readonly NameChange[];
}

function applyChange(map: Map<string, FolderEntry>, change: NameChange): void {
  if (change.entry === undefined) map.delete(change.name);
  else map.set(change.name, change.entry);
}

export class NameJournal {
  #steps: NameStep[] = [];
  #sequence = 0;
  /** Changes whenever any name or its durability does. */
  version = 0;

  get pendingCount(): number {
    return this.#steps.length;
  }

  /** Changes what processes see, now; the disk follows at the next sync of one of the folders. */
  perform(changes: readonly NameChange[]): void {
    for (const change of changes) {
      const before = change.folder.entries.get(change.name);
      if (before instanceof SimInode) before.links--;
      if (change.entry instanceof SimInode) change.entry.links++;
      applyChange(change.folder.entries, change);
    }
    this.#steps.push({ sequence: this.#sequence++, changes });
    this.version++;
  }

  /** The position up to which a sync asked for now will count. */
  mark(): number {
    return this.#sequence;
  }

  /** Every change of `folder` before `mark` is on disk. */
  synced(folder: SimFolder, mark: number): void {
    this.version++;
    this.#steps = this.#steps.filter((step) => {
      if (step.sequence >= mark || !step.changes.some((change) => change.folder === folder)) return true;
      for (const change of step.changes) applyChange(change.folder.durable, change);
      return false;
    });
  }

  /** The machine lost power: returns how many changes were undone. */
  crash(root: SimFolder, random: SeededRandom, keepChance: number): number {
    let undone = 0;
    // Half of the crashes lose a suffix, as a journal does; the others any subset.
    const suffixFrom = random.chance(0.5) ? random.int(this.#steps.length + 1) : undefined;
    this.#steps.forEach((step, index) => {
      const keep = suffixFrom === undefined ? random.chance(keepChance) : index < suffixFrom;
      if (keep) for (const change of step.changes) applyChange(change.folder.durable, change);
      else undone++;
    });
    this.#steps = [];
    this.version++;
    restore(root);
    return undone;
  }
}

function restore(folder: SimFolder): void {
  folder.entries.clear();
  for (const [name, entry] of folder.durable) {
    folder.entries.set(name, entry);
    if (entry instanceof SimFolder) restore(entry);
  }
}
