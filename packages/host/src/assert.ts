/**
 * Assertions that stay on in production. A broken invariant must stop the work at hand before it reaches
 * the disk or a client; the thrower names the invariant, the catcher (a request edge, the process) decides.
 */
export class AssertionFailed extends Error {
  override readonly name = "AssertionFailed";
}

/** Throws {@link AssertionFailed} unless `condition` holds. `message` names the invariant. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unreachable: ${String(value)}`);
}
