/** Checks of options at construction, so that a wrong one is named at once and not met later as a strange wait. */
import { OrbitError } from "../errors/errors.ts";

type Options<K extends string> = { readonly [P in K]?: number | undefined };

/** A positive number of milliseconds. Throws INVALID_ARGUMENT. */
export function checkDuration<K extends string>(options: Options<K>, name: K, fallback: number): number {
  const value = options[name] ?? fallback;
  if (typeof value === "number" && value > 0 && value <= 2 ** 31 - 1) return value;
  throw new OrbitError("INVALID_ARGUMENT", `${name} must be milliseconds above 0, not ${String(value)}`);
}

/** An integer in [min, max]. Throws INVALID_ARGUMENT. */
export function checkInteger<K extends string>(
  options: Options<K>,
  name: K,
  fallback: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = options[name] ?? fallback;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new OrbitError(
    "INVALID_ARGUMENT",
    `${name} must be an integer from ${min} to ${max}, not ${String(value)}`,
  );
}
