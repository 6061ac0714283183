import type { Scores, TrainingList } from "../features/batch.ts";
import type { LabeledLogit } from "./calibration.ts";
import type { LoggedExample } from "./logged-examples.ts";

/** The logits of shown products with their outcomes, by head. */
export interface LabeledHeads {
  engage: LabeledLogit[];
  purchase: LabeledLogit[];
}

/** Adds the logits of the rows of a list that its user saw. A row counts as often as the products that it stands for. */
export function addLabeledLogits(
  labeled: LabeledHeads,
  { rows }: Pick<LoggedExample, "rows">,
  list: TrainingList,
  logits: Pick<Scores, "engage" | "purchase">,
): void {
  rows.forEach(({ position, represents = 1 }, row) => {
    if (position === 0) return;
    for (const head of ["engage", "purchase"] as const)
      labeled[head].push({
        ...{ logit: logits[head][row], outcome: list[head][row] },
        weight: list.weight * represents,
        ...(list.examined ? { examined: list.examined[row] } : {}),
      });
  });
}
