/** A bar on stderr while a person watches; nothing otherwise. */
import { SingleBar } from "cli-progress";
import type { Terminal } from "../terminal.ts";

export interface ProgressBar {
  readonly update: (done: number, total: number) => void;
  /** The bar goes; what is printed next is in its place. */
  stop(): void;
}

/** What is counted, and how many of it the bar takes for one. */
export interface ProgressUnit {
  readonly name: string;
  readonly size: number;
}

const MIB: ProgressUnit = { name: "MiB", size: 1024 * 1024 };

/** `what` is what is being done: "checking". */
export function progressBar(what: string, terminal: Terminal, unit: ProgressUnit = MIB): ProgressBar {
  if (!terminal.isInteractive) return { update: () => {}, stop: () => {} };
  let bar: SingleBar | undefined;
  return {
    update: (done, total) => {
      const [doneUnits, totalUnits] = [
        Math.floor(done / unit.size),
        Math.max(1, Math.ceil(total / unit.size)),
      ];
      if (bar === undefined) {
        bar = new SingleBar({
          format: `${what} {bar} {percentage}% {value}/{total} ${unit.name}, {eta_formatted} left`,
          barsize: 30,
          hideCursor: true,
          clearOnComplete: true,
          stream: process.stderr,
        });
        bar.start(totalUnits, doneUnits);
      } else {
        bar.setTotal(totalUnits);
        bar.update(doneUnits);
      }
    },
    stop: () => bar?.stop(),
  };
}
