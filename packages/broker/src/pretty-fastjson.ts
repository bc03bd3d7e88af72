/**
 * JSON as RocketMQ writes its config files: fastjson's members and keys, one per line, tabs, no blank after the
 * colon, so that a diff between a file of ours and one of Java's shows differences of content only.
 *
 * Takes plain objects (members sorted, `undefined` and null left out), Maps (keys kept in order, integers bare),
 * arrays, Sets, strings, numbers and booleans.
 */
export function formatPrettyFastjson(value: unknown): string {
  return format(value, "");
}

function format(value: unknown, indent: string): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return JSON.stringify(value) ?? "null";
  const inner = `${indent}\t`;
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value].map((item) => inner + format(item, inner));
    return items.length === 0 ? "[]" : `[\n${items.join(",\n")}\n${indent}]`;
  }
  const members: string[] = [];
  for (const [key, item] of entries(value)) {
    if (item === undefined || item === null) continue;
    const name = typeof key === "number" ? String(key) : JSON.stringify(key);
    members.push(`${inner}${name}:${format(item, inner)}`);
  }
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

function entries(value: object): Iterable<readonly [unknown, unknown]> {
  if (value instanceof Map) return value;
  const record = value as Record<string, unknown>;
  return Object.keys(record)
    .sort()
    .map((key) => [key, record[key]] as const);
}
