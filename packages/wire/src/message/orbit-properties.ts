/**
 * Message properties of OrbitMQ's own, beside RocketMQ's (MessageConst). Brokers and clients of RocketMQ carry them
 * along like an application's.
 */
export const OrbitProperty = {
  /** On retried messages and dead letters: what the listener said when it failed last, at most 256 characters. */
  FAILURE: "ORBITMQ_FAILURE",
  /** On a message that was redriven: the dead-letter topic it lay in, … */
  REDRIVEN_FROM: "ORBITMQ_REDRIVEN_FROM",
  /** … the offset message id it had there, … */
  REDRIVEN_ID: "ORBITMQ_REDRIVEN_ID",
  /** … and how often it has been redriven, from 1. */
  REDRIVES: "ORBITMQ_REDRIVES",
} as const;

/** A failure's text as it is kept. Longer ones are cut; characters that would end a property become spaces. */
export const FAILURE_CHARS_MAX = 256;

export function failureText(text: string): string {
  let plain = "";
  for (const character of text.slice(0, FAILURE_CHARS_MAX)) plain += character < " " ? " " : character;
  return plain.trim();
}
