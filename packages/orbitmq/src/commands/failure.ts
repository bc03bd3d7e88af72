/**
 * What a failed command says on stderr and which code it ends with. Client errors are recognised by their shape:
 * importing their class would load the whole client for `--help`.
 */
import { ServerError, serverErrors } from "../server-error.ts";

interface ClientFailure extends Error {
  readonly code: string;
  readonly hint: string;
  readonly outcome: "refused" | "unknown";
  readonly attempts: number;
}

const isClientFailure = (error: unknown): error is ClientFailure =>
  error instanceof Error && error.name === "OrbitError" && "outcome" in error;

/** The caller's own mistakes: trying again cannot help. */
const USAGE_CODES = new Set([
  "INVALID_ARGUMENT",
  "MESSAGE_INVALID",
  "MESSAGE_TOO_LARGE",
  "NOT_SUPPORTED_YET",
]);

export function exitCodeFor(error: unknown): number {
  if (error instanceof ServerError) return error.exitCode;
  if (isClientFailure(error))
    return serverErrors[USAGE_CODES.has(error.code) ? "USAGE" : "REQUEST_FAILED"][0];
  return serverErrors.INTERNAL[0];
}

/** One or more lines, ending in a newline. */
export function explain(error: unknown): string {
  if (isClientFailure(error)) {
    const stored =
      error.outcome === "unknown"
        ? "; the message may have been stored"
        : error.attempts > 0
          ? "; nothing was stored"
          : "";
    return `orbitmq: ${error.message} (${error.code})${stored}\n  ${error.hint}\n`;
  }
  if (error instanceof ServerError && error.code !== "INTERNAL")
    return error.message
      .split("\n")
      .map((line) => `orbitmq: ${line}\n`)
      .join("");
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `orbitmq: unexpected error, please report it\n${stack}\n`;
}
