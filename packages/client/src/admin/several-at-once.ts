/**
 * One change of several names on one server. One name goes by the request that every version knows; several by the
 * request for a list, and of a server that does not know that one, name by name in the order given, until one fails:
 * then the error says which were done.
 */
import type { OutgoingRequest } from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";

export interface SeveralAtOnce {
  /** Resolves when the server has answered SUCCESS. */
  readonly ask: (request: OutgoingRequest) => Promise<void>;
  readonly all: (names: readonly string[]) => OutgoingRequest;
  readonly one: (name: string) => OutgoingRequest;
}

export async function severalAtOnce(
  names: readonly string[],
  { ask, all, one }: SeveralAtOnce,
): Promise<void> {
  if (names.length > 1) {
    try {
      return await ask(all(names));
    } catch (error) {
      if (!(error instanceof OrbitError) || error.code !== "REQUEST_CODE_NOT_SUPPORTED") throw error;
    }
  }
  await oneByOne(names, (name) => ask(one(name)));
}

/** Rejects at the first that fails; of several names, the error tells it and those before it. */
export async function oneByOne(
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<void> {
  for (const [index, name] of names.entries()) {
    try {
      await act(name);
    } catch (error) {
      if (names.length === 1) throw error;
      throw atName(fromUnknown(error), name, names.slice(0, index));
    }
  }
}

function atName(error: OrbitError, name: string, before: readonly string[]): OrbitError {
  const { code, message, responseCode, remark, broker, outcome } = error;
  const done = before.length === 0 ? "none before it" : `done before it: ${before.join(", ")}`;
  const details = { responseCode, remark, broker, outcome, cause: error };
  return new OrbitError(code, `${message} (at ${name}; ${done})`, details);
}

/** Each name once. Throws INVALID_ARGUMENT when there is none, and what `check` throws. */
export function checkedNames(
  what: string,
  names: readonly string[],
  check: (name: string) => void,
): readonly string[] {
  if (names.length === 0) throw new OrbitError("INVALID_ARGUMENT", `name at least one ${what}`);
  for (const name of names) check(name);
  return [...new Set(names)];
}
