/**
 * Changing a message's properties as text: what is not named stays byte for byte as the client wrote it, even
 * where it is no proper list of properties.
 */
import { MessageConst, NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from "@orbitmq/wire";

/**
 * `text` without the properties named in `changes`, and with those that have a value at its end, in order. Values
 * are the broker's own or parts of stored properties: they contain no separator.
 */
export function withProperties(
  text: string,
  changes: Readonly<Record<string, string | number | undefined>>,
): string {
  const names = Object.keys(changes);
  let changed = mayHold(text, names) ? without(text, names) : text;
  if (changed !== "" && !changed.endsWith(PROPERTY_SEPARATOR)) changed += PROPERTY_SEPARATOR;
  for (const name of names) {
    const value = changes[name];
    if (value !== undefined) changed += propertyText(name, value);
  }
  return changed;
}

/** One property as it stands in the text. */
export function propertyText(name: string, value: string | number): string {
  return name + NAME_VALUE_SEPARATOR + value + PROPERTY_SEPARATOR;
}

/** Where a message belongs that is stored elsewhere first. */
export function realPlace(topic: string, queueId: number): string {
  return propertyText(MessageConst.REAL_TOPIC, topic) + propertyText(MessageConst.REAL_QUEUE_ID, queueId);
}

/** Mostly not: to see that costs less than to take the text apart. */
function mayHold(text: string, names: readonly string[]): boolean {
  for (const name of names) if (text.includes(name)) return true;
  return text.startsWith(PROPERTY_SEPARATOR) || text.includes(NO_ENTRY);
}

const NO_ENTRY = PROPERTY_SEPARATOR + PROPERTY_SEPARATOR;

function without(text: string, names: readonly string[]): string {
  let kept = "";
  for (const entry of text.split(PROPERTY_SEPARATOR)) {
    if (entry === "" || names.some((name) => isNamed(entry, name))) continue;
    kept += entry + PROPERTY_SEPARATOR;
  }
  return kept;
}

function isNamed(entry: string, name: string): boolean {
  return entry.startsWith(name) && entry.startsWith(NAME_VALUE_SEPARATOR, name.length);
}
