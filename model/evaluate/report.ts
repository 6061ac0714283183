import type { Evaluation } from "./evaluation.ts";
import type { Interval } from "./metrics.ts";
import type { ExpectedPurchases } from "./purchases.ts";

/** Three decimals without the zero before the point; a dash for NaN. */
export const fixed = (value: number): string =>
  Number.isNaN(value) ? "-" : value.toFixed(3).replace(/^(-?)0/, "$1");

const head = [
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

const between = (ci: Interval | null): string => (ci ? ci.map(fixed).join(" - ") : "-");

/** Columns side by side, each as wide as its widest cell; the first to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  "),
  );
}

/** The table that `npm run evaluate` prints. */
export function reportOf(evaluation: Evaluation): string {
  const { methods, gains, recall, shown, timing } = evaluation;
  const [any] = Object.values(methods);
  if (!any) return `${evaluation.dataset}: there was no event to ask for`;
  const rows = Object.entries(methods).map(([name, method]) => {
    const { overall, revisit, first, overallWithoutCold, firstWithoutCold } = method;
    return [
      name,
      fixed(overall.acc1),
      fixed(overall.acc5),
      fixed(overall.acc10),
      fixed(overall.ndcg10),
      between(overall.ci),
      fixed(overall.mrr10),
      fixed(revisit.acc10),
      fixed(first.acc10),
      fixed(overallWithoutCold.ndcg10),
      fixed(firstWithoutCold.acc10),
    ];
  });
  const pairs = (record: Record<string, number>, digits: number): string =>
    Object.entries(record)
      .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
      .join(", ");
  return [
    `${evaluation.dataset}: ${any.overall.n} events asked, ${any.revisit.n} revisits, ${any.first.n} first visits (${any.newProducts.n} of cold products); ${evaluation.seeds.length > 1 ? `mean of seeds ${evaluation.seeds.join(", ")}` : `seed ${evaluation.seeds[0]}`}`,
    "",
    ...table([head, ...rows]),
    "",
    "the pipeline's gain in NDCG@10 on the same events:",
    ...table(
      Object.entries(gains).map(([name, { ndcg10, ci }]) => [`over ${name}`, fixed(ndcg10), between(ci)]),
    ),
    `recall of candidates: ${pairs(recall, 3)}`,
    `shown in the first 10: ${(100 * shown.coverage).toFixed(1)}% of the catalogue, Gini ${shown.gini.toFixed(3)}`,
    `milliseconds: ${pairs(timing, 2)}`,
  ].join("\n");
}

/** What recommendations are worth on a simulated marketplace, as a table. */
export function purchasesReport({ questions, optimum, wish, methods }: ExpectedPurchases): string {
  const parts = Object.keys(wish);
  const cells = (of: Record<string, number>): string[] => parts.map((part) => of[part].toFixed(2));
  return [
    `expected purchases per 100 recommendations, ${questions} lists of 10:`,
    ...table([
      ["method", "purchases", "of the optimum", "95% interval"],
      ["optimum", optimum.toFixed(2), "1.000", ""],
      ...Object.entries(methods).map(([name, { per100, ofOptimum, ci }]) => [
        name,
        per100.toFixed(2),
        fixed(ofOptimum),
        between(ci),
      ]),
    ]),
    "",
    "of what the wish for a shown product is made, in units of utility:",
    ...table([
      ["method", ...parts],
      ["optimum", ...cells(wish)],
      ...Object.entries(methods).map(([name, method]) => [name, ...cells(method.wish)]),
    ]),
  ].join("\n");
}
