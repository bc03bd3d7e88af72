/**
 * JSON as RocketMQ writes its config files: fastjson's members and keys, one per line, tabs, no blank after the
 * colon, so that a diff between a file of ours and one of Java's shows differences of content only.
 *
 * Takes plain objects (members sorted, `undefined` and null left out), Maps (keys kept in order, integers bare),
 * arrays, Sets, strings, numbers and booleans.
 */
import { formatScalar, quoted, sortedKeys } from "@orbitmq/wire";

/** A config file's text. */
export function formatPrettyFastjson(value: unknown): string {
  return format(value, "");
}

function format(value: unknown, indent: string): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return formatScalar(value);
  const inner = `${indent}\t`;
  let parts = "";
  if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) parts += `${parts === "" ? "" : ",\n"}${inner}${format(item, inner)}`;
    return parts === "" ? "[]" : `[\n${parts}\n${indent}]`;
  }
  const member = (key: unknown, item: unknown): void => {
    if (item === undefined || item === null) return;
    const name = typeof key === "number" ? String(key) : quoted(key as string);
    parts += `${parts === "" ? "" : ",\n"}${inner}${name}:${format(item, inner)}`;
  };
  if (value instanceof Map) for (const [key, item] of value) member(key, item);
  else for (const key of sortedKeys(value)) member(key, (value as Record<string, unknown>)[key]);
  return parts === "" ? "{}" : `{\n${parts}\n${indent}}`;
}
