/**
 * The attributes of a topic in a create-or-update request, `+key=value,-key` (RocketMQ: AttributeParser,
 * TopicAttributes). Known are those RocketMQ knows; those that would change how messages are stored are refused
 * until they do.
 */
const MESSAGE_TYPE = "message.type";
const MESSAGE_TYPES: ReadonlySet<string> = new Set(["UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION"]);
/** The only value that changes nothing. */
const FIXED: Readonly<Record<string, string>> = { "queue.type": "SimpleCQ", "cleanup.policy": "DELETE" };

export type AttributesOutcome =
  | { readonly attributes: Readonly<Record<string, string>> }
  | { readonly problem: string };

/** `current` changed as `modification` says, or why that cannot be. */
export function alterAttributes(
  current: Readonly<Record<string, string>>,
  modification: string | undefined,
): AttributesOutcome {
  const attributes: Record<string, string> = { ...current };
  for (const item of (modification ?? "").split(",")) {
    const text = item.trim();
    if (text === "") continue;
    const [, sign, key = "", value] = /^([+-])([^=]+)(?:=(.*))?$/.exec(text) ?? [];
    if (sign === "-" && value === undefined) {
      if (!isKnown(key)) return { problem: `the attribute ${key} is not known` };
      delete attributes[key];
    } else if (sign === "+" && value !== undefined) {
      const problem = problemOf(key, value);
      if (problem !== undefined) return { problem };
      attributes[key] = value;
    } else return { problem: `${JSON.stringify(text)} is neither +key=value nor -key` };
  }
  return { attributes };
}

function isKnown(key: string): boolean {
  return key === MESSAGE_TYPE || Object.hasOwn(FIXED, key);
}

function problemOf(key: string, value: string): string | undefined {
  if (key === MESSAGE_TYPE) {
    return MESSAGE_TYPES.has(value) ? undefined : `the message type ${value} is not supported`;
  }
  if (!isKnown(key)) return `the attribute ${key} is not known`;
  return value === FIXED[key] ? undefined : `${key}=${value} is not supported yet`;
}
