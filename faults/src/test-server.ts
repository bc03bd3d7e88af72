/** A server process and its store that end with the test they were made for, however it ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from "orbitmq/testing";

export function temporaryHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), "orbitmq-faults-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Killed at the end of the test unless it has ended by then. Logs warnings only. */
export async function startTestServer(
  t: TestContext,
  home: string,
  { wrapper, options = [] }: Pick<ServerProcessOptions, "wrapper" | "options"> = {},
): Promise<ServerProcess> {
  const server = await startServerProcess({
    home,
    options: ["--log-level", "warn", ...options],
    ...(wrapper === undefined ? {} : { wrapper }),
  });
  t.after(() => server.kill());
  return server;
}
