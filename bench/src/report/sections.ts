/**
 * Fills what lies between two comments of a Markdown page, so that no figure in it is typed by hand:
 * `<!-- bench:goals -->` … `<!-- /bench:goals -->`.
 */

/** Throws when the page has no such pair of comments. */
export function fillSection(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no section ${name}: ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n${content}\n${page.slice(to)}`;
}
