/** The one place where whatever Node throws or emits becomes a {@link HostError}. */
import { HostError } from "../host-error.ts";

function codeOf(error: unknown): string {
  if (typeof error === "object" && error !== null) {
    const { code, errors } = error as { code?: unknown; errors?: unknown };
    if (typeof code === "string" && code !== "") return code;
    // Several addresses of one name were tried: the first failure speaks for all.
    if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  }
  return "EIO";
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/** `what` names the call and its object, for people: `fdatasync /data/commitlog/0`. */
export function toHostError(error: unknown, what: string): HostError {
  if (error instanceof HostError) return error;
  return new HostError(codeOf(error), `${what}: ${messageOf(error)}`, { cause: error });
}
