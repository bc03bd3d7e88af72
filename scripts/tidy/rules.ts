/**
 * The house rules that can be checked by a machine. Each rule is a function from one source file to findings;
 * a finding names the replacement.
 */
import { isTest, roomOf } from "./packages.ts";
import { type Finding, lineAt, type Source } from "./source.ts";

export type Rule = (source: Source) => Finding[];

/** Files of facts rather than code may be as long as the facts. */
const TABLES = /\/(request-code|response-code|config-keys|broker-keys)\.ts$/;
const LINES_MAX = 700;

const AMBIENT: readonly (readonly [RegExp, string, string])[] = [
  [/\bDate\b(?=\s*[.(])|\bnew Date\b/g, "Date", "host.clock.wallMs()"],
  [/\bperformance\b\s*\./g, "performance", "host.clock.monotonicMs()"],
  [/\bMath\s*\.\s*random\b/g, "Math.random", "host.random"],
  [/(?<![.\w])(setTimeout|setInterval|setImmediate)\b/g, "setTimeout", "host.timers"],
  [/(?<![.\w])queueMicrotask\b/g, "queueMicrotask", "host.timers.afterTurn"],
  [/\bprocess\s*\.\s*nextTick\b/g, "process.nextTick", "host.timers.afterTurn"],
  [/(?<![.\w])process\s*\.(?!\s*nextTick\b)/g, "process", "host.process, or an option"],
  [/\bAbortSignal\s*\.\s*timeout\b/g, "AbortSignal.timeout", "host.timers"],
  [/(?<![.\w])(crypto)\s*\.\s*(random|get)/g, "crypto.random", "host.random"],
  [/(?<![.\w])(fetch|WebSocket|navigator)\s*[.(]/g, "fetch", "host.network"],
  [/(?<![.\w])console\s*\./g, "console", "the logger, or stdout of a command"],
];

const find = (source: Source, pattern: RegExp, message: string): Finding[] =>
  [...source.code.matchAll(pattern)].map((match) => ({
    path: source.path,
    line: lineAt(source.code, match.index),
    message,
  }));

export const noAmbientMachine: Rule = (source) => {
  const room = roomOf(source.path);
  if (room === undefined || room.ambient === true || isTest(source.path)) return [];
  const allowed = room.ambient === false ? [] : room.ambient;
  return AMBIENT.filter(([, name]) => !allowed.includes(name)).flatMap(([pattern, name, instead]) =>
    find(source, pattern, `${name} is the machine's; use ${instead}`),
  );
};

export const importsPointDown: Rule = (source) => {
  const room = roomOf(source.path);
  if (room === undefined)
    return [{ path: source.path, line: 1, message: "no room in scripts/tidy/packages.ts covers this file" }];
  const own = /^packages\/([^/]+)\//.exec(source.path)?.[1];
  const findings: Finding[] = [];
  for (const { specifier, line } of source.imports) {
    const refuse = (message: string) => findings.push({ path: source.path, line, message });
    if (specifier.startsWith("node:")) {
      if (isTest(source.path) || room.modules.includes("*") || room.modules.includes(specifier)) continue;
      refuse(`${specifier} is not for ${room.folder}; ask the host`);
    } else if (
      specifier.startsWith("@orbitmq/") ||
      specifier === "orbitmq" ||
      specifier.startsWith("orbitmq/")
    ) {
      if (isTest(source.path) || room.packages.includes(specifier)) continue;
      if (own !== undefined && specifier === `@orbitmq/${own}`)
        refuse("import the file, not the own package");
      else refuse(`${room.folder} may not import ${specifier} (see scripts/tidy/packages.ts)`);
    } else if (specifier.startsWith(".") && !/\.(ts|mjs|json)$/.test(specifier)) {
      refuse(`${specifier}: relative imports name the file, with .ts`);
    } else if (specifier.startsWith("../")) {
      const parts = source.path.split("/").slice(0, -1);
      for (const step of specifier.split("/")) {
        if (step === "..") parts.pop();
        else if (step !== ".") parts.push(step);
      }
      const target = /^packages\/([^/]+)\//.exec(parts.join("/"))?.[1];
      if (target !== own && !isTest(source.path))
        refuse(`${specifier} leaves the package; import it by name`);
    }
  }
  return findings;
};

export const notTooLong: Rule = (source) => {
  const lines = source.text.split("\n").length - 1;
  if (lines <= LINES_MAX || TABLES.test(source.path)) return [];
  return [
    {
      path: source.path,
      line: LINES_MAX,
      message: `${lines} lines; split it by noun (at most ${LINES_MAX})`,
    },
  ];
};

export const opensWithWhy: Rule = (source) =>
  /^(#!.*\n)?(\/\*\*?|\/\/)/.test(source.text) || isTest(source.path)
    ? []
    : [{ path: source.path, line: 1, message: "open the file with a paragraph saying why it exists" }];

export const noLeftovers: Rule = (source) => {
  const marks = /\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/g;
  return [...source.text.matchAll(marks)].map((match) => ({
    path: source.path,
    line: lineAt(source.text, match.index),
    message: `${match[0]}: do it, or write it into the issue tracker`,
  }));
};

export const explicitExports: Rule = (source) => [
  ...find(source, /^export \*/gm, "export names, not *"),
  ...find(source, /^export default\b/gm, "export a name, not a default"),
];

export const noSilentCatch: Rule = (source) =>
  isTest(source.path)
    ? []
    : [
        ...find(
          source,
          /\bcatch\s*(\([^)]*\))?\s*\{\s*\}/g,
          "an empty catch hides a failure: handle, log or say why",
        ),
        ...find(
          source,
          /\.catch\(\s*\(\w*\)\s*=>\s*(\{\s*\}|undefined|null)\s*\)/g,
          "a silent catch hides a failure",
        ),
      ];

export const testsRun: Rule = (source) =>
  isTest(source.path)
    ? [
        ...find(source, /\b(it|test|describe)\.(only|todo)\b/g, "a narrowed suite passes by not running"),
        ...find(
          source,
          /\bnew Promise\(\s*\(?\w+\)?\s*=>\s*setTimeout\(\s*\w+\s*,/g,
          "wait for the event, not for time",
        ),
      ]
    : [];

export const rules: readonly Rule[] = [
  noAmbientMachine,
  importsPointDown,
  notTooLong,
  opensWithWhy,
  noLeftovers,
  explicitExports,
  noSilentCatch,
  testsRun,
];
