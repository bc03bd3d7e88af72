import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServerError } from "../../server-error.ts";
import { LINE_BYTES_MAX, lines, wholeInput } from "./stdin.ts";

async function* chunks(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === "string" ? Buffer.from(text) : text;
}
const read = async (...texts: string[]) => {
  const found: string[] = [];
  for await (const line of lines(chunks(...texts))) found.push(Buffer.from(line).toString());
  return found;
};

describe("bodies from stdin", () => {
  it("are its lines, however the chunks fall, without LF or CR LF and without empty ones", async () => {
    assert.deepEqual(await read("one\ntw", "o\r\n\n\r\nthr", "ee"), ["one", "two", "three"]);
    assert.deepEqual(await read(""), []);
    assert.deepEqual(await read("\n", "a", "\n"), ["a"]);
  });

  it("keep bytes that are not UTF-8", async () => {
    const found: Uint8Array[] = [];
    for await (const line of lines(chunks(Uint8Array.of(0xff, 0x00, 10, 0xc3)))) found.push(line);
    assert.deepEqual(found, [Uint8Array.of(0xff, 0), Uint8Array.of(0xc3)]);
  });

  it("are all of it as one", async () => {
    assert.equal(Buffer.from(await wholeInput(chunks("a\n", "b"))).toString(), "a\nb");
  });

  it("are refused when longer than any message before they fill the memory", async () => {
    const big = new Uint8Array(LINE_BYTES_MAX / 2 + 1);
    const refused = (error: unknown) => error instanceof ServerError && error.code === "USAGE";
    await assert.rejects(wholeInput(chunks(big, big)), refused);
    await assert.rejects(async () => {
      for await (const line of lines(chunks(big, big))) assert.fail(`a line of ${line.length}`);
    }, refused);
  });
});
