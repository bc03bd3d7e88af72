/** The README's quick start, as a test: both services at work, the server killed in the middle, nothing missing. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";

const example = join(import.meta.dirname, "..");
const repository = join(example, "../..");
const orders = join(example, "orders.jsonl");
const paid = readFileSync(orders, "utf8").match(/"status": ?"PAID"/g)?.length ?? 0;

let folder: string;
const children = new Set<ChildProcess>();

before(() => {
  execFileSync(process.execPath, [join(repository, "scripts/build.mjs"), "--if-stale"], { stdio: "ignore" });
  folder = mkdtempSync(join(tmpdir(), "orbitmq-example-"));
});

after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

interface Program {
  readonly child: ChildProcess;
  /** Resolves with the match when stdout or stderr has it; rejects when the program ended before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has said so at least so many times. */
  saidTimes(words: string, count: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, args, { cwd: repository, env: { ...process.env, ...env } });
  children.add(child);
  let text = "";
  const checks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (const check of checks) check();
    });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const until = <T>(find: () => T | undefined, what: string) =>
    new Promise<T>((resolve, reject) => {
      const check = () => {
        const found = find();
        if (found === undefined) return;
        checks.delete(check);
        resolve(found);
      };
      checks.add(check);
      void ended.then((code) => reject(new Error(`ended with ${code} before it said ${what}:\n${text}`)));
      check();
    });
  const said = (pattern: RegExp) => until(() => pattern.exec(text) ?? undefined, String(pattern));
  const saidTimes = async (words: string, count: number) => {
    await until(() => text.split(words).length > count || undefined, `${count} times ${words}`);
  };
  return { child, said, saidTimes, ended };
}

const server = (ports: readonly [string, string]) =>
  run([
    join(repository, "packages/orbitmq/bin/orbitmq.mjs"),
    ...["server", "--home", join(folder, "store"), "--namesrv-port", ports[0], "--broker-port", ports[1]],
  ]);
const service = (file: string, args: readonly string[], env?: Readonly<Record<string, string>>) =>
  run(["--import", "tsx", join(example, "src", file), ...args], env);

it("every paid order earns exactly one red packet although the server is killed in the middle", async () => {
  const packets = join(folder, "red-packets.jsonl");
  const first = server(["0", "0"]);
  const [, namesrv, namesrvPort, brokerPort] = (await first.said(
    /^ready namesrv=(\S+:(\d+)) broker=\S+:(\d+)$/m,
  )) as unknown as [string, string, string, string];

  const redPackets = service("red-packet-service.ts", [packets, namesrv]);
  const orderService = service("order-service.ts", [orders, namesrv], { ORDERS_PER_SECOND: "200" });
  await orderService.said(new RegExp(`^${Math.floor(paid / 3)}/${paid} `, "m"));
  first.child.kill("SIGKILL");
  await first.ended;

  const second = server([namesrvPort, brokerPort]);
  await second.said(/^ready /m);
  assert.equal(await orderService.ended, 0);
  await redPackets.said(new RegExp(`\\(${paid} so far\\)`));
  // The order service loses its memory and sends everything once more.
  const again = service("order-service.ts", [orders, namesrv], { ORDERS_PER_SECOND: "0" });
  assert.equal(await again.ended, 0);
  await redPackets.saidTimes("seen before", paid);
  redPackets.child.kill("SIGTERM");
  assert.equal(await redPackets.ended, 0);

  const compare = spawnSync(
    process.execPath,
    ["--import", "tsx", join(example, "src/compare.ts"), orders, packets],
    { cwd: repository, encoding: "utf8" },
  );
  assert.equal(compare.stdout, `${paid} paid orders, ${paid} red packets, 0 missing, 0 wrong or double\n`);
  second.child.kill("SIGTERM");
  assert.equal(await second.ended, 0);
});
