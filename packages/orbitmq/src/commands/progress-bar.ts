/** A bar on stderr while a person watches; nothing otherwise. */
import { SingleBar } from "cli-progress";
import type { Terminal } from "../terminal.ts";

export interface ProgressBar {
  readonly update: (done: number, total: number) => void;
  /** The bar goes; what is printed next is in its place. */
  stop(): void;
}

const MIB = 1024 * 1024;

/** `what` is what is being done: "checking". */
export function progressBar(what: string, terminal: Terminal): ProgressBar {
  if (!terminal.isInteractive) return { update: () => {}, stop: () => {} };
  let bar: SingleBar | undefined;
  return {
    update: (done, total) => {
      const [doneMib, totalMib] = [Math.floor(done / MIB), Math.max(1, Math.ceil(total / MIB))];
      if (bar === undefined) {
        bar = new SingleBar({
          format: `${what} {bar} {percentage}% {value}/{total} MiB, {eta_formatted} left`,
          barsize: 30,
          hideCursor: true,
          clearOnComplete: true,
          stream: process.stderr,
        });
        bar.start(totalMib, doneMib);
      } else {
        bar.setTotal(totalMib);
        bar.update(doneMib);
      }
    },
    stop: () => bar?.stop(),
  };
}
