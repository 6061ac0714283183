/**
 * Returns a table as lines of text. Each column is as wide as its widest cell, and the first row is underlined. Columns
 * in `rightAligned` (numbers from 0) are padded on the left.
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  rightAligned: ReadonlySet<number> = new Set(),
): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        rightAligned.has(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join("  ")
      .trimEnd(),
  );
  return lines.length === 0
    ? []
    : [lines[0], widths.map((width) => "─".repeat(width)).join("  "), ...lines.slice(1)];
}
