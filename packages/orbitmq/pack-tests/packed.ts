/** Builds and packs the two packages as they are published, and makes empty projects that have only these. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const repository = join(import.meta.dirname, "../../..");
/** Where the tools of this suite are installed: outside the projects, which must stay empty. */
export const tools = join(import.meta.dirname, "node_modules");

/** Installs the suite's tools once. */
export function installTools(): void {
  if (!existsSync(join(tools, ".package-lock.json")))
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--workspaces=false"], {
      cwd: import.meta.dirname,
      stdio: "inherit",
    });
}

export interface Tarballs {
  readonly folder: string;
  readonly client: string;
  readonly orbitmq: string;
}

export function packAll(): Tarballs {
  execFileSync(process.execPath, [join(repository, "scripts/build.mjs")], { stdio: "inherit" });
  const folder = mkdtempSync(join(tmpdir(), "orbitmq-pack-"));
  for (const name of ["client", "orbitmq"])
    execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: join(repository, "packages", name, "dist"),
    });
  const find = (prefix: RegExp): string => {
    const name = readdirSync(folder).find((entry) => prefix.test(entry));
    if (name === undefined) throw new Error(`no tarball ${prefix} in ${folder}`);
    return join(folder, name);
  };
  return { folder, client: find(/^orbitmq-client-.*\.tgz$/), orbitmq: find(/^orbitmq-\d.*\.tgz$/) };
}

export interface Project {
  readonly folder: string;
  write(path: string, text: string): void;
  /** Makes a tool of this suite importable in the project. */
  link(name: string): void;
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): RunResult;
  remove(): void;
}

export interface RunResult {
  readonly code: number | null;
  readonly output: string;
}

/** An empty project with `tarballs` installed from themselves alone: npm may ask no registry. */
export function project(manifest: object, tarballs: readonly string[]): Project {
  const folder = mkdtempSync(join(tmpdir(), "orbitmq-project-"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const run = (
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): RunResult => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: folder,
      encoding: "utf8",
      timeout: 120_000,
      env: { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined, ...env },
    });
    if (error !== undefined) throw error;
    return { code: status, output: `${stdout}${stderr}` };
  };
  write(
    "package.json",
    JSON.stringify({ name: "somebodys-project", version: "1.0.0", private: true, ...manifest }),
  );
  const install = run("npm", [
    "install",
    "--offline",
    "--no-audit",
    "--no-fund",
    "--cache",
    join(folder, ".npm"),
    ...tarballs,
  ]);
  if (install.code !== 0) throw new Error(`npm install failed:\n${install.output}`);
  return {
    folder,
    write,
    run,
    link: (name) => {
      const at = join(folder, "node_modules", name);
      mkdirSync(dirname(at), { recursive: true });
      if (!existsSync(at)) symlinkSync(join(tools, name), at);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
