/**
 * The tables of docs/client.md: every option of the client with its type, default and unit, read from the interfaces
 * and defaults of packages/client. The text around the tables is written by hand; a table stands between
 * `<!-- options: NAME -->` and `<!-- end -->`.
 *
 * A docstring says its default as `Default VALUE (rocketmqName).`; where the sources have the value as a constant, too,
 * the two must agree.
 */

export interface Option {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: string;
  readonly description: string;
  /** As the docstring has it; "" when it says none. */
  readonly fallback: string;
  /** What RocketMQ's clients call it; "" when the docstring names nothing. */
  readonly rocketmq: string;
}

/** Text of a source file by its path in packages/client/src. */
export type Sources = ReadonlyMap<string, string>;

interface Declaration {
  readonly heritage: string;
  readonly body: string;
}

function declarationOf(sources: Sources, name: string): Declaration {
  for (const text of sources.values()) {
    const found = new RegExp(`^export interface ${name}\\b([^{]*)\\{\\n([\\s\\S]*?)^\\}`, "m").exec(text);
    if (found !== null) return { heritage: found[1] ?? "", body: found[2] ?? "" };
  }
  throw new Error(`packages/client has no interface ${name}`);
}

/** The options that `name` declares itself, and those it picks from another; not those it inherits as a whole. */
export function optionsOf(sources: Sources, name: string): Option[] {
  const { heritage, body } = declarationOf(sources, name);
  const picks = /Pick<\s*(\w+),([^>]*)>/.exec(heritage);
  const picked =
    picks === null
      ? []
      : optionsOf(sources, picks[1] ?? "").filter((option) => picks[2]?.includes(`"${option.name}"`));
  const member = /^ {2}(?:\/\*\*([\s\S]*?)\*\/\n {2})?readonly (\w+)(\??): ([\s\S]*?);\n/gm;
  const own = [...body.matchAll(member)].map(([, doc = "", option = "", optional = "", type = ""]) => ({
    name: option,
    isRequired: optional === "",
    type: typeText(type),
    ...docText(doc),
  }));
  return [...picked, ...own];
}

function typeText(type: string): string {
  return type
    .replace(/\s+/g, " ")
    .replace(/ \| undefined$/, "")
    .replace(/^\((.*)\)$/, "$1");
}

/** Takes `Default …` out of a docstring. */
function docText(doc: string): Pick<Option, "description" | "fallback" | "rocketmq"> {
  const text = doc
    .replace(/^\s*\* ?/gm, " ")
    .replace(/\s+/g, " ")
    .trim();
  const found = /(^|[.;:] )[Dd]efault:? ([\s\S]*?)\.(?= |$)/.exec(text);
  if (found === null) return { description: text, fallback: "", rocketmq: "" };
  const [whole, before = "", said = ""] = found;
  const named = / \(([a-z]\w*)(?:, ([^)]*))?\)/.exec(said);
  const note = named?.[2] === undefined ? "" : ` (${named[2]})`;
  const rest =
    text.slice(0, found.index) + (before === "" ? "" : ".") + text.slice(found.index + whole.length);
  const description = rest.trim().replace(/[;:]$/, ".");
  return {
    description: description === "" || /[.)]$/.test(description) ? description : `${description}.`,
    fallback: named === null ? said : said.replace(named[0], note),
    rocketmq: named?.[1] ?? "",
  };
}

/** Numbers among the constants of the `…Defaults` objects, by option. */
export function defaultNumbers(sources: Sources): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const text of sources.values())
    for (const [, body = ""] of text.matchAll(/^export const \w+Defaults = \{\n([\s\S]*?)^\} as const/gm))
      for (const [, name = "", product = ""] of body.matchAll(/^ {2}(\w+): ([\d_ *]+),$/gm))
        numbers.set(
          name,
          product.split("*").reduce((value, factor) => value * Number(factor.replaceAll("_", "").trim()), 1),
        );
  return numbers;
}

const SIZES: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** The number a default begins with: 32,768, 4 MiB. */
function numberOf(fallback: string): number | undefined {
  const found = /^(-?[\d,]*\d)(?: (KiB|MiB|GiB))?/.exec(fallback);
  if (found === null) return undefined;
  return Number(found[1]?.replaceAll(",", "")) * (SIZES[found[2] ?? ""] ?? 1);
}

/** What is wrong with the options' docstrings. */
export function problemsOf(options: readonly Option[], numbers: ReadonlyMap<string, number>): string[] {
  const problems: string[] = [];
  for (const { name, description, fallback } of options) {
    if (description === "" && fallback === "") problems.push(`${name} has no docstring`);
    const said = numberOf(fallback);
    const isSo = numbers.get(name);
    if (isSo !== undefined && fallback !== "" && said !== isSo)
      problems.push(`${name}: the docstring says ${fallback}, the constant ${isSo}`);
  }
  return problems;
}

function unitOf(name: string, fallback: string): string {
  if (!/\d/.test(fallback) || / (KiB|MiB|GiB)/.test(fallback)) return "";
  if (/Ms$/.test(name)) return " ms";
  return /Bytes(Max)?(ForQueue)?$/.test(name) ? " bytes" : "";
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** `3000 ms` of `3000; …`: the unit belongs to the number at the front. */
function defaultText({ name, isRequired, fallback }: Option): string {
  if (isRequired) return "required";
  const unit = unitOf(name, fallback);
  return cell(unit === "" ? fallback : fallback.replace(/^[\d, ]*\d/, (number) => number + unit));
}

export function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => {
    const { name, type, description, rocketmq } = option;
    return `| \`${name}\` | \`${cell(type)}\` | ${defaultText(option)} | ${rocketmq && `\`${rocketmq}\``} | ${cell(description)} |`;
  });
  return ["| option | type | default | RocketMQ | |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** The page with every table written anew. Throws when a docstring is missing or wrong. */
export function withTables(page: string, sources: Sources): string {
  const numbers = defaultNumbers(sources);
  return page.replace(
    /(<!-- options: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, head: string, name: string, end: string) => {
      const options = optionsOf(sources, name);
      const problems = problemsOf(options, numbers);
      if (options.length === 0) problems.push("no options found");
      if (problems.length > 0) throw new Error(`${name}: ${problems.join("; ")}`);
      return `${head}${optionTable(options)}\n${end}`;
    },
  );
}
