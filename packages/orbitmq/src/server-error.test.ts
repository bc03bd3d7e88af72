import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { exitCodeFor } from "./commands/failure.ts";
import { ServerError, serverErrors } from "./server-error.ts";

const docs = join(import.meta.dirname, "../../../docs");
const read = (name: string) => readFileSync(join(docs, name), "utf8");

describe("exit codes", () => {
  it("are documented as they are", () => {
    const rows = [...read("exit-codes.md").matchAll(/^\| (\d+) \| ([A-Z_]+) \| (yes|no) \| (.*) \|$/gm)].map(
      ([, code, name, restart, meaning]) => [name, [Number(code), restart === "yes", meaning]],
    );
    assert.deepEqual(Object.fromEntries(rows), serverErrors);
  });

  it("tell systemd not to restart where a restart cannot help", () => {
    const prevented = /^RestartPreventExitStatus=(.*)$/m
      .exec(read("orbitmq.service"))?.[1]
      ?.split(" ")
      .map(Number);
    const hopeless = new Set(
      Object.values(serverErrors)
        .filter(([, restartable]) => !restartable)
        .map(([code]) => code),
    );
    assert.deepEqual(
      prevented,
      [...hopeless].sort((a, b) => a - b),
    );
  });

  it("follow the error that ended the command", () => {
    assert.equal(exitCodeFor(new ServerError("STORE_DAMAGED", "x")), 4);
    assert.equal(exitCodeFor(new Error("x")), 1);
    const refused = { name: "OrbitError", outcome: "refused", hint: "", attempts: 1 };
    assert.equal(exitCodeFor(Object.assign(new Error("x"), refused, { code: "TIMEOUT" })), 9);
    assert.equal(exitCodeFor(Object.assign(new Error("x"), refused, { code: "MESSAGE_INVALID" })), 2);
  });
});
