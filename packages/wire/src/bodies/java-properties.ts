/**
 * Text in the format of java.util.Properties: RocketMQ's configuration files, and the bodies of 25, 26, 318 and 319.
 *
 *   logical line  = natural lines joined where one ends in an odd number of backslashes
 *                   (the leading white space of the next one is dropped)
 *   comment       = natural line whose first non-white character is # or !  (never continued)
 *   entry         = key [white] [= | :] [white] value          white = space, tab, form feed
 *   escapes       = \t \n \r \f \uXXXX; any other escaped character is itself
 *
 * Two differences from Java: bytes are read as UTF-8 (Java: ISO-8859-1; bytes that are not UTF-8 still are), and white
 * space at the end of a value is dropped.
 */
import { WireError } from "../wire-error.ts";

export interface JavaProperty {
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
    if (char === "u") {
      const message = `${where}: \\u must be followed by four hexadecimal digits`;
      throw new WireError("PROPERTIES_MALFORMED", message);
    }
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

/**
 * Entries in the order of the text; a key given twice appears twice (the last one counts). `name` is for errors.
 * Throws WireError PROPERTIES_MALFORMED.
 */
export function parseJavaProperties(text: string, name: string): JavaProperty[] {
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

/** The bytes of a properties text as a string. */
export function decodeJavaProperties(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, so it is what Java would read it as.
    return new TextDecoder("latin1").decode(bytes);
  }
}

/** One `key=value` per line in the order given; what would not come back as it is gets escaped. */
export function formatJavaProperties(entries: Iterable<readonly [key: string, value: string]>): string {
  let text = "";
  for (const [key, value] of entries) {
    const shownKey = escaped(key).replace(/[=: \t\f#!]/g, "\\$&");
    const shownValue = escaped(value).replace(/^[ \t\f]|[ \t\f]$/g, "\\$&");
    text += `${shownKey}=${shownValue}\n`;
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

const escaped = (text: string): string => text.replace(/[\\\n\r]/g, (char) => ESCAPES[char] ?? char);
