/** Tables for people: texts to the left, numbers to the right, two spaces between. */
const NUMERIC = /^-?\d+(\.\d+)?$/;

const isNumeric = (cell: string | number | undefined): boolean =>
  typeof cell === "number" || NUMERIC.test(cell ?? "");

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column]).length)),
  );
  const isNumber = head.map(
    (_, column) =>
      rows.every((row) => row[column] === "" || isNumeric(row[column])) &&
      rows.some((row) => isNumeric(row[column])),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] ? String(cell).padStart(width) : String(cell).padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [head, ...rows].map((cells) => `${line(cells)}\n`).join("");
}
