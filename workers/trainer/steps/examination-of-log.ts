import { fitExamination } from "../../../model/examination/fit-examination.ts";
import { PositionCells } from "../../../model/examination/position-cells.ts";
import { rangeStarts } from "../../../model/examination/position-ranges.ts";
import type { StepContext } from "./step.ts";

/** How often users look at positions, as the record of a recalibration shows it. */
export interface ExaminationFigures {
  /** First positions of the ranges, and how often they are looked at, relative to the first one. */
  positions: number[];
  examined: number[];
  /** Standard deviations of the logarithms. */
  errors: number[];
  /** Lists whose order was drawn, by which positions are told apart from what they show. */
  drawnLists: number;
}

/** Fits the examination to the log that was collected. */
export async function examinationOfLog({
  artifacts,
}: Pick<StepContext, "artifacts">): Promise<ExaminationFigures> {
  const cells = new PositionCells(await artifacts.numbers("positions"));
  const { examined, errors } = fitExamination(cells);
  return {
    positions: [...rangeStarts],
    examined: [...examined],
    errors: [...errors],
    drawnLists: cells.drawnLists,
  };
}
