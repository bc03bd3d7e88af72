import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type HostError, silentLogger } from "@orbitmq/host";
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
