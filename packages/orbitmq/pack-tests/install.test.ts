import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { installTools, type Project, packAll, project, type Tarballs, tools } from "./packed.ts";

let tarballs: Tarballs;
const projects: Project[] = [];
const made = (manifest: object): Project => {
  const one = project(manifest, [tarballs.client, tarballs.orbitmq]);
  projects.push(one);
  return one;
};

before(() => {
  installTools();
  tarballs = packAll();
});

after(() => {
  for (const one of projects) one.remove();
  if (tarballs !== undefined) rmSync(tarballs.folder, { recursive: true, force: true });
});

/** What a user's first test does: server in memory, consumer first, one message there and back. */
const ROUND_TRIP = `
  const mq = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 });
  const consumer = new PushConsumer({ namesrv: mq.namesrvAddr, group: "g", from: "first" });
  const received = new Promise((resolve) => consumer.listen("greetings", (message) => { resolve(message.text()); }));
  await consumer.start();
  const producer = new Producer({ namesrv: mq.namesrvAddr });
  await producer.start();
  const { status } = await producer.send({ topic: "greetings", body: "hello" });
  const text = await received;
  const refused = await producer.send({ topic: "not a topic", body: "x" }).catch((error) => error);
  await producer.shutdown();
  await consumer.shutdown();
  await mq.stop();
  const result = [status, text, refused instanceof OrbitError].join(" ");
`;
const EXPECTED = "SEND_OK hello true";

/** Exit code 0, and the output says so. */
const passed = ({ code, output }: { code: number | null; output: string }, pattern: RegExp | string) => {
  assert.equal(code, 0, output);
  if (typeof pattern === "string") assert.ok(output.includes(pattern), output);
  else assert.match(output, pattern);
};

describe("the packed packages, in an empty project", () => {
  it("run from an ES module, and the process ends by itself after stop()", () => {
    const one = made({ type: "module" });
    one.write(
      "main.js",
      `import { OrbitError, Producer, PushConsumer } from "@orbitmq/client";
       import { start } from "orbitmq";
       ${ROUND_TRIP}
       console.log(result);`,
    );
    passed(one.run(process.execPath, ["main.js"]), EXPECTED);
  });

  it("run from CommonJS by require(), with the same classes as by import", () => {
    const one = made({});
    one.write(
      "main.js",
      `const client = require("@orbitmq/client");
       const { OrbitError, Producer, PushConsumer } = client;
       const { start, ServerError } = require("orbitmq");
       (async () => {
         ${ROUND_TRIP}
         const same = (await import("@orbitmq/client")).OrbitError === OrbitError;
         const sameServer = (await import("orbitmq")).ServerError === ServerError;
         console.log(result, same, sameServer);
       })();`,
    );
    passed(one.run(process.execPath, ["main.js"]), `${EXPECTED} true true`);
  });

  it("share a clock that is moved by hand, although each has its own copy of what is below", () => {
    const one = made({ type: "module" });
    one.write(
      "main.js",
      `import { Producer, PushConsumer } from "@orbitmq/client";
       import { start } from "orbitmq";
       const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
       const consumer = new PushConsumer({ ...mq.clientOptions, group: "g", from: "first" });
       const closed = [];
       consumer.listen("close-order", (message) => void closed.push(message.text()));
       await consumer.start();
       const producer = new Producer({ ...mq.clientOptions });
       await producer.start();
       await producer.send({ topic: "close-order", body: "7", delayLevel: 16 });
       await mq.advance(30 * 60_000 - 1);
       const before = closed.length;
       await mq.advance(1);
       console.log(before, closed.join());
       await producer.shutdown();
       await consumer.shutdown();
       await mq.stop();`,
    );
    passed(one.run(process.execPath, ["main.js"]), "0 7");
  });

  for (const [kind, manifest, file] of [
    ["ES module", { type: "module" }, "main.ts"],
    ["CommonJS", {}, "main.ts"],
  ] as const)
    it(`type-check under nodenext from ${kind}, library declarations included`, () => {
      const one = made(manifest);
      one.write(
        file,
        `import { json, type Message, OrbitError, Producer, PushConsumer, type SendResult, topic } from "@orbitmq/client";
         import { type ManualOrbitMQ, type OrbitMQ, ServerError, start } from "orbitmq";
         interface Order { readonly id: string; readonly cents: number }
         const orders = topic("orders", json<Order>());
         export async function main(): Promise<number> {
           const mq: OrbitMQ = await start({ store: "memory", namesrvPort: 0, brokerPort: 0 });
           const manual: ManualOrbitMQ = await start({ store: "memory", clock: "manual" });
           await manual.advance(1);
           // @ts-expect-error time cannot be moved without clock: "manual"
           await mq.advance(1);
           const producer = new Producer({ ...manual.clientOptions });
           const result: SendResult = await producer.send({ topic: orders, value: { id: "1", cents: 2 } });
           // @ts-expect-error the topic's type is Order
           await producer.send({ topic: orders, value: { id: 1 } });
           const plain: Message = { topic: "t", body: "b" };
           await producer.send(plain);
           const consumer = new PushConsumer({ group: "g" });
           consumer.listen(orders, (message) => { const cents: number = message.value.cents; void cents; });
           try { await mq.stop(); } catch (error) {
             if (error instanceof ServerError) return error.exitCode;
             if (error instanceof OrbitError) return error.retriable ? 1 : 2;
           }
           return result.queueOffset;
         }`,
      );
      one.write(
        "tsconfig.json",
        JSON.stringify({
          compilerOptions: {
            module: "nodenext",
            target: "es2022",
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: false,
            noEmit: true,
            types: ["node"],
            typeRoots: [join(tools, "@types")],
          },
          files: [file],
        }),
      );
      passed(one.run(process.execPath, [join(tools, "typescript/bin/tsc"), "-p", "."]), "");
    });

  it("run under Vitest without configuration", () => {
    const one = made({ type: "module" });
    one.link("vitest");
    one.write(
      "queue.test.ts",
      `import { OrbitError, Producer, PushConsumer } from "@orbitmq/client";
       import { start } from "orbitmq";
       import { expect, it } from "vitest";
       it("receives what it sent", async () => { ${ROUND_TRIP} expect(result).toBe("${EXPECTED}"); });`,
    );
    passed(one.run(process.execPath, [join(tools, "vitest/vitest.mjs"), "run"]), /1 passed/);
  });

  it("run under Jest by the recipe in the README", () => {
    const one = made({ type: "module" });
    one.write(
      "queue.test.js",
      `import { OrbitError, Producer, PushConsumer } from "@orbitmq/client";
       import { start } from "orbitmq";
       it("receives what it sent", async () => { ${ROUND_TRIP} expect(result).toBe("${EXPECTED}"); });`,
    );
    const jest = one.run(process.execPath, [join(tools, "jest/bin/jest.js")], {
      NODE_OPTIONS: "--experimental-vm-modules",
    });
    passed(jest, /1 passed/);
  });

  it("give the command, which sends and consumes", () => {
    const one = made({});
    passed(one.run("npx", ["--no-install", "orbitmq", "--version"]), /^\d+\.\d+\.\d+$/m);
    passed(one.run("npx", ["--no-install", "orbitmq", "server", "--help"]), /--broker-port/);
  });

  it("bring nothing along: no dependencies, no workspaces, no sources", () => {
    const one = made({});
    const { output: listed } = one.run("npm", ["ls", "--all", "--parseable", "--loglevel", "error"]);
    const installed = listed.split("\n").filter((path) => path.includes("node_modules"));
    assert.deepEqual(installed.map((path) => path.replace(/^.*node_modules\//, "")).sort(), [
      "@orbitmq/client",
      "orbitmq",
    ]);
    const { output } = one.run("grep", [
      "-rlE",
      "[\"']@orbitmq/(host|wire|store|broker|nameserver)",
      "node_modules",
    ]);
    assert.deepEqual(
      output.split("\n").filter((path) => path.endsWith(".d.ts") || path.endsWith("package.json")),
      [],
    );
  });
});

describe("the packed packages, by the tools that judge packages", () => {
  for (const name of ["client", "orbitmq"] as const) {
    it(`${name}: publint finds nothing`, () => {
      const one = made({});
      const { code, output } = one.run(process.execPath, [
        join(tools, "publint/src/cli.js"),
        "--strict",
        tarballs[name],
      ]);
      assert.equal(code, 0, output);
      assert.match(output, /All good/);
    });

    it(`${name}: are-the-types-wrong finds nothing (esm-only)`, () => {
      const one = made({});
      const attw = join(tools, "@arethetypeswrong/cli/dist/index.js");
      passed(one.run(process.execPath, [attw, tarballs[name], "--profile", "esm-only"]), "🟢");
    });
  }
});
