/**
 * Which source file a line of a bundle is of: esbuild puts `// packages/store/src/slices.ts` before what it took from
 * there. That goes for what is published as well as for what is bundled to measure, so that neither needs a source map.
 */
const HEADING = /^\/\/ (?:\.\.\/)*(\S+\.(?:[cm]?[jt]s|json))$/;

export interface BundledModules {
  /** `line` from 0; undefined before the first. */
  at(line: number): string | undefined;
}

export function bundledModules(text: string): BundledModules {
  const begins: number[] = [];
  const paths: string[] = [];
  for (const [line, content] of text.split("\n").entries()) {
    const path = HEADING.exec(content)?.[1];
    if (path === undefined) continue;
    begins.push(line);
    paths.push(path);
  }
  return {
    at(line) {
      let [low, high] = [0, begins.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (begins[middle]! <= line) low = middle + 1;
        else high = middle;
      }
      return paths[low - 1];
    },
  };
}
