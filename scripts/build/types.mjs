// Gives a public package its types: walks the declaration files that its doors reach, over the borders of the
// private workspaces, copies them to dist/types/<package>/ and points every import at the copies. What a user
// installs names no package that is not on the registry.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Statements begin a line in what tsc writes; `import("…")` stands anywhere. Examples in comments are neither. */
const IMPORT = /(^(?:import|export)\b[^;"']*?\bfrom\s*|^import\s+|\bimport\(\s*)(["'])([^"']+)\2/gm;

/** Private workspaces by name, and where tsc leaves their declarations. */
function workspaces() {
  const found = new Map();
  for (const name of readdirSync("packages")) {
    const folder = join("packages", name);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { compilerOptions } = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8"));
    found.set(manifest.name, {
      name,
      types: join(folder, compilerOptions.outDir),
      exports: manifest.exports ?? {},
    });
  }
  return found;
}

const declarationOf = (source) => source.replace(/\.ts$/, ".d.ts");

/** `doors`: source files, from the package's folder, whose types the package shows. */
export function copyTypes(folder, doors) {
  const all = workspaces();
  const own = [...all.values()].find(({ types }) => types.startsWith(`${folder}/`));
  const out = join(folder, "dist/types");
  rmSync(out, { recursive: true, force: true });

  const queue = doors.map((door) => ({
    workspace: own,
    path: declarationOf(relative(join(folder, "src"), door)),
  }));
  const done = new Set();
  const place = ({ workspace, path }) => join(out, workspace.name, path);

  const resolveImport = (from, specifier) => {
    if (specifier.startsWith("."))
      return { workspace: from.workspace, path: declarationOf(join(dirname(from.path), specifier)) };
    for (const [name, workspace] of all) {
      if (specifier !== name && !specifier.startsWith(`${name}/`)) continue;
      const door = workspace.exports[specifier === name ? "." : `.${specifier.slice(name.length)}`];
      const source = door?.["orbitmq-source"];
      if (source === undefined) throw new Error(`${from.path}: ${specifier} is not a door of ${name}`);
      return { workspace, path: declarationOf(source.replace(/^\.\/src\//, "")) };
    }
    return undefined;
  };

  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const target = place(file);
    if (done.has(target)) continue;
    done.add(target);
    const text = readFileSync(join(file.workspace.types, file.path), "utf8")
      .replace(/^\/\/# sourceMappingURL=.*$/m, "")
      .replace(IMPORT, (whole, before, quote, specifier) => {
        const imported = resolveImport(file, specifier);
        if (imported === undefined) {
          if (specifier.startsWith("node:")) return whole;
          throw new Error(`${file.path}: types of ${specifier} would have to be installed by the user`);
        }
        queue.push(imported);
        const path = relative(dirname(target), place(imported)).replace(/\.d\.ts$/, ".js");
        return `${before}${quote}${path.startsWith(".") ? path : `./${path}`}${quote}`;
      });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
