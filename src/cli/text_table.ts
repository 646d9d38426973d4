/** Rows of cells as lines of text: columns as wide as their widest cell, numbers to the right. */

/** @param head names of the columns. @returns lines, the head first, indented by two */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? "").length)));
  const isNumeric = head.map((_, i) => rows.every((row) => /^[-−]?[\d,.∞]*(e[+-]?\d+)?$/.test(row[i] ?? "")));
  const line = (row: readonly string[]) => {
    const cells = widths.map((width, i) => {
      const cell = row[i] ?? "";
      return isNumeric[i] === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return `  ${cells.join("  ")}`.trimEnd();
  };
  return [line(head), ...rows.map(line)];
}
