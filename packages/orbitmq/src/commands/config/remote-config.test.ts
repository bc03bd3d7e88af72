/** The commands that look at and change what running brokers and NameServers are set to. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type OrbitMQ, start } from "../../start.ts";
import { type InProcessRun, runInProcess } from "../../testing/run-in-process.ts";

let mq: OrbitMQ;

before(async () => {
  mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 });
});

after(() => mq.stop());

const orbitmq = (line: string): Promise<InProcessRun> =>
  runInProcess(line.split(" "), { env: { NAMESRV_ADDR: mq.namesrvAddr } });

async function ok(line: string): Promise<string> {
  const { code, stdout, stderr } = await orbitmq(line);
  assert.equal(code, 0, `${line}: ${stderr}`);
  return stdout;
}

const json = async (line: string): Promise<Record<string, unknown>> => JSON.parse(await ok(`${line} --json`));

describe("orbitmq broker config", () => {
  it("shows what a running broker is set to, and changes it after asking", async () => {
    assert.match(await ok("broker config show broker-a brokerName"), /^brokerName +broker-a$/m);
    const unasked = await orbitmq("broker config set maxMessageSize=1048576");
    assert.deepEqual([unasked.code, unasked.stdout], [2, ""]);
    assert.match(unasked.stderr, /set maxMessageSize on every broker; nobody is there to ask/);
    assert.match(await ok("broker config set maxMessageSize=1048576 --yes"), /^set on broker-a$/m);
    assert.deepEqual(await json("broker config show broker-a maxMessageSize"), { maxMessageSize: "1048576" });
    assert.equal((await orbitmq("broker config set maxMessageSize --yes")).code, 2);
  });

  it("says which key cannot be changed while a broker runs, and changes none then", async () => {
    const { code, stderr } = await orbitmq("broker config set brokerName=b maxMessageSize=2097152 --yes");
    assert.equal(code, 9);
    assert.match(stderr, /brokerName/);
    assert.deepEqual(await json("broker config show broker-a maxMessageSize"), { maxMessageSize: "1048576" });
  });
});

describe("orbitmq config namesrv", () => {
  it("shows what they are set to, and changes it after asking", async () => {
    assert.match(await ok("config namesrv show"), /^NAMESERVER +KEY +VALUE$/m);
    assert.equal((await orbitmq("config namesrv set orderMessageEnable=true")).code, 2);
    await ok("config namesrv set orderMessageEnable=true --yes");
    assert.match(await ok("config namesrv show orderMessageEnable"), /:\d+ +orderMessageEnable +true$/m);
  });
});
