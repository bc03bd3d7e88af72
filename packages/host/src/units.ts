/**
 * Number kinds that must not be mixed up. All are safe integers at run time; the brand exists only for the
 * compiler. Arithmetic yields a plain number, and the functions below put the brand back on.
 */
declare const kind: unique symbol;

/** A byte position in the CommitLog, counted from the log's very first byte. */
export type PhysicalOffset = number & { readonly [kind]: "PhysicalOffset" };
/** A position in one MessageQueue (a ConsumeQueue index), counted in messages. */
export type QueueOffset = number & { readonly [kind]: "QueueOffset" };

export function physicalOffset(value: number): PhysicalOffset {
  return value as PhysicalOffset;
}

export function queueOffset(value: number): QueueOffset {
  return value as QueueOffset;
}
