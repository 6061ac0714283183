import type { ModelCalibration } from "../../shared/contracts/model.ts";
import type { Objective } from "../../shared/contracts/rules.ts";
import type { Columns } from "../columns/columns.ts";
import { attributeColumn } from "../columns/optional-columns.ts";
import { optionalColumn } from "../columns/optional-values.ts";
import type { Scores } from "../features/batch.ts";
import type { BlockRow } from "../features/list-summary.ts";
import { calibratedProbability } from "../recalibrate/calibrated-probability.ts";

/**
 * Returns what a shop expects of showing each candidate: the probability that the user follows the recommendation times the
 * worth of a click, plus the probability of a purchase times the worth of a purchase. With `margin`, that worth is also
 * multiplied by a number of the product: a negative one counts as 0, an absent one as the mean of the candidates, or 1.
 */
export function expectedWorth(
  { click = 0, purchase = 0, margin }: Objective,
  logits: Scores,
  calibration: ModelCalibration | undefined,
  candidates: readonly BlockRow[],
): Float64Array {
  const margins = margin === undefined ? null : marginsOf(margin, candidates);
  return Float64Array.from(candidates, (_, i) => {
    const clicks = calibratedProbability(logits.engage[i], calibration?.click);
    const purchases = calibratedProbability(logits.purchase[i], calibration?.purchase);
    return click * clicks + purchase * purchases * (margins ? margins[i] : 1);
  });
}

/** Returns the values of an attribute of type `number` by candidate, without gaps and negative numbers. */
function marginsOf(name: string, candidates: readonly BlockRow[]): Float64Array {
  const column = attributeColumn(name);
  let block: Columns | null = null;
  let values: Float64Array | null = null;
  let sum = 0;
  let known = 0;
  const margins = Float64Array.from(candidates, (each) => {
    if (each.block !== block) {
      block = each.block;
      values = optionalColumn(block, column, "number")?.values ?? null;
    }
    const value = values ? values[each.row] : Number.NaN;
    if (Number.isNaN(value)) return value;
    const margin = Math.max(0, value);
    sum += margin;
    known++;
    return margin;
  });
  const mean = known > 0 ? sum / known : 1;
  return margins.map((margin) => (Number.isNaN(margin) ? mean : margin));
}
