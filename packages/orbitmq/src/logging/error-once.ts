/**
 * An error and its causes for the text log, nothing said twice: whoever wraps an error mostly repeats its message,
 * and a line that joins the messages of the whole chain would then say the same thing three times.
 */

export interface ErrorOnce {
  readonly message: string;
  readonly code: unknown;
  /** One heading line, then frames; a cause has a heading of its own. */
  readonly stack: string;
}

/** A chain that never ends is cut here. */
const CAUSES_MAX = 10;

/** What is no error is returned as it is. */
export function errorOnce(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  let message = error.message;
  let stack = error.stack ?? "";
  let cause: unknown = error.cause;
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth += 1) {
    if (!message.includes(cause.message)) message += `: ${cause.message}`;
    const { code } = cause as { code?: unknown };
    stack += `\ncaused by ${cause.name}${code === undefined ? "" : ` (${String(code)})`}\n${framesOf(cause)}`;
    cause = cause.cause;
  }
  return { message, code: (error as { code?: unknown }).code, stack } satisfies ErrorOnce;
}

function framesOf({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => /^ +at /.test(line))
    .join("\n");
}
