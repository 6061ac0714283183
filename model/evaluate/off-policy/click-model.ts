import { rangeCount } from "../../examination/position-ranges.ts";
import { type GroupSums, type OutcomeMetric, outcomeMetrics } from "./list-sums.ts";
import { binCount } from "./score-bins.ts";

/** What a position-based model of clicks says of a log. */
export interface ClickModel {
  /** Probability that users look at a position, relative to the first one, by range of positions. */
  examined: Float64Array;
  /** Probability of an outcome of a product that is looked at, by bin. */
  attraction: Record<OutcomeMetric, Float64Array>;
}

/** Rounds of a fit, more than enough for the estimates to settle: from the start, and from a fit to nearly the same log. */
const rounds = 60;
const roundsFromSimilar = 15;
/** Expected clicks at the usual rate that are added to a range or bin, so that one without data has an estimate. */
const priorClicks = 1;

/** Returns the examination that is expected of a range without data: the discount of NDCG. */
const expectedExamination = (range: number): number => 1 / Math.log2(range + 2);

/**
 * Fits the position-based model to a log: a product is clicked with the probability that its position is examined, times
 * its attraction, which is the same for products of one bin (Richardson, Dominowska and Ragno, WWW 2007; the
 * regression of the attraction on features is by Wang and others, WSDM 2018). Both factors are alternately set to their
 * maximum of the Poisson likelihood. Products of one bin at several positions tell the two apart, as far as scores explain
 * what attracts; lists whose order was drawn correct it (`model/examination`). A fit to nearly the same log shortens the work.
 */
export function fitClickModel(sums: GroupSums, similar?: ClickModel): ClickModel {
  const { shown } = sums;
  const clicks = sums.came("clicks");
  const usual = total(clicks) / (total(shown) || 1);
  const examined =
    similar?.examined.slice() ??
    Float64Array.from({ length: rangeCount }, (_, range) => expectedExamination(range));
  let attraction = attractionOf(shown, clicks, examined, usual);
  for (let round = 0; round < (similar ? roundsFromSimilar : rounds); round++) {
    for (let range = 0; range < rangeCount; range++) {
      let came = priorClicks * expectedExamination(range);
      let expected = priorClicks;
      for (let bin = 0; bin < binCount; bin++) {
        came += clicks[range * binCount + bin];
        expected += shown[range * binCount + bin] * attraction[bin];
      }
      examined[range] = came / expected;
    }
    const first = examined[0];
    for (let range = 0; range < rangeCount; range++) examined[range] /= first;
    attraction = attractionOf(shown, clicks, examined, usual);
  }
  return { examined, attraction: attractionsOf(sums, examined) };
}

/** Returns a click model with the examination of each range multiplied by a factor, and the attraction that follows from it. */
export function correctedModel(
  sums: GroupSums,
  { examined }: ClickModel,
  factorOf: (range: number) => number,
): ClickModel {
  const corrected = examined.map((each, range) => each * factorOf(range));
  return { examined: corrected, attraction: attractionsOf(sums, corrected) };
}

function attractionsOf(sums: GroupSums, examined: Float64Array): ClickModel["attraction"] {
  const { shown } = sums;
  const all = outcomeMetrics.map((metric) => {
    const came = sums.came(metric);
    return [metric, attractionOf(shown, came, examined, total(came) / (total(shown) || 1))] as const;
  });
  return Object.fromEntries(all) as ClickModel["attraction"];
}

const total = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0);

/** Returns outcomes for each product that is looked at, by bin. Bins without data have the `usual` rate. */
function attractionOf(
  shown: Float64Array,
  came: Float64Array,
  examined: Float64Array,
  usual: number,
): Float64Array {
  return Float64Array.from({ length: binCount }, (_, bin) => {
    let outcomes = priorClicks;
    let looks = priorClicks / (usual || 1);
    for (let range = 0; range < rangeCount; range++) {
      outcomes += came[range * binCount + bin];
      looks += shown[range * binCount + bin] * examined[range];
    }
    return usual === 0 ? 0 : outcomes / looks;
  });
}
