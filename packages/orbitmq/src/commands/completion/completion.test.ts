/** Completion as a shell does it: the scripts are run, not read. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { FakeTerminal } from "../../testing/fake-terminal.ts";
import { runInProcess } from "../../testing/run-in-process.ts";
import { allCommands, commandTree } from "../command-tree.ts";
import { program } from "../program.ts";

const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;
const scriptOf = async (shell: string): Promise<string> => (await runInProcess(["completion", shell])).stdout;

/** What bash offers for the last word of each line. */
async function offered(...lines: string[]): Promise<string[][]> {
  const asks = lines.map((line) => {
    const words = line.split(" ");
    const quoted = words.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _orbitmq; echo "\${COMPREPLY[*]}"`;
  });
  const script = `${await scriptOf("bash")}\n${asks.join("\n")}\n`;
  const { stdout, stderr, status } = spawnSync("bash", ["--norc"], { input: script, encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout
    .split("\n")
    .slice(0, lines.length)
    .map((line) => line.split(" ").filter(Boolean));
}

describe("completion", { skip: has("bash") ? false : "no bash here" }, () => {
  it("offers commands, those below them, and flags of the one the words have led to", async () => {
    const [top, below, deeper, flags, choice, argument] = await offered(
      "orbitmq co",
      "orbitmq topic cr",
      "orbitmq broker config s",
      "orbitmq topic create --q",
      "orbitmq topic create t --perm r",
      "orbitmq completion f",
    );
    assert.deepEqual(top, ["consume", "consumer", "config", "completion"]);
    assert.deepEqual(below, ["create"]);
    assert.deepEqual(deeper, ["show", "set"]);
    assert.deepEqual(flags, ["--queues"]);
    assert.deepEqual(choice, ["r", "rw"]);
    assert.deepEqual(argument, ["fish"]);
  });

  it("takes the value of a flag for no command, and leaves values it does not know to the shell", async () => {
    const [skipped, value] = await offered("orbitmq broker --cluster list --exi", "orbitmq topic list -n ");
    assert.deepEqual(skipped, ["--existing"]);
    assert.deepEqual(value, []);
  });

  it("knows every command there is", async () => {
    const commands = allCommands(commandTree(program(new FakeTerminal(), () => {})));
    const leaves = commands.filter(({ path }) => path.length > 0);
    const lines = leaves.map(({ path }) => ["orbitmq", ...path].join(" "));
    const found = await offered(...lines);
    for (const [index, { path }] of leaves.entries()) assert.ok(found[index]?.includes(path.at(-1) ?? ""));
  });
});

it("a shell that is not known is a mistake of the caller's", async () => {
  const { code, stderr } = await runInProcess(["completion", "tcsh"]);
  assert.equal(code, 2);
  assert.match(stderr, /Allowed choices are bash, zsh, fish/);
});

for (const [shell, flag] of [
  ["zsh", "-n"],
  ["fish", "-n"],
] as const) {
  it(`the script for ${shell} is one that ${shell} can read`, {
    skip: has(shell) ? false : `no ${shell} here`,
  }, async () => {
    const { status, stderr } = spawnSync(shell, [flag], { input: await scriptOf(shell), encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
  });

  it(`the script for ${shell} names every command and flag, and closes every quote`, async () => {
    const script = await scriptOf(shell);
    for (const { path, options } of allCommands(commandTree(program(new FakeTerminal(), () => {})))) {
      assert.ok(script.includes(`'${path.join("/")}'`) || path.length === 0, path.join(" "));
      for (const { names } of options)
        for (const name of names) assert.ok(script.includes(name.replace(/^-+/, "")), name);
    }
    const open = script.replaceAll(shell === "zsh" ? "'\\''" : "\\'", "").split("'").length - 1;
    assert.equal(open % 2, 0);
  });
}
