import type { Evaluation } from "./evaluate.ts";

const fixed = (value: number): string =>
  Number.isNaN(value) ? "  -  " : value.toFixed(3).replace(/^0/, " ");

/** The table that `npm run evaluate` prints. */
export function reportOf(evaluation: Evaluation): string {
  const { methods } = evaluation;
  const first = Object.values(methods)[0];
  const lines = [
    `${evaluation.dataset}: ${first.overall.n} events asked, ${first.revisit.n} revisits, ${first.first.n} first visits`,
    "",
    "method           Acc@1  Acc@5  Acc@10  NDCG@10  95% interval    MRR@10  revisit@10  first@10  first@10 w/o cold",
  ];
  for (const [name, { overall, revisit, first: firsts, firstWithoutCold }] of Object.entries(methods))
    lines.push(
      `${name.padEnd(16)} ${fixed(overall.acc1)}   ${fixed(overall.acc5)}   ${fixed(overall.acc10)}    ${fixed(overall.ndcg10)}    ${fixed(overall.ci[0])} - ${fixed(overall.ci[1])}    ${fixed(overall.mrr10)}   ${fixed(revisit.acc10)}       ${fixed(firsts.acc10)}     ${fixed(firstWithoutCold.acc10)}`,
    );
  const pairs = (record: Record<string, number>, digits: number): string =>
    Object.entries(record)
      .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
      .join(", ");
  lines.push(
    "",
    `recall of candidates: ${pairs(evaluation.recall, 3)}`,
    `shown in the first 10: ${(100 * evaluation.shown.coverage).toFixed(1)}% of the catalogue, Gini ${evaluation.shown.gini.toFixed(3)}`,
    `milliseconds: ${pairs(evaluation.timing, 2)}`,
  );
  return lines.join("\n");
}
