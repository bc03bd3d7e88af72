#!/usr/bin/env node
/** The command `orbitmq`: reads the command line, runs one command, and turns what happened into an exit code. */
import * as modules from "node:module";
import { CommanderError } from "commander";
import { exitCodeFor, explain } from "./commands/failure.ts";
import { program } from "./commands/program.ts";
import { processTerminal } from "./terminal.ts";

// From 22.8 on Node keeps what it has compiled, a good part of a server's start, for the next one. The type definitions
// of the oldest Node supported do not know it yet.
(modules as { readonly enableCompileCache?: () => unknown }).enableCompileCache?.();

async function main(): Promise<number> {
  const terminal = processTerminal();
  let exitCode = 0;
  try {
    await program(terminal, (code) => {
      exitCode = code;
    }).parseAsync(process.argv);
    return exitCode;
  } catch (error) {
    // Commander has said what is wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    terminal.err(explain(error));
    return exitCodeFor(error);
  }
}

// No top-level await: the bundle stays loadable by require(). Streams to files and pipes are written by now.
main().then((code) => process.exit(code));
