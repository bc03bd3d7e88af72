import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import { RecordField } from "@orbitmq/wire";
import { StoreError } from "./store-error.ts";
import { HOME, message, Outcome, StoreDriver } from "./testing/store-driver.ts";

describe("a store on files", () => {
  it("leaves `abort` when stopping came too late, and the next start recovers", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("hello"));
    await driver.stop(() => false);
    assert.equal(driver.host.files.names.has(`${HOME}/abort`), true);
    const next = await StoreDriver.open({}, driver.host.files.image());
    assert.deepEqual(next.bodies(), ["hello"]);
    await next.stop();
    assert.equal(next.host.files.names.has(`${HOME}/abort`), false);
  });

  it("gives up syncing many queues when time is over, and loses nothing by it", async () => {
    const driver = await StoreDriver.open();
    for (let queueId = 0; queueId < 20; queueId += 1) driver.sendNow(message("hello", { queueId }));
    let asked = 0;
    await driver.stop(() => {
      asked += 1;
      return asked <= 5;
    });
    assert.equal(asked, 6, "nobody goes on");
    assert.equal(driver.store.status().stoppedCleanly, false);
    assert.equal(driver.host.files.names.has(`${HOME}/abort`), true);
    const next = await StoreDriver.open({}, driver.host.files.image());
    for (let queueId = 0; queueId < 20; queueId += 1) assert.deepEqual(next.bodies("T", queueId), ["hello"]);
  });

  it("acknowledges an append once it is on disk and shows it to readers no earlier", async () => {
    const driver = await StoreDriver.open();
    driver.host.files.held = true;
    const { result, waiter } = driver.send(message("hello"));
    driver.host.settle();
    assert.equal(result.queueOffset, 0);
    assert.equal(waiter.outcome, undefined);
    assert.equal(driver.store.readableEnd("T", 0), 0);
    assert.equal(driver.store.status().writtenOffset > 0, true);
    driver.host.files.release();
    driver.host.settle();
    assert.equal(waiter.outcome, "reached");
    assert.deepEqual(driver.bodies(), ["hello"]);
  });

  it("gives a record back as it was sent, with the offsets and times it was given", async () => {
    const driver = await StoreDriver.open();
    const input = message("payload", {
      topic: "Orders",
      queueId: 3,
      flag: 7,
      sysFlag: 0,
      reconsumeTimes: 2,
      bornHost: Buffer.from("20010db800000000000000000000000100002a9f", "hex"),
    });
    const { physicalOffset: at, storeTimestamp } = driver.sendNow(input);
    const [record] = driver.readAll("Orders", 3);
    assert.ok(record !== undefined);
    assert.equal(record.physicalOffset, at);
    assert.equal(record.storeTimestamp, storeTimestamp);
    assert.equal(record.queueId, 3);
    assert.equal(record.flag, 7);
    assert.equal(record.reconsumeTimes, 2);
    assert.deepEqual(Buffer.from(record.bornHost), input.bornHost);
    assert.ok(record.properties.startsWith(input.properties));
  });

  it("settles waiters in the order of their appends and takes one sync for what gathered meanwhile", async () => {
    const driver = await StoreDriver.open();
    const order: number[] = [];
    const disk = driver.host.files;
    const send = (index: number) => {
      const { waiter } = driver.send(message(`m${index}`));
      waiter.onSettled = () => order.push(index);
    };
    send(0);
    disk.held = true;
    driver.host.settle();
    for (let index = 1; index < 20; index += 1) send(index);
    driver.host.settle();
    const before = disk.operations.length;
    disk.release();
    driver.host.settle();
    assert.deepEqual(order, [...Array(20).keys()]);
    const syncs = disk.operations.slice(before).filter(({ kind }) => kind === "sync");
    assert.equal(syncs.length, 2);
  });

  it("never settles a waiter inside append", async () => {
    const driver = await StoreDriver.open({ flushDiskType: "ASYNC_FLUSH" });
    const waiter = new Outcome();
    driver.store.append(message("x"), "written", waiter);
    assert.equal(waiter.outcome, undefined);
    driver.host.turn();
    assert.equal(waiter.outcome, "reached");
  });

  it("rolls over segments, batches included, and reads everything again after an orderly stop", async () => {
    const driver = await StoreDriver.open();
    const expected: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      const body = `${index}-${"x".repeat(700)}`;
      if (index % 4 === 0) {
        const batch = [message(body), message(`${body}b`), message(`${body}c`)];
        const waiter = new Outcome();
        const result = driver.store.appendBatch(batch, "flushed", waiter);
        assert.equal(result.status, "appended");
        if (result.status === "appended") assert.equal(result.physicalOffsets?.length, 3);
        driver.host.settle();
        assert.equal(waiter.outcome, "reached");
        expected.push(body, `${body}b`, `${body}c`);
      } else {
        driver.sendNow(message(body));
        expected.push(body);
      }
    }
    assert.deepEqual(driver.bodies(), expected);
    await driver.stop();
    assert.equal(driver.host.files.names.has(`${HOME}/abort`), false);
    assert.equal(driver.store.status().stoppedCleanly, true);

    const again = await driver.killed();
    assert.deepEqual(again.bodies(), expected);
    assert.equal(again.store.status().messageCount, expected.length);
    assert.equal(again.sendNow(message("next")).queueOffset, expected.length);
  });

  it("ends a segment with a blank record and gives files their full length", async () => {
    const driver = await StoreDriver.open();
    for (let index = 0; index < 30; index += 1) driver.sendNow(message("y".repeat(1000)));
    const { names } = driver.host.files;
    const first = names.get(`${HOME}/commitlog/00000000000000000000`)?.bytes;
    assert.equal(first?.length, 16 * 1024);
    assert.ok(names.has(`${HOME}/commitlog/00000000000000016384`));
    let at = 0;
    while (first.readInt32BE(at + RecordField.MAGIC) !== (0xcbd43194 | 0)) at += first.readInt32BE(at);
    assert.equal(first.readInt32BE(at), 16 * 1024 - at);
    driver.host.advance(20_000);
    assert.equal(names.get(`${HOME}/consumequeue/T/0/00000000000000000000`)?.bytes.length, 400);
    assert.equal(names.get(`${HOME}/consumequeue/T/0/00000000000000000400`)?.bytes.length, 400);
  });

  it("reads a killed store again, and goes on where it ended", async () => {
    let driver = await StoreDriver.open();
    for (let index = 0; index < 25; index += 1) driver.sendNow(message(`${index}${"z".repeat(400)}`));
    for (let round = 0; round < 3; round += 1) {
      driver = await driver.killed();
      assert.equal(driver.bodies().length, 25 + round);
      assert.equal(driver.sendNow(message("more")).queueOffset, 25 + round);
    }
  });

  it("refuses what cannot be stored, changing nothing", async () => {
    const driver = await StoreDriver.open();
    const refuse = (input: Parameters<typeof message>[1], reason: string) => {
      const result = driver.store.append(message("m", input), "flushed", new Outcome());
      assert.equal(result.status, "refused");
      if (result.status === "refused") assert.equal(result.reason, reason);
    };
    refuse({ body: Buffer.alloc(4097) }, "MESSAGE_ILLEGAL");
    refuse({ topic: "" }, "MESSAGE_ILLEGAL");
    refuse({ queueId: -1 }, "MESSAGE_ILLEGAL");
    refuse({ properties: `K\u0001${"v".repeat(32_767)}\u0002` }, "PROPERTIES_SIZE_EXCEEDED");
    refuse({ properties: `K\u0001${"v".repeat(20_000)}\u0002` }, "MESSAGE_ILLEGAL");
    assert.deepEqual(driver.store.topics(), []);
    assert.equal(driver.sendNow(message("ok")).physicalOffset, 0);
  });

  it("takes properties up to RocketMQ's limit, with and without room for the checksum", async () => {
    const driver = await StoreDriver.open({ mappedFileSizeCommitLog: 256 * 1024, zeroAheadBytes: 65_536 });
    for (const length of [32_767, 32_748, 32_747, 32_746, 1, 0]) {
      const properties = length < 4 ? "" : `K\u0001${"v".repeat(length - 3)}\u0002`;
      driver.sendNow(message(`p${length}`, { properties }));
    }
    assert.equal(driver.bodies().length, 6);
    const again = await driver.killed({ mappedFileSizeCommitLog: 256 * 1024 });
    assert.equal(again.bodies().length, 6);
  });

  it("keeps half and rolled back messages out of the queues, at offset 0", async () => {
    const driver = await StoreDriver.open();
    assert.equal(driver.sendNow(message("a")).queueOffset, 0);
    assert.equal(driver.sendNow(message("half", { sysFlag: 4 })).queueOffset, 0);
    assert.equal(driver.sendNow(message("rollback", { sysFlag: 12 })).queueOffset, 0);
    assert.equal(driver.sendNow(message("commit", { sysFlag: 8 })).queueOffset, 1);
    assert.deepEqual(driver.bodies(), ["a", "commit"]);
    const again = await driver.killed();
    assert.deepEqual(again.bodies(), ["a", "commit"]);
  });

  it("never lets store times run backwards, across restarts too", async () => {
    const driver = await StoreDriver.open();
    const first = driver.sendNow(message("a")).storeTimestamp;
    driver.host.wall -= 3_600_000;
    assert.equal(driver.sendNow(message("b")).storeTimestamp, first);
    const again = await driver.killed();
    again.host.wall -= 7_200_000;
    assert.equal(again.sendNow(message("c")).storeTimestamp, first);
  });

  it("tells arrivals in order, with the queue's new end", async () => {
    const driver = await StoreDriver.open();
    const seen: string[] = [];
    driver.store.subscribeArrivals({
      messageArrived: (topic, queueId, end, tagsCode) => seen.push(`${topic}/${queueId} ${end} ${tagsCode}`),
    });
    driver.send(message("1"));
    driver.send(message("2", { queueId: 1, properties: "" }));
    driver.send(message("3"));
    driver.host.settle();
    assert.deepEqual(seen, ["T/0 1 114586", "T/1 1 0", "T/0 2 114586"]);
  });

  it("is held by one opener at a time", async () => {
    const driver = await StoreDriver.open();
    const image = driver.host.files.image();
    const second = new StoreDriver({}, image);
    second.host.files.locks = driver.host.files.locks;
    await assert.rejects(second.start(), (error) => error instanceof StoreError && error.code === "LOCKED");
    await driver.stop();
    await second.start();
    assert.equal(second.store.status().state, "running");
  });

  it("refuses to create a store when only an existing one will do", async () => {
    const driver = new StoreDriver({ existing: true });
    await assert.rejects(driver.start(), (error) => error instanceof StoreError && error.code === "NO_STORE");
    assert.deepEqual([...driver.host.files.names.keys()], []);
  });

  it("refuses appends before start and after stop", async () => {
    const driver = new StoreDriver();
    const refused = () => driver.store.append(message("x"), "flushed", new Outcome());
    assert.deepEqual([refused().status, driver.store.status().state], ["refused", "starting"]);
    await driver.start();
    await driver.stop();
    await driver.stop();
    assert.deepEqual([refused().status, driver.store.status().state], ["refused", "stopped"]);
  });

  it("arms no timer while there is nothing to do", async () => {
    const driver = await StoreDriver.open();
    assert.equal(driver.host.armed, 0);
    driver.sendNow(message("x"));
    driver.host.advance(120_000);
    assert.equal(driver.host.armed, 0);
    await driver.stop();
    assert.equal(driver.host.armed, 0);
  });

  it("tells a waiter that its time is over, and stores the message all the same", async () => {
    const driver = await StoreDriver.open();
    driver.host.files.held = true;
    const { waiter } = driver.send(message("slow"));
    driver.host.advance(4_999);
    assert.equal(waiter.outcome, undefined);
    driver.host.advance(1);
    assert.equal(waiter.outcome, "timeout");
    driver.host.files.release();
    driver.host.settle();
    assert.deepEqual(driver.bodies(), ["slow"]);
  });

  it("finds single records by physical offset, from memory and from disk", async () => {
    const driver = await StoreDriver.open();
    const places: number[] = [];
    for (let index = 0; index < 60; index += 1) {
      places.push(driver.sendNow(message(`${index}${"r".repeat(500)}`)).physicalOffset);
    }
    for (const place of places) {
      let found: Uint8Array | undefined;
      driver.store.recordAt(place, (record) => {
        found = record;
      });
      driver.host.settle();
      assert.ok(found !== undefined, `at ${place}`);
    }
    for (const place of [places[3]! + 1, -1, 1e9, places[59]! + 100]) {
      let found: unknown = "nothing";
      driver.store.recordAt(place, (record) => {
        found = record;
      });
      driver.host.settle();
      assert.equal(found, undefined, `at ${place}`);
    }
  });

  it("takes over records of another log at the same places, blanks included", async () => {
    const source = await StoreDriver.open();
    const copy = await StoreDriver.open();
    for (let index = 0; index < 30; index += 1) source.send(message(`${index}${"q".repeat(900)}`));
    source.host.settle();
    const subscription = source.store.subscribeTail(physicalOffset(0), {
      logGrew: () => {},
      logCut: () => {},
    });
    for (let more = true; more; ) {
      const start = subscription.position;
      subscription.next(1 << 20, (error, chunk) => {
        assert.equal(error, undefined);
        assert.ok(chunk !== undefined);
        more = chunk.bytes.length > 0;
        if (more) {
          const result = copy.store.appendAt(start, chunk.bytes, "flushed", new Outcome());
          assert.equal(result.status, "appended", JSON.stringify(result));
        }
        chunk.release();
      });
      source.host.settle();
      copy.host.settle();
    }
    assert.deepEqual(copy.bodies(), source.bodies());
    const wrong = copy.store.appendAt(physicalOffset(0), Buffer.alloc(100), "flushed", new Outcome());
    assert.equal(wrong.status, "refused");
  });

  it("tells a listener that comes while it is starting of each message once", async () => {
    const driver = new StoreDriver();
    const started = driver.start();
    const arrived: number[] = [];
    driver.store.subscribeArrivals({ messageArrived: (_topic, _queueId, end) => arrived.push(end) });
    await started;
    driver.sendNow(message("a"));
    assert.deepEqual(arrived, [1]);
  });
});
