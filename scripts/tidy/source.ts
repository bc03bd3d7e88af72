/**
 * A source file as the tidy rules see it: its text, the same text with comments and string contents blanked
 * (positions kept, so that line numbers hold), and what it imports.
 */
export interface Source {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** `text` with the contents of comments, strings and template literals replaced by spaces. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

export interface Finding {
  readonly path: string;
  readonly line: number;
  /** What is wrong and what to do instead. */
  readonly message: string;
}

export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let i = 0; i < index; i++) if (text.charCodeAt(i) === 10) line++;
  return line;
}

/** Blanks comments, strings, template literals and regular expressions; newlines stay. */
export function blankLiterals(text: string): string {
  const out = text.split("");
  const blank = (from: number, to: number) => {
    for (let i = from; i < to && i < out.length; i++) if (out[i] !== "\n") out[i] = " ";
  };
  const templateDepths: number[] = [];
  let braces = 0;
  let lastSignificant = "";
  let i = 0;
  const skipTemplate = (from: number): number => {
    let at = from;
    while (at < text.length) {
      if (text[at] === "\\") at += 2;
      else if (text[at] === "`") return at + 1;
      else if (text[at] === "$" && text[at + 1] === "{") {
        templateDepths.push(braces);
        braces++;
        return at + 2;
      } else at++;
    }
    return at;
  };
  while (i < text.length) {
    const char = text[i]!;
    const next = text[i + 1];
    let end = i;
    if (char === "/" && next === "/") {
      end = text.indexOf("\n", i);
      if (end < 0) end = text.length;
      blank(i, end);
    } else if (char === "/" && next === "*") {
      end = text.indexOf("*/", i + 2);
      end = end < 0 ? text.length : end + 2;
      blank(i, end);
    } else if (char === '"' || char === "'") {
      end = i + 1;
      while (end < text.length && text[end] !== char && text[end] !== "\n") end += text[end] === "\\" ? 2 : 1;
      end++;
      blank(i + 1, end - 1);
      lastSignificant = char;
    } else if (char === "`") {
      end = skipTemplate(i + 1);
      blank(i + 1, end - 1);
      lastSignificant = "`";
    } else if (char === "}" && templateDepths.at(-1) === braces - 1) {
      templateDepths.pop();
      braces--;
      end = skipTemplate(i + 1);
      blank(i, end - 1);
      lastSignificant = "`";
    } else if (char === "/" && !/[\w)\]`"'}]/.test(lastSignificant)) {
      end = i + 1;
      let inClass = false;
      while (end < text.length && text[end] !== "\n" && (inClass || text[end] !== "/")) {
        if (text[end] === "[") inClass = true;
        else if (text[end] === "]") inClass = false;
        end += text[end] === "\\" ? 2 : 1;
      }
      end++;
      blank(i + 1, end - 1);
      lastSignificant = ")";
    } else {
      if (char === "{") braces++;
      else if (char === "}") braces--;
      if (!/\s/.test(char)) lastSignificant = char;
      end = i + 1;
    }
    i = end;
  }
  return out.join("");
}

const IMPORT =
  /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

export function parseSource(path: string, text: string): Source {
  const imports: Import[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const specifier = match[2] ?? match[3];
    if (specifier !== undefined)
      imports.push({ specifier, line: lineAt(text, match.index), typeOnly: match[1] !== undefined });
  }
  return { path, text, code: blankLiterals(text), imports };
}
