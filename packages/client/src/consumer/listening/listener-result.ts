/** What a listener's result means where messages are consumed at the same time. */
import { OrbitError } from "../../errors/errors.ts";

/** `undefined` is success. */
export function failureOf(result: unknown): OrbitError | undefined {
  if (result === undefined || result === "CONSUME_SUCCESS") return undefined;
  if (result === "RECONSUME_LATER") {
    return new OrbitError("LISTENER_FAILED", "the listener returned RECONSUME_LATER");
  }
  return new OrbitError("LISTENER_RESULT_INVALID", `the listener returned ${shownResult(result)}`);
}

/** For error messages. */
export function shownResult(result: unknown): string {
  return typeof result === "string" ? JSON.stringify(result.slice(0, 64)) : typeof result;
}

export function listenerFailed(cause: unknown): OrbitError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new OrbitError("LISTENER_FAILED", message, { cause });
}
