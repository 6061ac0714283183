/** Rows of cells as lines: columns as wide as their widest cell, the first row underlined. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  return lines.length === 0
    ? []
    : [lines[0], widths.map((width) => "─".repeat(width)).join("  "), ...lines.slice(1)];
}
