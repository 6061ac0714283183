import type { Evaluation } from "./evaluation.ts";
import type { ExpectedPurchases } from "./expected-purchases.ts";
import type { ConfidenceInterval } from "./metrics.ts";
import type { SliceQuality } from "./slices.ts";

/** Returns a number with three decimals and without the zero before the point; a dash for NaN. */
export const formatFigure = (value: number): string =>
  Number.isNaN(value) ? "-" : value.toFixed(3).replace(/^(-?)0/, "$1");

const headings = [
  "method",
  "Acc@1",
  "Acc@5",
  "Acc@10",
  "NDCG@10",
  "95% interval",
  "MRR@10",
  "revisits@10",
  "first@10",
  "no cold: NDCG@10",
  "first@10",
];

/** Returns an interval as `low - high`; a dash for none. */
export const formatInterval = (ci: ConfidenceInterval | null): string =>
  ci ? ci.map(formatFigure).join(" - ") : "-";

/** Returns the lines of a table. The first column is aligned to the left, all others to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  "),
  );
}

/** Returns the row of a slice: the best method other than the pipeline, its quality, and the pipeline's. */
function sliceRow([slice, quality]: [string, SliceQuality]): string[] {
  const { pipeline, ...others } = quality;
  const [best, found] = Object.entries(others).reduce((a, b) => (b[1].ndcg10 > a[1].ndcg10 ? b : a));
  return [
    slice,
    String(pipeline.n),
    best,
    formatFigure(found.ndcg10),
    formatFigure(pipeline.ndcg10),
    formatFigure(pipeline.acc10),
  ];
}

/** Returns the report that `npm run evaluate` prints. */
export function evaluationReport(evaluation: Evaluation): string {
  const { methods, slices, gains, recall, shown, timing } = evaluation;
  const [anyMethod] = Object.values(methods);
  if (!anyMethod) return `${evaluation.dataset}: The test part has no event to rank.`;
  const rows = Object.entries(methods).map(([name, method]) => {
    const { overall, revisit, first, overallWithoutCold, firstWithoutCold } = method;
    return [
      name,
      formatFigure(overall.acc1),
      formatFigure(overall.acc5),
      formatFigure(overall.acc10),
      formatFigure(overall.ndcg10),
      formatInterval(overall.ci),
      formatFigure(overall.mrr10),
      formatFigure(revisit.acc10),
      formatFigure(first.acc10),
      formatFigure(overallWithoutCold.ndcg10),
      formatFigure(firstWithoutCold.acc10),
    ];
  });
  const pairs = (record: Record<string, number>, digits: number): string =>
    Object.entries(record)
      .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
      .join(", ");
  return [
    `${evaluation.dataset}: ${anyMethod.overall.n} events evaluated, ${anyMethod.revisit.n} revisits, ${anyMethod.first.n} first visits (${anyMethod.newProducts.n} of cold products); ${evaluation.seeds.length > 1 ? `mean of seeds ${evaluation.seeds.join(", ")}` : `seed ${evaluation.seeds[0]}`}`,
    "",
    ...alignColumns([headings, ...rows]),
    "",
    "the pipeline's gain in NDCG@10 on the same events:",
    ...alignColumns(
      Object.entries(gains).map(([name, { ndcg10, ci }]) => [
        `over ${name}`,
        formatFigure(ndcg10),
        formatInterval(ci),
      ]),
    ),
    "NDCG@10 by how new users and products are:",
    ...alignColumns([
      ["slice", "events", "best other method", "NDCG@10", "pipeline", "Acc@10"],
      ...Object.entries(slices).map(sliceRow),
    ]),
    `recall of candidates: ${pairs(recall, 3)}`,
    `shown in the first 10: ${(100 * shown.coverage).toFixed(1)}% of the catalog, Gini ${shown.gini.toFixed(3)}`,
    `milliseconds: ${pairs(timing, 2)}`,
  ].join("\n");
}

/** Returns the report of expected purchases on a simulated marketplace. */
export function purchasesReport({ lists, optimum, utilityTerms, methods }: ExpectedPurchases): string {
  const terms = Object.keys(utilityTerms);
  const cells = (means: Record<string, number>): string[] => terms.map((term) => means[term].toFixed(2));
  return [
    `expected purchases per 100 recommendations, ${lists} lists of 10:`,
    ...alignColumns([
      ["method", "purchases", "of the optimum", "95% interval"],
      ["optimum", optimum.toFixed(2), "1.000", ""],
      ...Object.entries(methods).map(([name, { per100, shareOfOptimum, ci }]) => [
        name,
        per100.toFixed(2),
        formatFigure(shareOfOptimum),
        formatInterval(ci),
      ]),
    ]),
    "",
    "mean terms of the utility of a listed product:",
    ...alignColumns([
      ["method", ...terms],
      ["optimum", ...cells(utilityTerms)],
      ...Object.entries(methods).map(([name, method]) => [name, ...cells(method.utilityTerms)]),
    ]),
  ].join("\n");
}
