/**
 * Decoders of the index against arbitrary bytes, and IndexFiles with arbitrary damage under a running query: never
 * an exception but StoreError, never a message that was not meant. ORBITMQ_FUZZ_RUNS raises the number (default 300).
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { StoreError } from "../store-error.ts";
import { seededRandom } from "../testing/crash-model.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { decodeHeader, encodeHeader, HEADER_BYTES, indexName, parseIndexName } from "./index-layout.ts";
import { IndexStateFile } from "./index-state-file.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 300);
const SIZES = { slots: 64, items: 32 };

it(`headers and states of arbitrary bytes are read or refused (${RUNS * 10} of them)`, () => {
  const random = seededRandom(3);
  for (let run = 0; run < RUNS * 10; run += 1) {
    const bytes = Buffer.alloc(Math.floor(random() * 80));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = random() < 0.7 ? 0 : random() * 256;
    const header = decodeHeader(bytes, SIZES);
    if (header !== undefined) {
      assert.ok(header.count >= 1 && header.count <= SIZES.items);
      assert.deepEqual(decodeHeader(encodeHeader(header), SIZES), header);
    } else assert.ok(bytes.length < HEADER_BYTES || bytes.some((byte) => byte !== 0));
    const host = new FakeHost();
    const file = host.files.openSync("/state", { create: true });
    file.writeSync(Buffer.concat([Buffer.from("4f4d514900000001", "hex"), bytes, Buffer.alloc(5000)]), 0);
    assert.equal(new IndexStateFile(host.files, "/state").load(), undefined);
  }
});

it("names are the UTC time of the first message, and no other digits are a name", () => {
  const random = seededRandom(4);
  for (let run = 0; run < RUNS * 10; run += 1) {
    const ms = Math.floor(random() * 250_000_000_000_000);
    const name = indexName(ms);
    assert.equal(name, new Date(ms).toISOString().replace(/\D/g, "").slice(-17));
    assert.equal(parseIndexName(name), ms);
    const digits = Array.from({ length: 17 }, () => Math.floor(random() * 10)).join("");
    const time = parseIndexName(digits);
    if (time !== undefined) assert.equal(indexName(time), digits);
  }
  for (const name of ["", "2026", "20260230000000000", "20261121165218164x"])
    assert.equal(parseIndexName(name), undefined);
});

it(`a damaged index never answers with a message that was not meant (${RUNS} damages)`, async () => {
  const random = seededRandom(5);
  const first = await StoreDriver.open();
  for (let index = 0; index < 40; index += 1) {
    const properties = `UNIQ_KEY\u0001id-${index}\u0002KEYS\u0001k${index % 5}\u0002`;
    first.sendNow(message(`m${index}`, { properties }));
    if (index % 15 === 14) first.host.advance(70_000);
  }
  const killed = first.host.files.image();
  await first.stop();
  const images = [killed, first.host.files.image()];
  for (let run = 0; run < RUNS; run += 1) {
    const image = images[run % 2]!;
    const paths = [...image.files.keys()].filter((path) => path.includes("index"));
    const path = paths[Math.floor(random() * paths.length)]!;
    const bytes = Buffer.from(image.files.get(path)!);
    const at = Math.floor(random() * bytes.length);
    for (let each = Math.floor(random() * 30); each >= 0 && at + each < bytes.length; each -= 1) {
      bytes[at + each] = random() * 256;
    }
    const cut = random() < 0.1 ? bytes.subarray(0, at) : bytes;
    const what = `run ${run}: ${path.slice(HOME.length)} at ${at}`;
    try {
      const driver = await StoreDriver.open(
        {},
        { files: new Map(image.files).set(path, cut), folders: image.folders },
      );
      driver.sendNow(message("new", { properties: "KEYS\u0001k3\u0002" }));
      const found = driver.query("k3").map((record) => Buffer.from(record.body).toString());
      assert.equal(found.at(-1), "new", what);
      assert.ok(
        found.slice(0, -1).every((body) => Number(body.slice(1)) % 5 === 3),
        `${what}: ${found.join(" ")}`,
      );
      assert.equal(new Set(found).size, found.length, `${what}: each once`);
      driver.host.advance(70_000);
      await driver.stop();
    } catch (error) {
      assert.ok(error instanceof StoreError, `${what}: ${String(error)}`);
    }
  }
});
