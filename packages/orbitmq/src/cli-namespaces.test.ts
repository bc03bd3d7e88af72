/**
 * The command as containers run it: as pid 1, in pid namespaces of their own on one folder, and in network
 * namespaces where clients know the server by another address than it knows itself. Needs Linux and root, as
 * making namespaces does; skipped elsewhere.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { serverErrors } from "./server-error.ts";
import {
  type CommandResult,
  cli,
  ensureBuilt,
  jsonRows,
  type RunningCommand,
  runCommand,
  startCommand,
  startServer,
  type TestServer,
  temporaryFolder,
} from "./testing/built-command.ts";

const sh = (...words: string[]) => spawnSync(words[0] as string, words.slice(1), { encoding: "utf8" });
const worked = (...words: string[]): boolean => sh(...words).status === 0;
const canUnshare = worked("unshare", "--pid", "--fork", "--mount", "true");
const canNet = canUnshare && process.getuid?.() === 0 && worked("ip", "netns", "list");

let folder: ReturnType<typeof temporaryFolder>;
let home: string;
const running = new Set<RunningCommand>();

before(ensureBuilt);

beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, "store");
});

afterEach(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  folder.remove();
});

describe("orbitmq server as pid 1", { skip: !canUnshare }, () => {
  const OWN_PIDS = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

  async function asPid1(): Promise<TestServer> {
    const server = await startServer(["--home", home], { wrapper: OWN_PIDS });
    running.add(server);
    return server;
  }

  /** The pid by which we know the process that calls itself 1. */
  function outerPid({ child }: RunningCommand): number {
    const { pid } = child;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  }

  it("stops on SIGTERM like anywhere else", async () => {
    const server = await asPid1();
    assert.match(server.stderr(), /pid 1,/);
    process.kill(outerPid(server), "SIGTERM");
    const { code, stderr } = await server.ended;
    assert.equal(code, 0, stderr);
  });

  it("starts again after kill -9 although the new process has the dead one's pid", async () => {
    const first = await asPid1();
    process.kill(outerPid(first), "SIGKILL");
    await first.ended;
    const second = await asPid1();
    process.kill(outerPid(second), "SIGTERM");
    assert.equal((await second.ended).code, 0);
  });

  it("is refused in a second pid namespace on the same folder, where the first one is not visible", async () => {
    await asPid1();
    const second = await runCommand(["server", "--home", home, "--namesrv-port", "0", "--broker-port", "0"], {
      wrapper: OWN_PIDS,
    });
    assert.equal(second.code, serverErrors.STORE_LOCKED[0], second.stderr);
  });
});

describe("orbitmq server in a network of its own", { skip: !canNet }, () => {
  const id = `orbitmq${process.pid}`;
  const [inside, outside] = [`${id}in`, `${id}out`];
  const OUTSIDE_ADDRESS = "10.213.77.2";
  let insideAddress = "10.213.77.1";

  /** Runs a program in a network, with a hosts file that knows the server's name. */
  function inNetwork(network: string): string[] {
    const hosts = join(folder.path, "hosts");
    writeFileSync(hosts, `127.0.0.1 localhost\n${insideAddress} mq.test\n`);
    const mounted = 'mount --bind "$0" /etc/hosts && exec "$@"';
    return ["unshare", "--mount", "sh", "-c", mounted, hosts, "ip", "netns", "exec", network];
  }

  const setAddress = (address: string): void => {
    sh("ip", "-n", inside, "addr", "flush", "dev", "veth0");
    assert.ok(worked("ip", "-n", inside, "addr", "add", `${address}/24`, "dev", "veth0"));
    insideAddress = address;
  };

  before(() => {
    for (const name of [inside, outside]) {
      assert.ok(worked("ip", "netns", "add", name));
      assert.ok(worked("ip", "-n", name, "link", "set", "lo", "up"));
    }
    const pair = ["type", "veth", "peer", "name", "veth0", "netns", outside];
    assert.ok(worked("ip", "-n", inside, "link", "add", "veth0", ...pair));
    for (const name of [inside, outside]) assert.ok(worked("ip", "-n", name, "link", "set", "veth0", "up"));
    assert.ok(worked("ip", "-n", outside, "addr", "add", `${OUTSIDE_ADDRESS}/24`, "dev", "veth0"));
  });

  after(() => {
    for (const name of [inside, outside]) sh("ip", "netns", "delete", name);
  });

  beforeEach(() => setAddress("10.213.77.1"));

  async function serverInside(...args: string[]): Promise<TestServer> {
    const server = await startServer(["--home", home, "--host", "0.0.0.0", ...args], {
      wrapper: inNetwork(inside),
    });
    running.add(server);
    return server;
  }

  const from = (network: string, ...args: string[]): Promise<CommandResult> =>
    runCommand(args, { wrapper: inNetwork(network) });

  async function consumed(
    network: string,
    topic: string,
    namesrv: string,
    count: number,
  ): Promise<unknown[]> {
    const limits = ["--count", String(count), "--timeout", "30"];
    const result = await from(network, "consume", topic, "--from", "first", ...limits, "-n", namesrv);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout.trim().split("\n").sort();
  }

  it("tells clients its first non-loopback address, says so, and is reached inside and outside", async () => {
    const server = await serverInside();
    assert.match(
      server.stderr(),
      /^clients +are told 10\.213\.77\.1:\d+ \(the first non-loopback address\)$/m,
    );
    assert.match(server.stderr(), /without access control/);
    for (const network of [inside, outside]) {
      const sent = await from(network, "send", "t", `from ${network}`, "-n", server.namesrv);
      assert.equal(sent.code, 0, sent.stderr);
    }
    const all = [`from ${inside}`, `from ${outside}`].sort();
    for (const network of [inside, outside])
      assert.deepEqual(await consumed(network, "t", server.namesrv, 2), all);
  });

  it("registers a name as given, and survives that the name moves to another address", async () => {
    const first = await serverInside("--advertise", "mq.test");
    assert.match(first.namesrv, /^mq\.test:\d+$/);
    assert.match(first.broker, /^mq\.test:\d+$/);
    const sent = await from(outside, "send", "t", "before", "-n", first.namesrv, "--json");
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(
      String(jsonRows(sent.stdout)[0]?.["offsetMsgId"]),
      /^0AD54D01/,
      "storeHost is the name's address",
    );
    first.child.kill("SIGKILL");
    await first.ended;

    setAddress("10.213.77.3");
    const second = await serverInside("--advertise", "mq.test");
    const after = await from(outside, "send", "t", "after", "-n", second.namesrv);
    assert.equal(after.code, 0, after.stderr);
    assert.deepEqual(await consumed(outside, "t", second.namesrv, 2), ["after", "before"]);
    assert.deepEqual(await consumed(inside, "t", second.namesrv, 2), ["after", "before"]);
  });

  it("is reached by mapAddress where its advertised name means nothing", async () => {
    const server = await serverInside("--advertise", "mq.test");
    const [, namesrvPort] = server.namesrv.split(":");
    const program = `
      import { Producer } from ${JSON.stringify(join(cli, "../../../client/dist/index.js"))};
      const mapAddress = (address) => address.replace("mq.test", "10.213.77.1");
      const producer = new Producer({ namesrv: "10.213.77.1:${namesrvPort}", mapAddress });
      await producer.start();
      console.log((await producer.send({ topic: "t", body: "x" })).status);
      await producer.shutdown();`;
    const { stdout, stderr } = sh(
      ...["ip", "netns", "exec", outside, process.execPath, "--input-type=module", "--eval", program],
    );
    assert.equal(stdout, "SEND_OK\n", stderr);
  });

  it("is out of reach from outside when it listens on loopback, and has said so", async () => {
    const server = startCommand(
      ["server", "--home", home, "--namesrv-port", "0", "--broker-port", "0", "--advertise", "10.213.77.1"],
      { wrapper: inNetwork(inside) },
    );
    running.add(server);
    const [, namesrv] = await server.printed(/^ready namesrv=(\S+) /m);
    assert.match(server.stderr(), /only this machine can reach 127\.0\.0\.1; add --host 0\.0\.0\.0/);
    const sent = await from(outside, "send", "t", "x", "-n", namesrv as string);
    assert.equal(sent.code, serverErrors.REQUEST_FAILED[0], sent.stderr);
  });
});
