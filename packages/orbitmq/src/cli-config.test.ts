/** What the command does with a configuration that is wrong, and what it shows of one that is right. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { ensureBuilt, runCommand, temporaryFolder } from "./testing/built-command.ts";

before(ensureBuilt);

let folder: ReturnType<typeof temporaryFolder>;
let home: string;

beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, "store");
});

afterEach(() => folder.remove());

describe("configuration errors", () => {
  it("end with 2 and name file, line, key and what was expected", async () => {
    const file = join(folder.path, "broker.conf");
    writeFileSync(file, "brokerName=a\nflushDiskType=SYNC\naclEnable=true\nflushdisktype=x\n");
    const { code, stdout, stderr } = await runCommand(["server", "-c", file, "--home", home]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /broker\.conf:2: flushDiskType = "SYNC": expected SYNC_FLUSH or ASYNC_FLUSH/);
    assert.match(stderr, /broker\.conf:3: aclEnable = true: expected false/);
    assert.equal(existsSync(home), false);
  });

  it("end with 2 for a file that is not there and a flag that is not known", async () => {
    assert.equal((await runCommand(["server", "-c", join(folder.path, "none.conf")])).code, 2);
    assert.equal((await runCommand(["server", "--no-such-flag"])).code, 2);
    assert.equal((await runCommand(["serve"])).code, 2);
    assert.equal((await runCommand(["server", "--stop-timeout", "soon"])).code, 2);
  });

  it("are shown by config check, and the values in force by config show, with their sources", async () => {
    const file = join(folder.path, "broker.conf");
    writeFileSync(file, 'brokerName=from-file\nlistenPort=1\ninitAuthenticationUser={"password":"geheim"}\n');
    const env = { ORBITMQ_LISTEN_PORT: "2", NAMESRV_ADDR: "10.0.0.1:9876" };
    const shown = await runCommand(["config", "show", "-c", file, "-o", "regionId=R", "--json"], { env });
    assert.equal(shown.code, 0, shown.stderr);
    const { values } = JSON.parse(shown.stdout) as {
      values: { key: string; value: unknown; where: string }[];
    };
    const seen = Object.fromEntries(values.map(({ key, value, where }) => [key, [value, where]]));
    assert.deepEqual(seen["brokerName"], ["from-file", `${file}:1`]);
    assert.deepEqual(seen["listenPort"], [2, "ORBITMQ_LISTEN_PORT"]);
    assert.deepEqual(seen["namesrvAddr"], ["10.0.0.1:9876", "NAMESRV_ADDR"]);
    assert.deepEqual(seen["regionId"], ["R", "-o"]);
    assert.deepEqual(seen["flushDiskType"], ["SYNC_FLUSH", "default"]);
    assert.ok(!shown.stdout.includes("geheim"), "a secret is masked");
    assert.ok(!shown.stderr.includes("geheim"), "a secret is masked");

    const checked = await runCommand(["config", "check", "-c", file, "-o", "brokerRole=SLAVE"]);
    assert.equal(checked.code, 2);
    assert.match(checked.stderr, /brokerRole = SLAVE/);
    assert.equal((await runCommand(["config", "check", "-c", file])).code, 0);
  });
});
