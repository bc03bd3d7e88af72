/** Files of ours that a newer version has written: each is refused by name, and nothing is changed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { bodyCrc, plainCrc32 } from "@orbitmq/wire";
import { formatText } from "../integrity/checksum-folder.ts";
import { StoreError } from "../store-error.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

/** The version in both slots of a file like the mark raised to 2. */
function newerSlots(bytes: Buffer): Buffer {
  const newer = Buffer.from(bytes);
  for (const at of [0, 4096]) {
    newer.writeUInt32BE(2, at + 4);
    newer.writeUInt32BE(bodyCrc(newer.subarray(at, at + 508)), at + 508);
  }
  return newer;
}

/** The version in JSON raised to 2, and the checksum behind it made anew where there is one. */
function newerJson(bytes: Buffer): Buffer {
  const text = bytes.toString().replace('"version":1', '"version":2');
  const at = text.lastIndexOf(',"crc":');
  if (at < 0) return Buffer.from(text);
  const head = text.slice(0, at + ',"crc":'.length);
  return Buffer.from(`${head}${plainCrc32(Buffer.from(head))}}`);
}

/** Every file of ours at the store's root, and how a newer one looks. */
const FILES: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  "orbitmq-mark": newerSlots,
  "orbitmq-index": newerSlots,
  "orbitmq-queues.json": newerJson,
  "orbitmq-skips.json": () => Buffer.from('{"version":2,"skipped":[]}'),
  "orbitmq-checksums/format": () => Buffer.from(formatText(2)),
};

async function filled(): Promise<DiskImage> {
  const driver = await StoreDriver.open();
  for (let index = 0; index < 60; index += 1) driver.sendNow(message(`${index}`.padEnd(400, "v")));
  driver.host.advance(70_000);
  await driver.stop();
  return driver.host.files.image();
}

describe("a newer version's", () => {
  for (const [name, newer] of Object.entries(FILES)) {
    it(`${name} is refused by name, changing nothing`, async () => {
      const image = await filled();
      const path = `${HOME}/${name}`;
      const files = new Map(image.files).set(path, newer(image.files.get(path) ?? Buffer.alloc(0)));
      files.delete(`${path}.bak`);
      const driver = new StoreDriver({}, { files, folders: image.folders });
      await assert.rejects(driver.start(), (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.code, "VERSION");
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
      const after = driver.host.files.image().files;
      for (const [each, bytes] of files) assert.ok(after.get(each)?.equals(bytes), `${each} is as it was`);
    });
  }

  it("files are all that a store has of ours, and all of them are in docs/store-format.md", async () => {
    const { files } = await filled();
    const doc = readFileSync(join(import.meta.dirname, "../../../../docs/store-format.md"), "utf8");
    const ours = new Set<string>();
    for (const path of files.keys()) {
      const match = /^orbitmq-[^/]+/.exec(path.slice(HOME.length + 1));
      if (match !== null) ours.add(match[0].replace(/(\.bak|(\.stop)?\.tmp)$/, ""));
    }
    const known = new Set(Object.keys(FILES).map((name) => name.split("/")[0]!));
    for (const name of ours) assert.ok(known.has(name), `${name} is tested here`);
    for (const name of [...known, "orbitmq-backup.json"])
      assert.ok(doc.includes(`\`${name}`), `${name} is described`);
  });
});
