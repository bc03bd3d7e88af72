/** Starts of a store whose queues are gone together with the table that says which there were. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const TABLE = `${HOME}/orbitmq-queues.json`;

function without(image: DiskImage, isGone: (path: string) => boolean): DiskImage {
  const files = new Map([...image.files].filter(([path]) => !isGone(path)));
  return { ...image, files };
}

const isTable = (path: string) => path === TABLE || path === `${TABLE}.bak`;
const isQueue = (path: string) => path.startsWith(`${HOME}/consumequeue/`);
const BODIES = Array.from({ length: 50 }, (_, index) => `body ${index}`);

async function stoppedStore(how: "stopped" | "killed"): Promise<DiskImage> {
  const driver = await StoreDriver.open();
  for (const body of BODIES) driver.sendNow(message(body));
  driver.sendNow(message("other", { topic: "Other", queueId: 3 }));
  driver.host.advance(90_000);
  if (how === "stopped") await driver.stop();
  return driver.host.files.image();
}

for (const how of ["stopped", "killed"] as const) {
  it(`a ${how} store without queue files and without queue table serves every message and goes on counting`, async () => {
    const image = without(await stoppedStore(how), (path) => isTable(path) || isQueue(path));
    const driver = await StoreDriver.open({}, image);
    assert.deepEqual(driver.bodies(), BODIES);
    assert.deepEqual(driver.bodies("Other", 3), ["other"]);
    assert.equal(driver.sendNow(message("next")).queueOffset, BODIES.length);
  });

  it(`a ${how} store without the files of one queue and without queue table serves every message`, async () => {
    const gone = `${HOME}/consumequeue/Other/`;
    const image = without(await stoppedStore(how), (path) => isTable(path) || path.startsWith(gone));
    const driver = await StoreDriver.open({}, image);
    assert.deepEqual(driver.bodies(), BODIES);
    assert.deepEqual(driver.bodies("Other", 3), ["other"]);
  });
}
