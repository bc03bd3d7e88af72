/**
 * The end of a transaction as the loader sends it: an END_TRANSACTION that commits, ready but for opaque, places and id,
 * and what the answer to its half says of the places. It is answered, unlike those of RocketMQ's clients: the answer
 * comes when the commit is durable.
 */
import { binaryFrame } from "./binary-frame.ts";

const END_TRANSACTION = 37;
const COMMIT = "8";
const DIGITS = 15;
const NAME_MSG_ID = Buffer.from("msgId");
const NAME_QUEUE_OFFSET = Buffer.from("queueOffset");
/** Of an answer's header: what lies before its remark, whose length stands at 17 - 4. */
const REMARK_LENGTH_AT = 13;
const POSITION_DIGITS = 16;

export interface CommitFrame {
  readonly bytes: Buffer;
  readonly queueOffsetAt: number;
  readonly positionAt: number;
  readonly idAt: number;
  readonly transactionIdAt: number;
}

export function commitFrame(group: string): CommitFrame {
  const zeros = "0".repeat(DIGITS);
  const id = `7F0000010000${"0".repeat(20)}`;
  const { frame, valueAt } = binaryFrame(END_TRANSACTION, [
    ["producerGroup", group],
    ["tranStateTableOffset", zeros],
    ["commitLogOffset", zeros],
    ["commitOrRollback", COMMIT],
    ["fromTransactionCheck", "false"],
    ["msgId", id],
    ["transactionId", id],
  ]);
  return {
    bytes: frame,
    queueOffsetAt: valueAt.get("tranStateTableOffset")!,
    positionAt: valueAt.get("commitLogOffset")!,
    idAt: valueAt.get("msgId")!,
    transactionIdAt: valueAt.get("transactionId")!,
  };
}

/** Fills the places in from the answer to the half, whose ROCKETMQ header begins at `headerAt`. Throws when it does not tell them. */
export function writePlaces(
  out: Buffer,
  frameAt: number,
  frame: CommitFrame,
  answer: Buffer,
  headerAt: number,
): void {
  let at = headerAt + REMARK_LENGTH_AT;
  at += 4 + answer.readInt32BE(at);
  const end = at + 4 + answer.readInt32BE(at);
  let told = 0;
  for (at += 4; at < end; ) {
    const nameLength = answer.readInt16BE(at);
    const nameAt = at + 2;
    const valueLength = answer.readInt32BE(nameAt + nameLength);
    const valueAt = nameAt + nameLength + 4;
    at = valueAt + valueLength;
    if (isAt(answer, nameAt, nameLength, NAME_MSG_ID)) {
      const hex = answer.toString("latin1", at - POSITION_DIGITS, at);
      out.write(padded(Number.parseInt(hex, 16)), frameAt + frame.positionAt, "latin1");
      told++;
    } else if (isAt(answer, nameAt, nameLength, NAME_QUEUE_OFFSET)) {
      out.fill(0x30, frameAt + frame.queueOffsetAt, frameAt + frame.queueOffsetAt + DIGITS);
      answer.copy(out, frameAt + frame.queueOffsetAt + DIGITS - valueLength, valueAt, at);
      told++;
    }
  }
  if (told !== 2) throw new Error("the answer to a half does not say where it lies");
}

function isAt(bytes: Buffer, at: number, length: number, name: Buffer): boolean {
  return length === name.length && bytes.compare(name, 0, length, at, at + length) === 0;
}

function padded(value: number): string {
  return String(value).padStart(DIGITS, "0");
}
