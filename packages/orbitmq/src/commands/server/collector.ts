/**
 * How the command's own process collects garbage. What dies young is all that a server throws away under load: the
 * event loop copies what little is left in a third of a millisecond, and waits far longer for helping threads where
 * the cores are busy with clients. Never done to a process that embeds a server.
 */
import { setFlagsFromString } from "node:v8";

export function collectAlone(): void {
  setFlagsFromString("--no-parallel-scavenge");
}
