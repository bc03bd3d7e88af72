/** `orbitmq server`, `namesrv` and `broker` as processes: streams, exit codes, signals, the store between two lives. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import * as modules from "node:module";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import {
  ensureBuilt,
  type RunningCommand,
  jsonRows as rows,
  runCommand,
  startCommand,
  startServer,
  type TestServer,
  temporaryFolder,
} from "./testing/built-command.ts";

before(ensureBuilt);

let folder: ReturnType<typeof temporaryFolder>;
let home: string;
const running = new Set<RunningCommand>();

beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, "store");
});

afterEach(async () => {
  for (const command of running) command.child.kill("SIGKILL");
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  folder.remove();
});

async function server(...args: string[]): Promise<TestServer> {
  const started = await startServer(["--home", home, ...args]);
  running.add(started);
  return started;
}

function command(...args: string[]): RunningCommand {
  const started = startCommand(args);
  running.add(started);
  return started;
}

async function stopped(started: RunningCommand, signal: NodeJS.Signals = "SIGTERM") {
  started.child.kill(signal);
  return started.ended;
}

/** Somebody who has a port and never answers. */
async function listener() {
  const sockets = new Set<Socket>();
  const one = createServer((socket) => void sockets.add(socket.on("error", () => sockets.delete(socket))));
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => one.close(resolve));
  };
  return { port: (one.address() as AddressInfo).port, close };
}

describe("orbitmq server", () => {
  it("says on stderr what it is, on stdout only that it is ready, and stops with 0", async () => {
    const started = await server();
    assert.match(started.stderr(), /^NameServer +listens on 127\.0\.0\.1:\d+$/m);
    assert.match(
      started.stderr(),
      /^broker +listens on 127\.0\.0\.1:\d+ \(VIP \d+\); broker-a in DefaultCluster$/m,
    );
    assert.match(started.stderr(), /^clients +are told 127\.0\.0\.1:\d+ \(the address listened on\)$/m);
    assert.match(started.stderr(), /^warning +only clients on this machine can reach it/m);
    assert.match(started.stderr(), /^store .*: new store$/m);
    assert.match(started.stderr(), /^durability +SYNC_FLUSH/m);
    assert.match(started.stderr(), /^try +.* send hello .*\n +.* consume hello --from first/m);
    const { code, stdout } = await stopped(started);
    assert.equal(code, 0);
    assert.equal(stdout, `ready namesrv=${started.namesrv} broker=${started.broker}\n`);
    assert.equal(existsSync(join(home, "abort")), false);
  });

  it("lays the store out as RocketMQ does, directly in --home", async () => {
    await stopped(await server());
    const entries = readdirSync(home);
    for (const name of ["commitlog", "config", "checkpoint"])
      assert.ok(entries.includes(name), entries.join());
  });

  it("loses nothing acknowledged to kill -9, and says how many messages it found", async () => {
    const first = await server();
    const sent = await runCommand(["send", "orders", "--lines", "-n", first.namesrv, "--json"], {
      stdin: "one\ntwo\nthree\n",
    });
    assert.equal(sent.code, 0, sent.stderr);
    assert.equal(rows(sent.stdout).length, 3);
    assert.deepEqual(rows(sent.stdout).map(({ status, durability }) => [status, durability])[0], [
      "SEND_OK",
      "disk",
    ]);
    await stopped(first, "SIGKILL");
    assert.equal(existsSync(join(home, "abort")), true);

    const second = await server("--existing");
    assert.match(second.stderr(), /^store .*: 3 messages, last at 20\d\d-\d\d-\d\dT[\d:.]+Z$/m);
    const consumed = await runCommand([
      ...["consume", "orders", "--from", "first", "--count", "3", "--timeout", "30"],
      ...["-n", second.namesrv],
    ]);
    assert.equal(consumed.code, 0, consumed.stderr);
    assert.deepEqual(consumed.stdout.trim().split("\n").sort(), ["one", "three", "two"]);
  });

  it("prints the ready line as JSON and the log as JSON when asked to", async () => {
    const started = command(
      ...["server", "--home", home, "--namesrv-port", "0", "--broker-port", "0"],
      ...["--json", "--log-format", "json"],
    );
    const [line] = await started.printed(/^.*\n/);
    const ready = JSON.parse(line) as { namesrv: string; broker: string };
    assert.match(ready.namesrv, /^127\.0\.0\.1:\d+$/);
    assert.match(ready.broker, /^127\.0\.0\.1:\d+$/);
    const { stderr } = await stopped(started, "SIGINT");
    for (const record of rows(stderr)) assert.match(String(record["time"]), /Z$/);
    assert.ok(rows(stderr).some(({ about }) => about === "durability"));
  });

  it("ends with 3 while another process has the store, and starts once that was killed", async () => {
    const first = await server();
    const second = await runCommand(["server", "--home", home, "--namesrv-port", "0", "--broker-port", "0"]);
    assert.equal(second.code, 3, second.stderr);
    assert.match(second.stderr, /lock/);
    assert.equal(second.stdout, "");
    await stopped(first, "SIGKILL");
    assert.equal((await stopped(await server())).code, 0);
  });

  it("ends with 8 when --existing finds no store, and creates nothing", async () => {
    const { code, stderr } = await runCommand(["server", "--home", home, "--existing", "--broker-port", "0"]);
    assert.equal(code, 8, stderr);
    assert.equal(existsSync(home), false);
  });

  it("ends with 6 when a port is taken, naming the flag that helps", async () => {
    const blocker = await listener();
    const { port } = blocker;
    try {
      const taken = await runCommand([
        ...["server", "--home", home, "--namesrv-port", "0", "--broker-port", String(port)],
      ]);
      assert.equal(taken.code, 6, taken.stderr);
      assert.match(
        taken.stderr,
        new RegExp(`broker cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken.*--broker-port`),
      );
      assert.equal(existsSync(join(home, "abort")), false);
    } finally {
      await blocker.close();
    }
  });

  it("starts without a VIP listener when its port is taken, with a warning, and when it is switched off", async () => {
    const blocker = await listener();
    const [vip, port] = [blocker.port, blocker.port + 2];
    const started = await server("--broker-port", String(port));
    await blocker.close();
    assert.match(started.stderr(), /\(no VIP listener\)/);
    await started.said(new RegExp(`WARN +no VIP listener: its port cannot be listened on port=${vip}`));
    await stopped(started);
    assert.match((await server("--vip-port", "0")).stderr(), /\(no VIP listener\)/);
  });

  it("ends at once with 128 + the signal's number at the second signal", async () => {
    // A NameServer that never answers keeps the broker busy with saying goodbye.
    const silent = await listener();
    const started = await server("--stop-timeout", "600", "-o", `namesrvAddr=127.0.0.1:${silent.port}`);
    started.child.kill("SIGTERM");
    await started.said(/stopping \(SIGTERM\)/);
    started.child.kill("SIGINT");
    const { code } = await started.ended;
    await silent.close();
    assert.equal(code, 130);
    assert.equal(existsSync(join(home, "abort")), true);
  });

  it("ends with 7 and leaves abort when stopping takes longer than --stop-timeout", async () => {
    const started = await server("--stop-timeout", "0");
    const { code, stderr } = await stopped(started);
    assert.equal(code, 7, stderr);
    assert.equal(existsSync(join(home, "abort")), true);
    assert.equal((await stopped(await server())).code, 0);
  });

  it("keeps everything in memory with --store memory and leaves no folder", async () => {
    const started = await server("--store", "memory");
    assert.match(started.stderr(), /^store +in memory$/m);
    assert.match(started.stderr(), /^durability +none/m);
    const sent = await runCommand(["send", "t", "x", "-n", started.namesrv]);
    assert.equal(sent.code, 0, sent.stderr);
    assert.equal((await stopped(started)).code, 0);
    assert.equal(existsSync(home), false);
  });

  // From Node 22.8 on.
  const isOldNode = !("enableCompileCache" in modules);
  it("leaves what Node has compiled for the next start", { skip: isOldNode }, async () => {
    const env = { TMPDIR: join(folder.path, "temporary") };
    mkdirSync(env.TMPDIR);
    const started = await startServer(["--home", home], { env });
    running.add(started);
    assert.equal((await stopped(started)).code, 0);
    assert.notDeepEqual(readdirSync(join(env.TMPDIR, "node-compile-cache")), []);
  });
});

describe("orbitmq namesrv and broker", () => {
  it("run apart, and the broker registers with every NameServer", async () => {
    const nameServers = [
      command("namesrv", "--namesrv-port", "0"),
      command("namesrv", "--namesrv-port", "0"),
    ];
    const addresses = await Promise.all(
      nameServers.map(async (one) => (await one.printed(/^ready namesrv=(\S+)\n/m))[1] as string),
    );
    const broker = command(
      ...["broker", "--home", home, "--broker-port", "0", "--namesrv", addresses.join(";")],
    );
    await broker.printed(/^ready namesrv=\S+;\S+ broker=\S+\n/m);
    const sent = await runCommand(["send", "apart", "x", "-n", addresses[0] as string]);
    assert.equal(sent.code, 0, sent.stderr);
    for (const address of addresses) {
      const route = await runCommand(["topic", "route", "apart", "-n", address, "--json"]);
      assert.equal(route.code, 0, route.stderr);
    }
    assert.equal((await stopped(broker)).code, 0);
    const gone = await runCommand(["topic", "route", "apart", "-n", addresses[0] as string]);
    assert.equal(gone.code, 9, "a broker that stopped is no longer in the route");
    for (const one of nameServers) assert.equal((await stopped(one)).code, 0);
  });

  it("are ready although no NameServer answers, and say so", async () => {
    const env = { NAMESRV_ADDR: "127.0.0.1:1;192.0.2.1:9876" };
    const broker = startCommand(["broker", "--home", home, "--broker-port", "0"], { env });
    running.add(broker);
    await broker.printed(/^ready namesrv=127\.0\.0\.1:1;192\.0\.2\.1:9876 broker=/m);
    assert.match(
      broker.stderr(),
      /^warning +NAMESRV_ADDR: the NameServer 192\.0\.2\.1:9876 will tell everybody/m,
    );
    await broker.said(/no NameServer has taken the registration yet/);
    assert.equal((await stopped(broker)).code, 0);
  });
});
