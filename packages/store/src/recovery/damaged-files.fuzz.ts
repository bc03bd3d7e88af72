/**
 * Stores whose files were damaged at random: bits flipped, parts overwritten, files cut off, emptied or removed.
 * Starting either works or is refused with a StoreError; what is served afterwards is what was sent, at its
 * place. ORBITMQ_FUZZ_RUNS raises the number of damaged stores (default 300).
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readRecords } from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";
import { seededRandom } from "../testing/crash-model.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { message, StoreDriver } from "../testing/store-driver.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 300);

async function intact(stopped: boolean): Promise<DiskImage> {
  const driver = await StoreDriver.open();
  for (let index = 0; index < 60; index += 1) {
    driver.sendNow(
      message(`${index % 2}/${Math.floor(index / 2)}/`.padEnd(500, "d"), { queueId: index % 2 }),
    );
    if (index === 40) driver.host.advance(70_000);
  }
  if (stopped) await driver.stop();
  return driver.host.files.image();
}

function damage(image: DiskImage, random: () => number): { image: DiskImage; what: string } {
  const files = new Map(image.files);
  const paths = [...files.keys()].filter((path) => files.get(path)!.length > 0);
  const path = paths[Math.floor(random() * paths.length)]!;
  const bytes = Buffer.from(files.get(path)!);
  const at = Math.floor(random() * bytes.length);
  const kind = Math.floor(random() * 6);
  if (kind <= 1) bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
  else if (kind === 2) bytes.fill(0, at, Math.min(bytes.length, at + Math.floor(random() * 600)));
  else if (kind === 3)
    for (let n = 0; n < 40 && at + n < bytes.length; n += 1) bytes[at + n] = random() * 256;
  if (kind === 5) files.delete(path);
  else files.set(path, kind === 4 ? bytes.subarray(0, at) : bytes);
  return { image: { files, folders: image.folders }, what: `${path}, kind ${kind}, at ${at}` };
}

function readEverything(driver: StoreDriver, what: string): void {
  for (const queueId of driver.store.queuesOf("T")) {
    const end = driver.store.readableEnd("T", queueId);
    for (let offset: number = driver.store.minOffset("T", queueId); offset < end; ) {
      const before = offset;
      driver.store.get({ topic: "T", queueId, offset, messagesMax: 32, bytesMax: 262_144 }, (result) => {
        for (const record of readRecords(Buffer.concat(result.slices), { checkCrc: true })) {
          const place = `${queueId}/${record.queueOffset}/`;
          assert.ok(
            Buffer.from(record.body).toString().startsWith(place),
            `${what}: a wrong message at ${place}`,
          );
        }
        offset = result.messageCount > 0 ? result.nextBeginOffset : before + 1;
        result.release();
      });
      driver.host.settle();
      assert.ok(offset > before, `${what}: the read at ${queueId}/${before} comes to an end`);
    }
  }
}

it(`a damaged store is refused or serves only what was sent (${RUNS} damages)`, async () => {
  const random = seededRandom(42);
  const images = [await intact(true), await intact(false)];
  let refused = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const { image, what } = damage(images[run % 2]!, random);
    const driver = new StoreDriver({}, image);
    try {
      await driver.start();
    } catch (error) {
      assert.ok(error instanceof StoreError, `${what}: ${String(error)}`);
      refused += 1;
      continue;
    }
    readEverything(driver, what);
    for (const queueId of [0, 1]) {
      const end = driver.store.readableEnd("T", queueId);
      assert.ok(driver.sendNow(message(`${queueId}/${end}/`, { queueId })).queueOffset === end, what);
    }
    readEverything(driver, what);
  }
  assert.ok(refused < RUNS / 2, `${refused} of ${RUNS} were refused`);
});
