import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host-error.ts";
import { contents, crashAndRestart, oneProcess, settle, sync, text } from "../testing/one-process.ts";

const codeIs = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;
const SEEDS = 200;

test("written bytes are read back, holes and truncated ends read as zeros", () => {
  const { host } = oneProcess(1);
  const file = host.files.openSync("/a", { create: true });
  file.writeSync(text("hello"), 5000);
  const into = new Uint8Array(6000).fill(9);
  assert.equal(file.readSync(into, 0), 5005);
  assert.equal(into[4999], 0);
  assert.equal(new TextDecoder().decode(into.subarray(5000, 5005)), "hello");
  file.truncateSync(5002);
  file.truncateSync(5010);
  assert.equal(file.readSync(into, 5000), 10);
  assert.deepEqual([...into.subarray(0, 10)], [104, 101, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("names follow the rules: missing, existing, removed, renamed, folders", () => {
  const { files } = oneProcess(1).host;
  assert.throws(() => files.openSync("/none"), codeIs("ENOENT"));
  assert.throws(() => files.openSync("/none/x", { create: true }), codeIs("ENOENT"));
  files.makeFolderSync("/d/e");
  files.makeFolderSync("/d/e");
  files.openSync("/d/e/f", { exclusive: true }).closeSync();
  assert.throws(() => files.openSync("/d/e/f", { exclusive: true }), codeIs("EEXIST"));
  assert.throws(() => files.removeFolderSync("/d/e"), codeIs("ENOTEMPTY"));
  files.renameSync("/d/e/f", "/d/g");
  assert.deepEqual(files.listSync("/d").sort(), ["e", "g"]);
  assert.equal(files.statSync("/d/e")?.isFolder, true);
  files.removeFolderSync("/d/e");
  files.unlinkSync("/d/g");
  files.unlinkSync("/d/g");
  assert.deepEqual(files.listSync("/d"), []);
  assert.equal(files.statSync("/d/g"), undefined);
  assert.equal(files.readWholeSync("/d/g"), undefined);
});

test("what was synced, name and content, survives every machine crash", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(text("a".repeat(3000)), 0);
    file.fdatasyncSync();
    file.writeSync(text("b".repeat(3000)), 3000);
    const host = crashAndRestart(one);
    assert.equal(contents(host, "/log")?.slice(0, 3000), "a".repeat(3000), `seed ${seed}`);
  }
});

test("over many crashes an un-synced write is lost, kept, and torn at 512 bytes, also in the middle", () => {
  const shapes = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(new Uint8Array(4096), 0);
    file.fdatasyncSync();
    file.writeSync(text("x".repeat(2048)), 0);
    const host = crashAndRestart(one);
    const after = contents(host, "/log") as string;
    assert.equal(after.length, 4096);
    let shape = "";
    for (let at = 0; at < 2048; at += 512) {
      const sector = after.slice(at, at + 512);
      assert.ok(sector === "x".repeat(512) || sector === "\0".repeat(512), "a sector is whole");
      shape += sector[0] === "x" ? "x" : "0";
    }
    shapes.add(shape);
  }
  for (const shape of ["xxxx", "0000", "0xxx", "xx00", "x0x0"])
    assert.ok(shapes.has(shape), `${shape} occurs`);
});

test("a sector that was written several times may come back in any of its versions", () => {
  const versions = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(text("0000"), 0);
    file.fdatasyncSync();
    for (const at of [0, 1, 2]) file.writeSync(text("1"), at);
    versions.add(contents(crashAndRestart(one), "/log") as string);
  }
  assert.deepEqual([...versions].sort(), ["0000", "1000", "1100", "1110"]);
});

test("a grown file may keep its length with zeros or stale bytes in place of its data, or lose it", () => {
  let shorter = 0;
  let zeros = 0;
  let stale = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const one = oneProcess(seed);
    const { files } = one.host;
    files.openSync("/old", { create: true }).writeSync(text("s".repeat(4096)), 0);
    const file = files.openSync("/log", { create: true });
    files.syncFolderSync("/");
    file.writeSync(text("x".repeat(512)), 0);
    const after = contents(crashAndRestart(one), "/log") as string;
    if (after.length < 512) shorter++;
    else if (after === "\0".repeat(512)) zeros++;
    else if (after !== "x".repeat(512)) stale++;
  }
  assert.ok(shorter > 0 && zeros > 0 && stale > 0, `${shorter} ${zeros} ${stale}`);
});

test("a creation, a rename and a removal may be undone until their folder is synced, and never after", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const one = oneProcess(seed);
    const { files } = one.host;
    for (const name of ["/kept", "/removed", "/replaced"]) {
      const file = files.openSync(name, { create: true });
      file.writeSync(text(name), 0);
      file.fdatasyncSync();
    }
    files.syncFolderSync("/");
    files.openSync("/made", { create: true });
    files.unlinkSync("/removed");
    const fresh = files.openSync("/fresh", { create: true });
    fresh.writeSync(text("new"), 0);
    fresh.fdatasyncSync();
    files.renameSync("/fresh", "/replaced");
    const synced = seed % 2 === 0;
    if (synced) files.syncFolderSync("/");
    const host = crashAndRestart(one);
    const replaced = contents(host, "/replaced");
    assert.equal(contents(host, "/kept"), "/kept");
    assert.ok(replaced === "new" || replaced === "/replaced", "a rename is whole");
    if (replaced === "new") assert.equal(contents(host, "/fresh"), undefined);
    const removed = contents(host, "/removed");
    if (removed !== undefined) assert.equal(removed, "/removed");
    const outcome = `${host.files.statSync("/made") !== undefined} ${removed !== undefined} ${replaced}`;
    if (synced) assert.equal(outcome, "true false new");
    else outcomes.add(outcome);
  }
  assert.equal(outcomes.size, 8, [...outcomes].join("; "));
});

test("a folder that was never synced into its parent takes its files with it", () => {
  let lost = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const one = oneProcess(seed);
    one.host.files.makeFolderSync("/store/commitlog");
    const file = one.host.files.openSync("/store/commitlog/0", { create: true });
    file.writeSync(text("x"), 0);
    file.fdatasyncSync();
    one.host.files.syncFolderSync("/store/commitlog");
    if (contents(crashAndRestart(one), "/store/commitlog/0") === undefined) lost++;
  }
  assert.ok(lost > 0);
});

test("a killed process loses nothing that it wrote into the page cache", () => {
  const one = oneProcess(1);
  one.host.files.openSync("/log", { create: true }).writeSync(text("cached"), 0);
  one.world.kill(one.host);
  assert.equal(contents(one.world.spawn(one.machine, "p1"), "/log"), "cached");
});

test("a failed fdatasync marks its pages clean: the next one succeeds without writing them", async () => {
  let lost = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(text("0".repeat(512)), 0);
    file.fdatasyncSync();
    file.writeSync(text("1".repeat(512)), 0);
    one.machine.disk.faults.failNext("sync");
    assert.throws(() => file.fdatasyncSync(), codeIs("EIO"));
    file.fdatasyncSync();
    one.world.kill(one.host);
    const second = one.world.spawn(one.machine, "p1");
    assert.equal(contents(second, "/log"), "1".repeat(512), "the page cache still has it");
    second.files.openSync("/log").fdatasyncSync();
    if (contents(crashAndRestart(one), "/log") === "0".repeat(512)) lost++;
  }
  assert.ok(lost > 25, `${lost} of 50 lost what a sync had claimed`);
});

test("writing a page again after a failed sync makes the next sync write all of it", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(text("1".repeat(512)), 0);
    one.machine.disk.faults.failNext("sync");
    assert.throws(() => file.fdatasyncSync(), codeIs("EIO"));
    file.writeSync(text("1".repeat(512)), 0);
    file.fdatasyncSync();
    assert.equal(contents(crashAndRestart(one), "/log"), "1".repeat(512));
  }
});

test("pages wrongly marked clean can be evicted and then read back as what is on disk", () => {
  const one = oneProcess(1);
  const file = one.host.files.openSync("/log", { create: true });
  file.writeSync(text("old"), 0);
  file.fdatasyncSync();
  file.writeSync(text("new"), 0);
  assert.equal(one.machine.disk.evictClean(), 0, "a dirty page stays");
  one.machine.disk.faults.failNext("sync");
  assert.throws(() => file.fdatasyncSync(), codeIs("EIO"));
  assert.equal(one.machine.disk.evictClean(), 1);
  assert.equal(contents(one.host, "/log"), "old");
});

test("an fdatasync makes durable what was written before it was asked for, and promises nothing more", async () => {
  let laterLost = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(text("a".repeat(512)), 0);
    const synced = sync(file);
    file.writeSync(text("b".repeat(512)), 512);
    await one.world.run(1_000);
    await synced;
    const after = contents(crashAndRestart(one), "/log") as string;
    assert.equal(after.slice(0, 512), "a".repeat(512));
    if (after.slice(512) !== "b".repeat(512)) laterLost++;
  }
  assert.ok(laterLost > 0);
});

test("a write fails with EIO when told to, and may have written a part", () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed <= 30; seed++) {
    const { host, machine } = oneProcess(seed);
    machine.disk.faults.failNext("write", (path) => path.startsWith("/log"));
    host.files.openSync("/other", { create: true }).writeSync(text("fine"), 0);
    const file = host.files.openSync("/log", { create: true });
    assert.throws(() => file.writeSync(text("x".repeat(100)), 0), codeIs("EIO"));
    lengths.add(file.sizeSync());
    file.writeSync(text("works again"), 0);
  }
  assert.ok(lengths.size > 5);
});

test("a full disk refuses new blocks with ENOSPC, still takes overwrites, and recovers with space", () => {
  const { host, machine } = oneProcess(1, { disk: { capacityBytes: 64 * 1024 } });
  const file = host.files.openSync("/log", { create: true });
  file.truncateSync(1024 * 1024);
  file.writeSync(new Uint8Array(32 * 1024), 0);
  assert.equal(host.files.spaceSync("/").freeBytes, 32 * 1024);
  machine.disk.ballastBytes = 32 * 1024;
  assert.throws(() => file.writeSync(new Uint8Array(100), 40 * 1024), codeIs("ENOSPC"));
  file.writeSync(text("still works"), 0);
  machine.disk.ballastBytes = 0;
  file.writeSync(new Uint8Array(100), 40 * 1024);
  file.closeSync();
  host.files.unlinkSync("/log");
  assert.equal(host.files.spaceSync("/").freeBytes, 64 * 1024);
});

test("an asynchronous write reads its buffer at later moments, so a buffer changed too early is seen", async () => {
  let seen = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const { world, host } = oneProcess(seed);
    const file = host.files.openSync("/log", { create: true });
    const bytes = text("a".repeat(300));
    const written = settle((done) => file.write("other", bytes, 0, done));
    world.after(0.03, () => bytes.fill("b".charCodeAt(0)));
    await world.run(1_000);
    await written;
    if (contents(host, "/log") !== "a".repeat(300)) seen++;
  }
  assert.ok(seen > 5);
});

test("a read's buffer holds rubbish until its callback", async () => {
  const { world, host } = oneProcess(1);
  const file = host.files.openSync("/log", { create: true });
  file.writeSync(text("data"), 0);
  const into = text("....");
  let count = -1;
  file.read("cold", into, 0, (_error, bytesRead) => {
    count = bytesRead;
  });
  assert.deepEqual([...into], [0xee, 0xee, 0xee, 0xee]);
  await world.run(100);
  assert.equal(count, 4);
  assert.equal(new TextDecoder().decode(into), "data");
});

test("cold reads take two threads, everything else one, and a sync of the log never waits for them", async () => {
  const { world, machine, host } = oneProcess(1, {
    disk: { tailChance: 0, readUs: { min: 10_000, max: 10_000 }, syncUs: { min: 100, max: 100 } },
  });
  machine.disk.slowFactor = 1;
  const file = host.files.openSync("/log", { create: true });
  file.writeSync(new Uint8Array(100), 0);
  const finished: string[] = [];
  const note = (name: string) => () => finished.push(`${name}@${Math.round(world.nowMs)}`);
  for (const name of ["c1", "c2", "c3"]) file.read("cold", new Uint8Array(10), 0, note(name));
  for (const name of ["o1", "o2"]) file.read("other", new Uint8Array(10), 0, note(name));
  file.fdatasync("log", note("sync"));
  await world.run(1_000);
  assert.deepEqual(finished, ["sync@0", "c1@10", "c2@10", "o1@10", "c3@20", "o2@20"]);
});

test("a slow disk takes as many times longer as it is told", async () => {
  const { world, machine, host } = oneProcess(1, { disk: { tailChance: 0, syncUs: { min: 100, max: 100 } } });
  machine.disk.slowFactor = 50;
  const synced = sync(host.files.openSync("/log", { create: true }));
  let doneMs = -1;
  void synced.then(() => {
    doneMs = world.nowMs;
  });
  await world.run(1_000);
  assert.equal(doneMs, 5);
});

test("an operation in flight when the machine crashes changes nothing and never calls back", async () => {
  const one = oneProcess(1);
  const file = one.host.files.openSync("/log", { create: true });
  one.host.files.syncFolderSync("/");
  file.fdatasync("log", () => assert.fail("the process is dead"));
  file.write("other", text("late"), 0, () => assert.fail("the process is dead"));
  const host = crashAndRestart(one);
  await one.world.run(1_000);
  assert.equal(contents(host, "/log"), "");
});

test("a sync in flight when its process is killed is finished by the kernel", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const one = oneProcess(seed);
    const file = one.host.files.openSync("/log", { create: true });
    one.host.files.syncFolderSync("/");
    file.writeSync(text("x".repeat(512)), 0);
    file.fdatasync("log", () => assert.fail("the process is dead"));
    one.world.kill(one.host);
    await one.world.run(1_000);
    one.world.spawn(one.machine, "p2");
    assert.equal(contents(crashAndRestart(one), "/log"), "x".repeat(512));
  }
});

test("a closed file refuses every call, an operation in flight still calls back", async () => {
  const { world, host } = oneProcess(1);
  const file = host.files.openSync("/log", { create: true });
  const inFlight = sync(file);
  file.closeSync();
  file.closeSync();
  assert.throws(() => file.writeSync(text("x"), 0), codeIs("ECLOSED"));
  const late = assert.rejects(sync(file), codeIs("ECLOSED"));
  await world.run(1_000);
  await inFlight;
  await late;
});

test("a lock belongs to one holder, ends with its process, and is refused where there are none", () => {
  const one = oneProcess(1);
  const lock = one.host.files.lockSync("/lock");
  assert.throws(() => one.host.files.lockSync("/lock"), codeIs("ELOCKED"));
  lock.release();
  one.host.files.lockSync("/lock");
  const other = one.world.spawn(one.machine, "p2");
  assert.throws(() => other.files.lockSync("/lock"), codeIs("ELOCKED"));
  one.world.kill(one.host);
  other.files.lockSync("/lock");
  one.machine.offersLocks = false;
  assert.throws(() => other.files.lockSync("/second"), codeIs("ENOLOCK"));
});

test("the disk tells which bytes would survive any machine crash", () => {
  const { host, machine } = oneProcess(1);
  const { disk } = machine;
  host.files.makeFolderSync("/d");
  const file = host.files.openSync("/d/log", { create: true });
  file.writeSync(text("one"), 0);
  file.fdatasyncSync();
  assert.equal(disk.survives("/d/log", 0, 3), false, "its name is not synced");
  host.files.syncFolderSync("/d");
  assert.equal(disk.survives("/d/log", 0, 3), false, "its folder's name is not synced");
  host.files.syncFolderSync("/");
  assert.equal(disk.survives("/d/log", 0, 3), true);
  file.writeSync(text("two"), 3);
  assert.equal(disk.survives("/d/log", 0, 3), true);
  assert.equal(disk.survives("/d/log", 0, 4), false);
  file.writeSync(text("one"), 0);
  assert.equal(disk.survives("/d/log", 0, 3), true, "the same bytes again change nothing");
  file.writeSync(text("x"), 1);
  assert.equal(disk.survives("/d/log", 0, 3), false);
  machine.disk.faults.failNext("sync");
  assert.throws(() => file.fdatasyncSync(), codeIs("EIO"));
  file.fdatasyncSync();
  assert.equal(disk.survives("/d/log", 0, 6), false, "what a failed sync marked clean is not on disk");
  file.writeSync(text("onetwo"), 0);
  file.fdatasyncSync();
  assert.equal(disk.survives("/d/log", 0, 6), true);
  assert.equal(disk.survives("/d/log", 0, 7), false);
  assert.equal(disk.survives("/d/none", 0, 0), false);
});

test("reads and opens fail when told to, and small files alone can find no space", () => {
  const { host, machine } = oneProcess(1);
  const file = host.files.openSync("/log", { create: true });
  file.writeSync(text("seven"), 0);
  machine.disk.faults.failNext("read", (path) => path === "/log", 2);
  const into = new Uint8Array(5);
  assert.throws(() => file.readSync(into, 0), codeIs("EIO"));
  assert.throws(() => host.files.readWholeSync("/log"), codeIs("EIO"));
  assert.equal(file.readSync(into, 0), 5);
  machine.disk.faults.failNext("open");
  assert.throws(() => host.files.openSync("/log"), codeIs("EMFILE"));
  machine.disk.faults.setNoSpaceFor((path) => path === "/small");
  const small = host.files.openSync("/small", { create: true });
  assert.throws(() => small.writeSync(into, 0), codeIs("ENOSPC"));
  file.writeSync(into, 8_192);
  machine.disk.faults.setNoSpaceFor(undefined);
  small.writeSync(into, 0);
  assert.equal(contents(host, "/small"), "seven");
});

test("a flipped bit stays through a crash and can be turned back; a cut file is shorter", () => {
  const one = oneProcess(1);
  const { host, machine } = one;
  const file = host.files.openSync("/log", { create: true });
  file.writeSync(text("a".repeat(100)), 0);
  assert.equal(machine.disk.flipBit("/log"), undefined, "nothing of it is settled yet");
  file.fdatasyncSync();
  host.files.syncFolderSync("/");
  const turnBack = machine.disk.flipBit("/log");
  assert.ok(turnBack !== undefined);
  const after = crashAndRestart(one);
  assert.equal(contents(after, "/log")?.replaceAll("a", "").length, 1);
  turnBack();
  assert.equal(contents(after, "/log"), "a".repeat(100));
  assert.equal(machine.disk.cutShort("/log"), true);
  assert.ok((contents(after, "/log")?.length ?? 100) < 100);
});
