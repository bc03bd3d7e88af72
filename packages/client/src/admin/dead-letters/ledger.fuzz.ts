/** Entries of the ledger, random and damaged: what is none is refused with PROTOCOL_ERROR, and what is one is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitError } from "../../errors/errors.ts";
import { encodeEntry, Ledger, type LedgerEntry, parseEntry } from "./ledger.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 3_000);

/** Seeded: the same runs every time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("an entry is read back or refused, whatever is done to its bytes", () => {
  const next = numbers(7);
  const deeds = ["begin", "intend", "redriven", "deleted"] as const;
  for (let run = 0; run < RUNS; run++) {
    const entry: LedgerEntry = {
      group: "g|%-".repeat(next(4)),
      did: deeds[next(4)]!,
      letters: Array.from({ length: next(4) }, () => ({
        queueId: next(3),
        queueOffset: next(1_000),
        physicalOffset: next(2 ** 31) * 1_000,
        ...(next(2) === 0 ? {} : { to: "topic" }),
      })),
    };
    const bytes = Buffer.from(encodeEntry(entry));
    assert.deepEqual(parseEntry(bytes), entry);
    for (let damages = next(4); damages >= 0; damages--) bytes[next(bytes.length)] = next(256);
    const cut = bytes.subarray(0, next(2) === 0 ? bytes.length : next(bytes.length));
    try {
      const ledger = new Ledger();
      ledger.add(parseEntry(cut));
      assert.equal(ledger.stateOf(-1), "dead");
    } catch (error) {
      assert.ok(error instanceof OrbitError && error.code === "PROTOCOL_ERROR", String(error));
    }
  }
});
