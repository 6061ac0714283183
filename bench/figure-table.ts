import type { Figure, Reference } from "./figure.ts";

/** Three significant digits, thousands separated. */
function short(value: number): string {
  if (Number.isNaN(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

const referenceText = (yardstick: Reference | null): string =>
  yardstick ? `${short(yardstick.value)} ${yardstick.label}` : "-";

const headers = ["figure", "unit", "N", "p50", "p95", "p99", "mean", "baseline", "limit"];
/** Columns of numbers, which stand on the right. */
const firstNumber = 2;
const lastNumber = 6;

/** Figures as a table for people. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((each) => [
    `${each.section}: ${each.name}`,
    each.unit,
    each.n.toLocaleString("en"),
    short(each.p50),
    short(each.p95),
    short(each.p99),
    short(each.mean),
    referenceText(each.baseline),
    referenceText(each.limit),
  ]);
  const widths = headers.map((header, i) => Math.max(header.length, ...rows.map((row) => row[i].length)));
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) =>
        i >= firstNumber && i <= lastNumber ? cell.padStart(widths[i]) : cell.padEnd(widths[i]),
      )
      .join("  ")
      .trimEnd();
  return [line(headers), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
