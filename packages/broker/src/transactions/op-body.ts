/**
 * The body of a record in RMQ_SYS_TRANS_OP_HALF_TOPIC, tag `d` (RocketMQ: TransactionalMessageUtil): which offsets of
 * the half queue are done with.
 *
 *   body = offset { "," offset } [","]        decimal; 4.9 writes one, 5.x a batch with "," behind each
 */
export const OP_TAG = "d";
const SEPARATOR = ",";
/** A safe integer. */
const OFFSET = /^\d{1,15}$/;

/** How many bytes an offset takes. */
export function opBytes(offset: number): number {
  return String(offset).length + SEPARATOR.length;
}

export function formatOpBody(offsets: readonly number[]): Buffer {
  return Buffer.from(offsets.map((offset) => offset + SEPARATOR).join(""));
}

/** What is no offset is passed over, and counted. Never throws. */
export function parseOpBody(body: Uint8Array): { readonly offsets: number[]; readonly strange: number } {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1");
  const offsets: number[] = [];
  let strange = 0;
  for (const part of text.split(SEPARATOR)) {
    const digits = part.trim();
    if (OFFSET.test(digits)) offsets.push(Number(digits));
    else if (digits !== "") strange++;
  }
  return { offsets, strange };
}
