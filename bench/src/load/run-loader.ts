/** The loader in a process of its own. */
import type { LoaderOptions, LoaderResult } from "./loader.ts";
import { type Running, runProcess, startProcess } from "./run-process.ts";

/** Rejects when the server closes a connection under load. */
export function runLoader(options: LoaderOptions): Promise<LoaderResult> {
  return runProcess<LoaderResult>("loader.ts", options);
}

/** Runs until told, when its options say so. */
export function startLoader(options: LoaderOptions): Running<LoaderResult> {
  return startProcess<LoaderResult>("loader.ts", options);
}
