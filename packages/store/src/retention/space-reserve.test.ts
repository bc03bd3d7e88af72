import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { StateFile } from "../state/state-file.ts";
import { HOME, message, Outcome, StoreDriver } from "../testing/store-driver.ts";

const RESERVE = `${HOME}/orbitmq-reserve`;
const OPTIONS = { spaceReserveBytes: 40 * 1024 };

const refusal = (driver: StoreDriver) => {
  const result = driver.store.append(message("z".repeat(3000)), "flushed", new Outcome());
  driver.host.settle();
  return result.status === "refused" ? result.reason : undefined;
};

/** A store on a disk that the log has filled to its last byte. */
async function filled(): Promise<{ driver: StoreDriver; offsets: StateFile; sent: number }> {
  const driver = await StoreDriver.open(OPTIONS);
  const offsets = new StateFile(
    driver.host,
    `${HOME}/config/consumerOffset.json`,
    silentLogger,
    driver.store,
  );
  driver.host.files.freeBytes = 60_000;
  let sent = 0;
  while (refusal(driver) === undefined) {
    sent += 1;
    assert.equal(sent < 100, true);
  }
  driver.host.files.freeBytes = 0;
  return { driver, offsets, sent };
}

function save(driver: StoreDriver, file: StateFile, text: string): string {
  let outcome = "never";
  file.save(text, (error) => {
    outcome = error?.code ?? "saved";
  });
  driver.host.settle();
  return outcome;
}

describe("the reserve of a full disk", () => {
  it("lets offsets be saved again and again while messages are refused and reads go on", async () => {
    const { driver, offsets, sent } = await filled();
    assert.equal(refusal(driver), "DISK_FULL");
    assert.equal(driver.host.files.names.get(RESERVE)?.bytes.length, 40 * 1024);
    for (let round = 0; round < 20; round += 1) {
      assert.equal(save(driver, offsets, JSON.stringify({ round }).padEnd(2000)), "saved");
      driver.host.advance(7_000);
      assert.equal(refusal(driver), "DISK_FULL", "the log gets nothing of it");
    }
    assert.equal(driver.host.files.names.get(RESERVE)?.bytes.length, 0);
    assert.equal(driver.store.releaseSpace(), false, "there is only one");
    assert.equal(driver.bodies().length, sent);
    offsets.saveSync("{}");
  });

  it("is made whole before messages are taken again, by itself", async () => {
    const { driver, offsets, sent } = await filled();
    assert.equal(save(driver, offsets, "{}"), "saved");
    driver.host.files.freeBytes = 48 * 1024;
    driver.host.advance(30_000);
    assert.equal(refusal(driver), "DISK_FULL", "not enough for both");
    driver.host.files.freeBytes = 400_000;
    driver.host.advance(30_000);
    assert.equal(refusal(driver), undefined);
    assert.equal(driver.store.status().refusal, undefined);
    assert.equal(driver.host.files.names.get(RESERVE)?.bytes.length, 40 * 1024);
    assert.equal(driver.bodies().length, sent + 1);
  });

  it("is made whole later when the disk refuses meanwhile", async () => {
    const { driver, offsets } = await filled();
    assert.equal(save(driver, offsets, "{}"), "saved");
    driver.host.files.freeBytes = 400_000;
    driver.host.files.fault = (kind, path) => (kind === "write" && path === RESERVE ? "EIO" : undefined);
    driver.host.advance(12_000);
    assert.equal(refusal(driver), "DISK_FULL");
    driver.host.files.fault = () => undefined;
    driver.host.advance(6_000);
    assert.equal(refusal(driver), undefined);
  });

  it("serves a blocking save at stop, and a start on the full disk serves reads", async () => {
    const { driver, offsets, sent } = await filled();
    offsets.saveSync(" ".repeat(5000));
    await driver.stop();
    assert.equal(driver.store.status().stoppedCleanly, true);
    const again = new StoreDriver(OPTIONS, driver.host.files);
    again.host.files.freeBytes = 20_000;
    await again.start();
    assert.equal(again.bodies().length, sent);
    assert.equal(refusal(again), "DISK_FULL");
    again.host.files.freeBytes = 1_000_000;
    again.host.advance(30_000);
    assert.equal(refusal(again), undefined);
  });

  it("is found whole by the next start, made when it is short, and gone with spaceReserveBytes 0", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    await driver.stop();
    const again = await driver.killed(OPTIONS);
    assert.equal(again.host.files.names.get(RESERVE)?.bytes.length, 40 * 1024);
    const longer = await again.killed({ spaceReserveBytes: 64 * 1024 });
    assert.equal(longer.host.files.names.get(RESERVE)?.bytes.length, 64 * 1024);
    const none = await longer.killed({ spaceReserveBytes: 0 });
    assert.equal(none.host.files.names.has(RESERVE), false);
  });
});
