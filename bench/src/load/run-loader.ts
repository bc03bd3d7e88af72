/** Runs the loader in a process of its own and hands over what it says. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LoaderOptions, LoaderResult } from "./loader.ts";

/** Rejects when the server closes a connection under load. */
export async function runLoader(options: LoaderOptions): Promise<LoaderResult> {
  const loader = join(import.meta.dirname, "loader.ts");
  const args = ["--conditions=orbitmq-source", "--import", "tsx", loader, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as LoaderResult;
}
