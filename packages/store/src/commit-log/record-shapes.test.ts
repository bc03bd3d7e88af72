/** The records RocketMQ knows, each written, read from memory, and read again from disk after a kill. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAGIC_V1, MAGIC_V2, MessageSysFlag, type RecordInput } from "@orbitmq/wire";
import { message, StoreDriver } from "../testing/store-driver.ts";

const MIB = 1024 * 1024;
const OPTIONS = { mappedFileSizeCommitLog: 6 * MIB, maxMessageSize: 4 * MIB };
/** An address of 16 bytes and a port. */
const V6 = Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 7, 0, 0, 0x2a, 0x9f]);

async function roundTrip(input: Partial<RecordInput>): Promise<void> {
  const driver = await StoreDriver.open(OPTIONS);
  const sent = message("shape", input);
  // A second one of a large kind crosses into the next segment.
  for (let index = 0; index < 2; index += 1) driver.sendNow(sent);
  const killed = await driver.killed(OPTIONS);
  for (const where of [driver, killed]) {
    const records = where.readAll(sent.topic);
    assert.equal(records.length, 2);
    for (const record of records) {
      assert.equal(record.magic, Buffer.byteLength(sent.topic) > 127 ? MAGIC_V2 : MAGIC_V1);
      assert.equal(Buffer.compare(record.body, sent.body), 0);
      assert.deepEqual([...record.bornHost, ...record.storeHost], [...sent.bornHost, ...sent.storeHost]);
      assert.equal(record.properties.startsWith(sent.properties), true);
      assert.equal(record.topic, sent.topic);
    }
  }
}

describe("a stored record", () => {
  it("of the first version, with a topic of 127 bytes", () => roundTrip({ topic: "t".repeat(127) }));

  it("of the second version, with a topic of 255 bytes", () =>
    roundTrip({ topic: `%RETRY%${"g".repeat(248)}` }));

  it("with IPv6 hosts, both or one of them", async () => {
    const { BORNHOST_V6: born, STOREHOST_V6: store } = MessageSysFlag;
    await roundTrip({ bornHost: V6, storeHost: V6, sysFlag: born | store });
    await roundTrip({ bornHost: V6, sysFlag: born });
    await roundTrip({ storeHost: V6, sysFlag: store });
  });

  it("with a body of 4 MiB, and with properties of 32,767 bytes", async () => {
    await roundTrip({ body: Buffer.alloc(4 * MIB, "0123456789") });
    const value = "v".repeat(32_767 - 3 - 20);
    await roundTrip({ properties: `K\u0001${value}\u0002` });
  });
});
