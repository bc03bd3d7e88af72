/**
 * Reads the text of a `broker.conf`: the format of java.util.Properties, which RocketMQ's own files are written
 * in, with the line number of every entry kept so that an error can name it.
 *
 *   logical line  = natural lines joined where one ends in an odd number of backslashes
 *                   (the leading white space of the next one is dropped)
 *   comment       = natural line whose first non-white character is # or !  (never continued)
 *   entry         = key [white] [= | :] [white] value          white = space, tab, form feed
 *   escapes       = \t \n \r \f \uXXXX; any other escaped character is itself
 *
 * Two differences from Java, both in docs/differences.md: bytes are read as UTF-8 (Java: ISO-8859-1; bytes that
 * are not UTF-8 still are), and white space at the end of a value is dropped.
 */
import { ServerError } from "../server-error.ts";

export interface PropertyEntry {
  readonly key: string;
  readonly value: string;
  /** Counted from 1; where the entry begins. */
  readonly line: number;
}

const isWhite = (char: string | undefined): boolean => char === " " || char === "\t" || char === "\f";

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let open: { text: string; line: number } | undefined;
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, "");
    if (open === undefined && (content === "" || content.startsWith("#") || content.startsWith("!")))
      continue;
    open ??= { text: "", line: index + 1 };
    const backslashes = /\\*$/.exec(content)![0].length;
    if (backslashes % 2 === 1) {
      open.text += content.slice(0, -1);
    } else {
      lines.push({ text: open.text + content, line: open.line });
      open = undefined;
    }
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

function unescaped(raw: string, where: string): string {
  return raw.replace(/\\(u[0-9a-fA-F]{4}|u|[^u])/g, (_, char: string) => {
    if (char === "u")
      throw new ServerError("CONFIG_INVALID", `${where}: \\u must be followed by four hexadecimal digits`);
    if (char.startsWith("u")) return String.fromCharCode(Number.parseInt(char.slice(1), 16));
    return { t: "\t", n: "\n", r: "\r", f: "\f" }[char] ?? char;
  });
}

/** Where the key ends: the first white space or separator that is not escaped. */
function endOfKey(text: string): number {
  let at = 0;
  while (at < text.length && !isWhite(text[at]) && text[at] !== "=" && text[at] !== ":")
    at += text[at] === "\\" ? 2 : 1;
  return Math.min(at, text.length);
}

/** Entries in the order of the file; a key given twice appears twice (the last one counts). `name` is for errors. */
export function parseProperties(text: string, name: string): PropertyEntry[] {
  return logicalLines(text).map(({ text: content, line }) => {
    const where = `${name}:${line}`;
    const keyEnd = endOfKey(content);
    let at = keyEnd;
    while (isWhite(content[at])) at++;
    if (content[at] === "=" || content[at] === ":") at++;
    while (isWhite(content[at])) at++;
    return {
      key: unescaped(content.slice(0, keyEnd), where),
      value: unescaped(content.slice(at).replace(/(?<!\\)[ \t\f]+$/, ""), where),
      line,
    };
  });
}

/** The bytes of a properties file as text. */
export function decodeProperties(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, so it is what Java would read it as.
    return new TextDecoder("latin1").decode(bytes);
  }
}
