/**
 * Where the application of the transactions keeps what became of its own work: it outlives every process, and all
 * producers of the group look there when a broker asks.
 *
 *   (nothing) ──began, by a process──▶ working ──▶ committed | rolled back
 *   (nothing) ──asked about──▶ rolled back: it will not begin any more
 *   working ──its process died, and it is asked about──▶ rolled back
 *   working ──▶ open for ever: nobody can tell, until an operator decides
 */
import type { SimHost } from "@orbitmq/host/sim";
import type { Recorder } from "../../recorder.ts";

export type Decision = "commit" | "rollback";

interface Work {
  readonly by: SimHost | undefined;
  decision: Decision | undefined;
  isOpen: boolean;
}

export class LocalDatabase {
  readonly #recorder: Recorder;
  readonly #work = new Map<string, Work>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** False: it was decided, or begun, before. */
  begin(id: string, by: SimHost): boolean {
    if (this.#work.has(id)) return false;
    this.#work.set(id, { by, decision: undefined, isOpen: false });
    return true;
  }

  /** What is decided first counts; returns that. */
  decide(id: string, decision: Decision): Decision {
    const work = this.#work.get(id) ?? { by: undefined, decision: undefined, isOpen: false };
    this.#work.set(id, work);
    if (work.decision === undefined) {
      work.decision = decision;
      this.#recorder.add({ kind: "decided", id, decision });
    }
    return work.decision;
  }

  /** Nobody decides, however often it is asked about. */
  leaveOpen(id: string): void {
    const work = this.#work.get(id);
    if (work !== undefined) work.isOpen = true;
  }

  /** What a producer of the group says that is asked. */
  answer(id: string): Decision | undefined {
    const work = this.#work.get(id);
    const isWorking = work !== undefined && work.by?.alive === true;
    if (work?.decision !== undefined || work?.isOpen === true || isWorking) return work?.decision;
    return this.decide(id, "rollback");
  }

  decisionOf(id: string): Decision | undefined {
    return this.#work.get(id)?.decision;
  }

  isOpen(id: string): boolean {
    const work = this.#work.get(id);
    return work?.isOpen === true && work.decision === undefined;
  }
}
