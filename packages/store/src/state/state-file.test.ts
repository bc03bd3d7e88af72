import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type HostError, silentLogger } from "@orbitmq/host";
import { bodyCrc } from "@orbitmq/wire";
import { CrashModel, seededRandom } from "../testing/crash-model.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { StateFile } from "./state-file.ts";

const PATH = "/config/topics.json";

function stateFile(host = new FakeHost()) {
  host.files.makeFolderSync("/config");
  return { host, file: new StateFile(host, PATH, silentLogger) };
}

const load = (file: StateFile) => file.load((text) => JSON.parse(text) as number);

describe("a state file", () => {
  it("is loaded as saved, with the version before it beside it", () => {
    const { host, file } = stateFile();
    assert.equal(load(file), undefined);
    file.save("1");
    host.settle();
    file.save("2");
    host.settle();
    assert.deepEqual(load(file), { value: 2, from: "file" });
    assert.equal(host.files.names.get(`${PATH}.bak`)?.bytes.toString(), "1");
    file.saveSync("3");
    assert.deepEqual(load(file), { value: 3, from: "file" });
  });

  it("falls back to its backup when it is torn or missing, and to nothing when both are", () => {
    const { host, file } = stateFile();
    file.saveSync("1");
    file.saveSync("2");
    host.files.names.get(PATH)!.bytes = Buffer.from('{"to');
    assert.deepEqual(load(file), { value: 1, from: "backup" });
    host.files.unlinkSync(PATH);
    assert.deepEqual(load(file), { value: 1, from: "backup" });
    host.files.names.get(`${PATH}.bak`)!.bytes = Buffer.alloc(0);
    assert.equal(file.isLost, false);
    assert.equal(load(file), undefined);
    assert.equal(file.isLost, true, "there was something");
    assert.equal(load(stateFile().file), undefined);
    assert.equal(stateFile().file.isLost, false);
  });

  it("merges saves that overlap into the newest, and tells each", () => {
    const { host, file } = stateFile();
    const done: string[] = [];
    for (const text of ["1", "2", "3", "4"])
      file.save(text, (error) => done.push(`${text} ${error === undefined}`));
    host.settle();
    assert.deepEqual(done, ["1 true", "2 true", "3 true", "4 true"]);
    assert.deepEqual(load(file), { value: 4, from: "file" });
    const renames = host.files.operations.filter(({ kind }) => kind === "rename");
    assert.equal(renames.length, 3, "two replacements, the second with a backup");
  });

  it("reports a failed save and repeats it after 5 s, unless a newer one was made", () => {
    const { host, file } = stateFile();
    file.saveSync("1");
    host.files.fault = (what) => (what === "write" ? "ENOSPC" : undefined);
    let error: HostError | undefined;
    file.save("2", (failure) => {
      error = failure;
    });
    host.settle();
    assert.equal(error?.code, "ENOSPC");
    assert.deepEqual(load(file), { value: 1, from: "file" });
    host.files.fault = () => undefined;
    host.advance(5_000);
    assert.deepEqual(load(file), { value: 2, from: "file" });
    host.files.fault = (what) => (what === "sync" ? "EIO" : undefined);
    file.save("3");
    host.settle();
    host.files.fault = () => undefined;
    file.save("4");
    host.advance(30_000);
    assert.deepEqual(load(file), { value: 4, from: "file" });
  });

  it("lets a blocking save overtake one under way", () => {
    const { host, file } = stateFile();
    file.save("1");
    file.save("2");
    host.turn();
    file.saveSync("3");
    host.settle();
    assert.deepEqual(load(file), { value: 3, from: "file" });
  });

  it("holds, after a crash at any moment, the last version whose save was confirmed, or a newer one", () => {
    const { host, file } = stateFile();
    const confirmed: { operation: number; value: number }[] = [];
    host.files.syncFolderSync("/");
    const { operations } = host.files;
    for (let value = 1; value <= 5; value += 1) {
      if (value % 2 === 0) {
        file.saveSync(String(value));
        confirmed.push({ operation: operations.length, value });
      } else {
        file.save(String(value), () => confirmed.push({ operation: operations.length, value }));
        host.settle();
      }
    }
    const model = new CrashModel();
    const random = seededRandom(5);
    for (const [index, operation] of operations.entries()) {
      model.apply(operation);
      const least = confirmed.findLast((entry) => entry.operation <= index + 1)?.value ?? 0;
      for (let way = 0; way < 40; way += 1) {
        const image = model.crash({ keepData: random(), keepNames: random(), random });
        const found = load(new StateFile(new FakeHost(image), PATH, silentLogger))?.value ?? 0;
        assert.ok(found >= least, `after operation ${index}: ${found}, confirmed was ${least}`);
      }
    }
  });
});

describe("the checksum of a state file", () => {
  const SUMS = "/config/orbitmq-checksums/topics.json";
  const open = (host: FakeHost) => new StateFile(host, PATH, silentLogger, undefined, SUMS);
  const inode = (host: FakeHost, path = PATH) => host.files.names.get(path)!;
  const TEXT = '{"offsetTable":{"T@G":{"0":1234567}}}';
  const parsed = (text: string) => (JSON.parse(text) as { offsetTable: object }).offsetTable;

  function saved(): FakeHost {
    const host = new FakeHost();
    host.files.makeFolderSync("/config");
    const file = open(host);
    file.saveSync(TEXT.replace("567", "432"));
    file.save(TEXT);
    host.settle();
    file.close();
    return host;
  }

  it("finds every flipped bit, which still parses or not, and leads to the backup", () => {
    const host = saved();
    const whole = Buffer.from(inode(host).bytes);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      inode(host).bytes = flipped;
      const loaded = open(host).load(parsed);
      assert.deepEqual(loaded, { value: { "T@G": { 0: 1_234_432 } }, from: "backup" }, `bit ${bit}`);
    }
    inode(host, `${PATH}.bak`).bytes = Buffer.from(TEXT.replace("7", "8"));
    const file = open(host);
    assert.equal(file.load(parsed), undefined);
    assert.equal(file.isLost, true);
  });

  it("says nothing about what somebody else has written, and watches over it from then on", () => {
    const host = saved();
    const edited = TEXT.replace("1234567", "1234500");
    inode(host).bytes = Buffer.from(edited);
    inode(host).modifiedMs = 1_000;
    assert.deepEqual(open(host).load(parsed), { value: { "T@G": { 0: 1_234_500 } }, from: "file" });
    inode(host).bytes = Buffer.from(edited.replace("00}", "01}"));
    assert.equal(open(host).load(parsed)?.from, "backup");
    inode(host).bytes = Buffer.from('{"offsetTable":{"T@G":{"0":12}}}');
    assert.deepEqual(open(host).load(parsed)?.value, { "T@G": { 0: 12 } }, "of another length");
  });

  it("may be missing, torn, unreadable or not writable: the state is believed, or saved, without it", () => {
    const host = saved();
    inode(host, SUMS).bytes = Buffer.alloc(100);
    assert.equal(open(host).load(parsed)?.from, "file");
    const other = saved();
    other.files.unlinkSync(SUMS);
    assert.equal(open(other).load(parsed)?.from, "file");
    const third = saved();
    third.files.fault = (_what, path) => (path === SUMS ? "EIO" : undefined);
    const file = open(third);
    assert.equal(file.load(parsed)?.from, "file");
    const errors: (HostError | undefined)[] = [];
    file.save(TEXT.replace("7", "9"), (error) => errors.push(error));
    third.settle();
    file.saveSync(TEXT.replace("7", "1"));
    assert.deepEqual(errors, [undefined]);
    third.files.fault = () => undefined;
    inode(third).modifiedMs = 1_000;
    assert.deepEqual(open(third).load(parsed), { value: { "T@G": { 0: 1_234_561 } }, from: "file" });
  });

  it("of a newer version stops the start", () => {
    const host = saved();
    const bytes = Buffer.from(inode(host, SUMS).bytes);
    for (const at of [0, 4096]) {
      if (bytes.readUInt32BE(at) === 0) continue;
      bytes.writeUInt32BE(2, at + 4);
      bytes.writeUInt32BE(bodyCrc(bytes.subarray(at, at + 508)), at + 508);
    }
    inode(host, SUMS).bytes = bytes;
    assert.throws(() => open(host).load(parsed), /has format 2, this version knows 1/);
  });

  it("agrees with the file after every crash", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seededRandom(seed);
      const host = new FakeHost();
      host.files.makeFolderSync("/config");
      host.files.syncFolderSync("/");
      const file = open(host);
      for (let version = 1; version <= 9; version += 1) {
        if (random() < 0.3) file.saveSync(JSON.stringify({ offsetTable: { version } }));
        else file.save(JSON.stringify({ offsetTable: { version } }));
        if (random() < 0.5) host.settle();
        else host.turn();
      }
      host.settle();
      const model = new CrashModel();
      for (const operation of host.files.operations) {
        model.apply(operation);
        if (random() > 0.4) continue;
        const image = model.crash({ keepData: random(), keepNames: random(), random });
        const after = new FakeHost(image);
        const loaded = open(after);
        const from = loaded.load(parsed)?.from;
        if (image.files.has(PATH)) assert.equal(from, "file", `seed ${seed}`);
        else if (image.files.has(`${PATH}.bak`)) assert.equal(from, "backup", `seed ${seed}`);
      }
    }
  });
});
