/** A server that is configured while it runs, and started again. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { nodeHost } from "@orbitmq/host/node";
import { RpcClient } from "@orbitmq/wire";
import { type OrbitMQ, start } from "./start.ts";

it("what is changed counts at once, and after a restart", async () => {
  const home = mkdtempSync(join(tmpdir(), "orbitmq-runtime-"));
  const client = new RpcClient(nodeHost());
  const ask = (address: string, code: number, body = "", ext: Record<string, string | number> = {}) =>
    new Promise<{ code: number; remark: string | undefined; body: string }>((resolve, reject) => {
      const header = (sink: { put(name: string, value: string): void }) => {
        for (const [name, value] of Object.entries(ext)) sink.put(name, String(value));
      };
      client.request(address, { code, header, body: [Buffer.from(body)] }, 10_000, (error, answer) => {
        if (answer === undefined) reject(error);
        else {
          const { code, remark } = answer;
          resolve({ code, remark, body: Buffer.from(answer.body).toString() });
        }
      });
    });
  const send = async (address: string) =>
    (await ask(address, 310, "hello", { a: "p", b: "orders", c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0 }))
      .code;
  /** NameServers hear of it a moment later. */
  const routes = async (address: string, perm: number): Promise<void> => {
    while (!(await ask(address, 105, "", { topic: "orders" })).body.includes(`"perm":${perm},`));
  };
  const options = { home, namesrvPort: 0, brokerPort: 0, vipPort: 0 } as const;
  const started: OrbitMQ[] = [];
  const startOne = async () => {
    const server = await start(options);
    started.push(server);
    return server;
  };
  try {
    const first = await startOne();
    assert.equal(await send(first.brokerAddr), 0);
    assert.equal((await ask(first.brokerAddr, 25, "maxMessageSize=4\ndiskMaxUsedSpaceRatio=80")).code, 0);
    assert.equal(await send(first.brokerAddr), 13);
    assert.equal((await ask(first.brokerAddr, 25, "brokerPermission=4")).code, 0);
    await routes(first.namesrvAddr, 4);
    assert.equal((await ask(first.brokerAddr, 25, "listenPort=1")).code, 29);
    assert.match((await ask(first.brokerAddr, 26)).body, /^brokerPermission=4$/m);
    assert.equal((await ask(first.namesrvAddr, 318, "enableAllTopicList=false")).code, 0);
    assert.equal((await ask(first.namesrvAddr, 206)).code, 1);
    assert.match((await ask(first.namesrvAddr, 319)).body, /^enableAllTopicList=false$/m);
    await first.stop();

    const second = await startOne();
    assert.equal(await send(second.brokerAddr), 13);
    await routes(second.namesrvAddr, 4);
    assert.equal((await ask(second.namesrvAddr, 206)).code, 1);
    assert.equal((await ask(second.brokerAddr, 25, "brokerPermission=6\nmaxMessageSize=9")).code, 0);
    await routes(second.namesrvAddr, 6);
    assert.equal(await send(second.brokerAddr), 0);
    await second.stop();
  } finally {
    client.stop();
    await Promise.all(started.map((server) => server.stop()));
    rmSync(home, { recursive: true });
  }
});
