import type { AuditFinding } from "./audit-stores.ts";

const headers = ["store", "expected", "stored", "lost", "extra"];

/** Returns findings as a Markdown table with aligned columns. */
export function formatFindings(findings: readonly AuditFinding[]): string {
  const rows = findings.map(({ store, ...numbers }) => [
    store,
    ...[numbers.expected, numbers.stored, numbers.lost, numbers.extra].map((each) =>
      each.toLocaleString("en"),
    ),
  ]);
  const widths = headers.map((header, i) => Math.max(header.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(" | ")} |`;
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(headers), line(rule), ...rows.map(line)].join("\n");
}
