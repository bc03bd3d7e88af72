import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { natsDialect, redisDialect } from "./dialects.ts";

/** Cut at every place, the same count comes out. */
function inPieces(text: string, make: () => { acknowledged(chunk: Buffer): number }): void {
  const bytes = Buffer.from(text);
  const whole = make().acknowledged(bytes);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const dialect = make();
    const count = dialect.acknowledged(bytes.subarray(0, cut)) + dialect.acknowledged(bytes.subarray(cut));
    assert.equal(count, whole, `cut at ${cut}`);
  }
}

describe("the dialects of other systems", () => {
  const body = Buffer.from("xx");

  it("counts Redis' replies wherever they are cut", () => {
    const text = "$15\r\n1526919030474-0\r\n".repeat(3);
    assert.equal(redisDialect(body).acknowledged(Buffer.from(text)), 3);
    inPieces(text, () => redisDialect(body));
    assert.throws(() => redisDialect(body).acknowledged(Buffer.from("-MISCONF\r\n")), /MISCONF/);
  });

  it("counts NATS' acknowledgements wherever they are cut", () => {
    const text = 'MSG _INBOX.b 1 30\r\n{"stream":"BENCH", "seq":17}\r\n'.repeat(3);
    assert.equal(natsDialect(body).acknowledged(Buffer.from(text)), 3);
    inPieces(text, () => natsDialect(body));
    assert.throws(() => natsDialect(body).acknowledged(Buffer.from("-ERR 'x'\r\n")), /ERR/);
  });
});
