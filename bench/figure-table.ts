import { tableLines } from "../scripts/terminal/table.ts";
import type { BenchFigure, Reference } from "./figure.ts";

/** Returns a number with three significant digits and thousands separators; `-` for NaN. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

const referenceText = (reference: Reference | null): string =>
  reference ? `${numberText(reference.value)} ${reference.label}` : "-";

const headers = ["figure", "unit", "N", "p50", "p95", "p99", "mean", "baseline", "limit"];
/** Columns of numbers, from N to mean. */
const numberColumns = new Set([2, 3, 4, 5, 6]);

/** Returns figures as a table: one row per figure, with its baseline and limit. */
export const figureTable = (figures: readonly BenchFigure[]): string =>
  tableLines(
    [
      headers,
      ...figures.map((figure) => [
        `${figure.section}: ${figure.name}`,
        figure.unit,
        figure.n.toLocaleString("en"),
        numberText(figure.p50),
        numberText(figure.p95),
        numberText(figure.p99),
        numberText(figure.mean),
        referenceText(figure.baseline),
        referenceText(figure.limit),
      ]),
    ],
    numberColumns,
  ).join("\n");
