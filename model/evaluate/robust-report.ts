import type { Evaluation } from "./evaluation.ts";
import { alignColumns, formatFigure, formatInterval } from "./report.ts";

/** Returns the name of the method, other than the pipeline, with the highest NDCG@10. */
export function bestCounting({ methods }: Pick<Evaluation, "methods">): string {
  const names = Object.keys(methods).filter((name) => name !== "pipeline");
  return names.reduce((best, name) =>
    methods[name].overall.ndcg10 > methods[best].overall.ndcg10 ? name : best,
  );
}

/** Returns one line for each world: the best counting method, the pipeline, and its paired gain in NDCG@10. */
export function robustReport(evaluations: Readonly<Record<string, Evaluation>>): string {
  const rows = Object.entries(evaluations).map(([world, { methods, gains }]) => {
    const best = bestCounting({ methods });
    const { pipeline } = methods;
    return [
      world,
      String(pipeline.overall.n),
      best,
      formatFigure(methods[best].overall.ndcg10),
      formatFigure(pipeline.overall.ndcg10),
      formatFigure(gains[best].ndcg10),
      formatInterval(gains[best].ci),
      `${formatFigure(methods[best].revisit.acc10)} / ${formatFigure(pipeline.revisit.acc10)}`,
      `${formatFigure(methods[best].first.acc10)} / ${formatFigure(pipeline.first.acc10)}`,
    ];
  });
  return alignColumns([
    [
      "world",
      "events",
      "best counting",
      "NDCG@10",
      "pipeline",
      "gain",
      "95% interval",
      "revisits@10",
      "first@10",
    ],
    ...rows,
  ]).join("\n");
}
