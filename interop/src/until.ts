/** Asks a server until it is so: a Java broker counts, cleans, registers and keeps offsets in its own time, and tells nobody. */
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 30_000;
const BETWEEN_MS = 100;

export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(BETWEEN_MS);
  }
}
